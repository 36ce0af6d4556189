/*
 * cmd_chats.c: exports cmd_chats, cmd_mute, cmd_unmute, cmd_archive,
 * cmd_unarchive, cmd_draft: the list of chats, and how one keeps them.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"

#define OUT_MAX ((size_t)1 << 18)

static enum err
put_chat_json(struct host *h, const struct client_chat *c, struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	show_name(h, &c->user, name);
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "with", span_str(name)));
	TRY(show_json_id(out, "userId", c->user.b));
	TRY(show_json_id(out, "chatId", c->chat.b));
	TRY(show_json_u64(out, "unread", c->unread_n));
	TRY(show_json_u64(out, "mentions", c->mentions_n));
	TRY(show_json_bool(out, "muted", c->flags & CHAT_MUTED));
	TRY(show_json_bool(out, "pinned", c->flags & CHAT_PINNED));
	TRY(show_json_bool(out, "archived", c->flags & CHAT_ARCHIVED));
	TRY(show_json_bool(out, "blocked", c->blocked));
	TRY(show_json_u64(out, "expiresIn", c->expire_s));
	TRY(show_json_time(out, "time", c->last_ms));
	if (c->draft.n != 0)
		TRY(show_json_str(out, "draft", c->draft));
	return buf_add_str(out, "}");
}

static enum err
put_chat(struct host *h, const struct client_chat *c, struct buf *out)
{
	char name[HOST_NAME_MAX + 1], time[SHOW_TIME_LEN] = "", line[200];
	show_name(h, &c->user, name);
	if (c->last_ms != 0)
		show_time(c->last_ms, false, time);
	snprintf(line, sizeof(line), "%-16s %-16s", name, time);
	TRY(buf_add_str(out, line));
	if (c->unread_n != 0) {
		snprintf(line, sizeof(line), " %u unread",
		    (unsigned)c->unread_n);
		TRY(buf_add_str(out, line));
	}
	if (c->mentions_n != 0)
		TRY(buf_add_str(out, " @you"));
	TRY(buf_add_str(out, c->flags & CHAT_PINNED ? " pinned" : ""));
	TRY(buf_add_str(out, c->flags & CHAT_MUTED ? " muted" : ""));
	TRY(buf_add_str(out, c->flags & CHAT_ARCHIVED ? " archived" : ""));
	TRY(buf_add_str(out, c->blocked ? " blocked" : ""));
	TRY(buf_add_str(out, c->draft.n != 0 ? " draft" : ""));
	return buf_add_str(out, c->expire_s != 0 ? " disappearing" : "");
}

static enum err
list_chats(struct host *h, struct buf *out)
{
	struct chat_id after = { .b = { 0 } };
	struct client_chat c;
	TRY(host_read(h));
	enum err e = OK;
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_chat_next(&h->client, &h->query, &after, &c);
		if (e == OK)
			e = h->args->json ? put_chat_json(h, &c, out) :
			    put_chat(h, &c, out);
		if (e == OK)
			e = show_line(out);
		arena_wipe(&h->query, m);
	}
	host_read_end(h);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum exit_status
cmd_chats(struct host *h, const struct args *a)
{
	struct buf out;
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st != EXIT_OK)
		return st;
	buf_init(&out, OUT_MAX);
	enum err e = list_chats(h, &out);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the chats cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

/* ---- flags ---- */

static enum exit_status
set_flag(struct host *h, const struct args *a, uint32_t flag, bool on)
{
	struct client_input in = { .type = CLIENT_CHAT_SET };
	struct client_person p;
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK)
		st = pick_chat(h, &p, &in.u.chat_set.chat);
	if (st != EXIT_OK)
		return st;
	in.u.chat_set.mask = flag;
	in.u.chat_set.flags = on ? flag : 0;
	return host_command(h, &in);
}

enum exit_status
cmd_mute(struct host *h, const struct args *a)
{
	return set_flag(h, a, CHAT_MUTED, true);
}

enum exit_status
cmd_unmute(struct host *h, const struct args *a)
{
	return set_flag(h, a, CHAT_MUTED, false);
}

enum exit_status
cmd_archive(struct host *h, const struct args *a)
{
	return set_flag(h, a, CHAT_ARCHIVED, true);
}

enum exit_status
cmd_unarchive(struct host *h, const struct args *a)
{
	return set_flag(h, a, CHAT_ARCHIVED, false);
}

/* ---- drafts ---- */

static enum exit_status
print_draft(struct host *h, const struct client_target *to)
{
	struct span text = { NULL, 0 };
	struct buf out;
	buf_init(&out, OUT_MAX);
	enum err e = host_read(h);
	if (e == OK) {
		e = client_draft(&h->client, &h->query, to, &text);
		if (e == OK && h->args->json)
			e = buf_add_str(&out, "{\"draft\":");
		if (e == OK)
			e = h->args->json ? show_json_text(text, &out) :
			    show_text(text, &out);
		if (e == OK && h->args->json)
			e = buf_add_str(&out, "}");
		host_read_end(h);
	}
	if (e == OK && (text.n != 0 || h->args->json))
		e = show_line(&out);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the draft cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

enum exit_status
cmd_draft(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_DRAFT };
	struct client_person p;
	struct buf text;
	enum exit_status st = pick_person(h, a, &p);
	if (st != EXIT_OK)
		return st;
	in.u.draft.to.user = p.user;
	if (a->operand_n == 1 && !a->off)
		return print_draft(h, &in.u.draft.to);
	buf_init(&text, CLIENT_TEXT_MAX);
	if (!a->off)
		st = pick_text(h, a, 1, &text);
	in.u.draft.text = buf_span(&text);
	if (st == EXIT_OK)
		st = host_command(h, &in);
	if (text.p != NULL)
		wipe(text.p, text.n);
	buf_fini(&text);
	return st;
}
