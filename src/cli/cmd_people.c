/*
 * cmd_people.c: exports cmd_block, cmd_unblock, cmd_blocks, cmd_report,
 * cmd_people: finding people, and keeping some away.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"

#define PART_MIN 2	/* what the server searches for (docs/api.md) */

static enum exit_status
set_block(struct host *h, const struct args *a, bool on)
{
	struct client_input in = { .type = CLIENT_BLOCK };
	struct client_person p;
	enum exit_status st = pick_person(h, a, &p);
	if (st != EXIT_OK)
		return st;
	if (!on && !p.blocked_by_me) {
		host_note(h, "%s is not blocked", a->operand[0]);
		return EXIT_OK;
	}
	in.u.verify.user = p.user;
	in.u.verify.on = on;
	return host_command(h, &in);
}

enum exit_status
cmd_block(struct host *h, const struct args *a)
{
	return set_block(h, a, true);
}

enum exit_status
cmd_unblock(struct host *h, const struct args *a)
{
	return set_block(h, a, false);
}

static enum err
put_name(struct host *h, const struct user_id *user, struct span name,
    struct buf *out)
{
	char known[HOST_NAME_MAX + 1];
	if (name.n == 0) {
		show_name(h, user, known);
		name = span_str(known);
	}
	if (!h->args->json) {
		TRY(show_text(name, out));
		return show_line(out);
	}
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "username", name));
	TRY(show_json_id(out, "userId", user->b));
	TRY(buf_add_str(out, "}"));
	return show_line(out);
}

static enum err
list_blocks(struct host *h, struct buf *out)
{
	struct user_id after = { .b = { 0 } };
	struct client_person p;
	TRY(host_read(h));
	enum err e = OK;
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_person_next(&h->client, &h->query, &after, &p);
		if (e == OK && p.blocked_by_me)
			e = put_name(h, &p.user, p.name, out);
		arena_wipe(&h->query, m);
	}
	host_read_end(h);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum exit_status
cmd_blocks(struct host *h, const struct args *a)
{
	struct buf out;
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st != EXIT_OK)
		return st;
	buf_init(&out, 4096);
	enum err e = list_blocks(h, &out);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the list cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

static bool
is_reason(const char *text)
{
	static const char *const all[] = { "spam", "abuse", "threat",
	    "illegal", "impersonation", "other" };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(text, all[i]) == 0)
			return true;
	return false;
}

enum exit_status
cmd_report(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_REPORT };
	struct client_person p;
	if (!is_reason(a->operand[1])) {
		host_error(h, "\"%.40s\" is no reason: spam, abuse, threat, "
		    "illegal, impersonation, other", a->operand[1]);
		return EXIT_USAGE;
	}
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK && a->operand_n > 2)
		st = pick_message(h, &p, a->operand[2], &in.u.report.ref);
	if (st != EXIT_OK)
		return st;
	if (a->with_text && a->operand_n < 3) {
		host_error(h, "--with-text is about a message: give its id");
		return EXIT_USAGE;
	}
	in.u.report.user = p.user;
	in.u.report.reason = span_str(a->operand[1]);
	if (a->comment != NULL)
		in.u.report.comment = span_str(a->comment);
	in.u.report.with_text = a->with_text;
	st = host_command(h, &in);
	if (h->reply.err == ERR_VALIDATION)
		host_note(h, "you cannot report yourself, and of messages "
		    "only those that the person sent you");
	return st;
}

/* ---- search ---- */

struct found {
	struct buf out;
	enum err err;
	unsigned n;
};

static void
on_show(struct host *h, const struct client_show *s)
{
	struct found *f = h->ops->ctx;
	if (s->type != SHOW_FOUND || s->cmd != h->reply.cmd || f->err != OK)
		return;
	f->n++;
	f->err = put_name(h, &s->u.user.user, s->u.user.name, &f->out);
}

enum exit_status
cmd_people(struct host *h, const struct args *a)
{
	struct found f = { .err = OK };
	struct host_ops ops = { .on_show = on_show, .ctx = &f };
	struct client_input in = { .type = CLIENT_SEARCH_PEOPLE,
	    .u.name = span_str(a->operand[0]) };
	if (strlen(a->operand[0]) < PART_MIN) {
		host_error(h, "two characters of a name at least");
		return EXIT_USAGE;
	}
	buf_init(&f.out, 4096);
	enum exit_status st = host_open_reader(h, a, &ops);
	if (st == EXIT_OK)
		st = host_command(h, &in);
	if (st == EXIT_OK && f.err != OK)
		st = EXIT_FAILED;
	if (st == EXIT_OK && f.n == 0) {
		host_note(h, "nobody is called so");
		st = EXIT_FAILED;
	}
	h->ops = NULL;
	buf_fini(&f.out);
	return st;
}
