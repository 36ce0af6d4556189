/*
 * cmd_chats.c: exports cmd_chats, cmd_mute, cmd_unmute, cmd_archive,
 * cmd_unarchive, cmd_notify, cmd_draft, cmd_pin_chat: the list of chats, and how
 * one keeps them.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"
#include "cli/there.h"

#define OUT_MAX ((size_t)1 << 18)

static const char *
notify_word(uint32_t flags)
{
	return flags & CHAT_QUIET ? "none" :
	    flags & CHAT_ONLY_MENTIONS ? "mentions" : "all";
}

/* What is known of the person of a chat, as far as he lets it be known. */
struct seen {
	const char *status;	/* NULL: not told */
	uint64_t ms;		/* 0: not known */
};

static struct seen
look_at(struct host *h, const struct there *t, const struct user_id *user)
{
	struct seen s = { there_status(t, user), 0 };
	struct client_person p;
	if (client_person(&h->client, &h->query, user, &p) == OK)
		s.ms = p.last_seen_ms;
	return s;
}

static enum err
put_chat_json(struct host *h, const struct there *t,
    const struct client_chat *c, struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	struct seen seen = look_at(h, t, &c->user);
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
	TRY(show_json_str(out, "notify", span_str(notify_word(c->flags))));
	TRY(show_json_bool(out, "blocked", c->blocked));
	if (seen.status != NULL)
		TRY(show_json_str(out, "presence", span_str(seen.status)));
	TRY(show_json_time(out, "lastSeen", seen.ms));
	TRY(show_json_u64(out, "expiresIn", c->expire_s));
	TRY(show_json_time(out, "time", c->last_ms));
	if (c->draft.n != 0)
		TRY(show_json_str(out, "draft", c->draft));
	return buf_add_str(out, "}");
}

/* " online", " away", " seen 2026-11-21 17:05". */
static enum err
put_seen(const struct seen *seen, struct buf *out)
{
	char at[SHOW_TIME_LEN];
	bool there = seen->status != NULL &&
	    strcmp(seen->status, "offline") != 0;
	if (!there && seen->ms == 0)
		return OK;
	show_time(seen->ms, false, at);
	TRY(buf_add_str(out, there ? " " : " seen "));
	return buf_add_str(out, there ? seen->status : at);
}

static enum err
put_chat(struct host *h, const struct there *t, const struct client_chat *c,
    struct buf *out)
{
	struct seen seen = look_at(h, t, &c->user);
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
	TRY(buf_add_str(out, c->flags & CHAT_QUIET ? " quiet" :
	    c->flags & CHAT_ONLY_MENTIONS ? " mentions-only" : ""));
	TRY(buf_add_str(out, c->flags & CHAT_ARCHIVED ? " archived" : ""));
	TRY(buf_add_str(out, c->blocked ? " blocked" : ""));
	TRY(buf_add_str(out, c->draft.n != 0 ? " draft" : ""));
	TRY(buf_add_str(out, c->expire_s != 0 ? " disappearing" : ""));
	return put_seen(&seen, out);
}

static enum err
list_chats(struct host *h, const struct there *t, struct buf *out)
{
	struct chat_id after = { .b = { 0 } };
	struct client_chat c;
	TRY(host_read(h));
	enum err e = OK;
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_chat_next(&h->client, &h->query, &after, &c);
		if (e == OK)
			e = h->args->json ? put_chat_json(h, t, &c, out) :
			    put_chat(h, t, &c, out);
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
	struct there there = { .known = false };
	struct buf out;
	enum exit_status st = host_open_reader(h, a, NULL);
	enum err e = OK;
	if (st == EXIT_OK && !a->offline)
		st = there_load(h, &there);
	if (st == EXIT_OK) {
		buf_init(&out, OUT_MAX);
		e = list_chats(h, &there, &out);
		buf_fini(&out);
	}
	there_fini(&there);
	if (st != EXIT_OK)
		return st;
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the chats cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

/* ---- flags ---- */

static enum exit_status
set_flags(struct host *h, const struct args *a, uint32_t mask, uint32_t flags)
{
	struct client_input in = { .type = CLIENT_CHAT_SET };
	struct client_person p;
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK)
		st = pick_chat(h, &p, &in.u.chat_set.chat);
	if (st != EXIT_OK)
		return st;
	in.u.chat_set.mask = mask;
	in.u.chat_set.flags = flags;
	return host_command(h, &in);
}

static enum exit_status
set_flag(struct host *h, const struct args *a, uint32_t flag, bool on)
{
	return set_flags(h, a, flag, on ? flag : 0);
}

enum exit_status
cmd_pin_chat(struct host *h, const struct args *a)
{
	return set_flag(h, a, CHAT_PINNED, !a->off);
}

static enum err
print_notify(struct host *h, const struct chat_id *chat)
{
	struct client_chat c;
	struct buf out;
	TRY(host_read(h));
	enum err e = client_chat(&h->client, &h->query, chat, &c);
	host_read_end(h);
	TRY(e);
	buf_init(&out, 64);
	if (h->args->json) {
		e = buf_add_str(&out, "{");
		if (e == OK)
			e = show_json_str(&out, "notify",
			    span_str(notify_word(c.flags)));
		if (e == OK)
			e = buf_add_str(&out, "}");
	} else {
		e = buf_add_str(&out, notify_word(c.flags));
	}
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	return e;
}

enum exit_status
cmd_notify(struct host *h, const struct args *a)
{
	static const uint32_t all[] = { 0, CHAT_ONLY_MENTIONS, CHAT_QUIET };
	struct client_person p;
	struct chat_id chat;
	for (size_t i = 0; i < 3 && a->operand_n > 1; i++)
		if (strcmp(a->operand[1], notify_word(all[i])) == 0)
			return set_flags(h, a, CHAT_ONLY_MENTIONS |
			    CHAT_QUIET, all[i]);
	if (a->operand_n > 1) {
		host_error(h, "\"%.40s\" is none of all, mentions, none",
		    a->operand[1]);
		return EXIT_USAGE;
	}
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK)
		st = pick_chat(h, &p, &chat);
	if (st != EXIT_OK)
		return st;
	enum err e = print_notify(h, &chat);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
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
