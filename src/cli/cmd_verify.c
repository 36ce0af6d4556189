/*
 * cmd_verify.c: exports cmd_verify: the safety number with a person, as digits
 * and as a QR code; marking it as compared, or taking that back.
 */
#include "cli/cmd.h"
#include "cli/qr.h"
#include "cli/show.h"
#include "cli/tty.h"

#define OUT_MAX ((size_t)1 << 18)

static enum exit_status
mark(struct host *h, const struct client_person *p)
{
	struct client_input in = { .type = CLIENT_VERIFY };
	struct client_input go = { .type = CLIENT_ACCEPT, .u.user = p->user };
	enum exit_status st = EXIT_OK;
	if (!h->running)
		return EXIT_OK;
	/* Who confirms the number accepts the identity that it is of. */
	if (h->args->confirm && p->identity_changed)
		st = host_command(h, &go);
	in.u.verify.user = p->user;
	in.u.verify.on = h->args->confirm;
	return st == EXIT_OK ? host_command(h, &in) : st;
}

static enum exit_status
finish(struct host *h, struct buf *out, enum err e)
{
	if (e == OK)
		e = show_line(out);
	buf_fini(out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

static bool
is_told(struct host *h, const void *ctx)
{
	struct client_trust t = { .told = false };

	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_trust(&h->client, &h->query, ctx, &t);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e == OK && t.told;
}

/* The other's code, as pasted: equal, or somebody stands between. */
static enum exit_status
compare(struct host *h, const struct client_person *p)
{
	struct client_input in = { .type = CLIENT_VERIFY_CODE };
	struct client_input go = { .type = CLIENT_ACCEPT, .u.user = p->user };

	in.u.verify_code.user = p->user;
	in.u.verify_code.code = span_str(h->args->code);
	enum exit_status st = EXIT_OK;
	/* What is compared is the identity that it has now. */
	if (p->identity_changed)
		st = host_command(h, &go);
	return st == EXIT_OK ? host_command(h, &in) : st;
}

static enum err
put_safety(struct host *h, const struct client_person *p, const char *digits,
    const char *code, struct buf *out)
{
	char name[HOST_NAME_MAX + 1], rows[CLIENT_SAFETY_LEN + 64];
	bool verified = h->args->confirm || h->args->code != NULL ||
	    (p->verified && !h->args->withdraw);
	if (h->args->json) {
		TRY(buf_add_str(out, "{"));
		TRY(show_json_str(out, "username", p->name));
		TRY(show_json_id(out, "userId", p->user.b));
		TRY(show_json_str(out, "safetyNumber", span_str(digits)));
		TRY(show_json_str(out, "code", span_str(code)));
		TRY(show_json_bool(out, "verified", verified));
		return buf_add_str(out, "}");
	}
	show_name(h, &p->user, name);
	TRY(buf_add_str(out, "Safety number with "));
	TRY(buf_add_str(out, name));
	/* Four groups of five digits a row: 24 characters with spaces. */
	snprintf(rows, sizeof(rows), ":\n\n    %.23s\n    %.23s\n    %.23s\n\n",
	    digits, digits + 24, digits + 48);
	TRY(buf_add_str(out, rows));
	if (tty_columns() >= 60)
		TRY(qr_put(code, tty_has_signs(), tty_has_color(), out));
	TRY(buf_add_str(out, "The same as text, for verify --code:\n    "));
	TRY(buf_add_str(out, code));
	TRY(buf_add_str(out, "\n\n"));
	if (verified)
		return buf_add_str(out, "You have verified this person.");
	TRY(buf_add_str(out, "Not verified. Compare these digits with those on "
	    "the other person's screen;\nif they are equal: "));
	return buf_add_str(out, host_hint(h, "verify --confirm %s", name));
}

enum exit_status
cmd_verify(struct host *h, const struct args *a)
{
	char digits[CLIENT_SAFETY_LEN + 1], code[CLIENT_QR_LEN + 1];
	struct client_person p;
	struct buf out;
	if (a->offline && (a->confirm || a->withdraw || a->code != NULL)) {
		h->args = a;
		host_error(h, "--offline shows the number only; leave it out "
		    "to confirm or withdraw");
		return EXIT_USAGE;
	}
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st == EXIT_OK)
		st = host_find_fresh(h, a->operand[0], &p);
	if (st != EXIT_OK)
		return st;
	enum err e = host_read(h);
	if (e == OK) {
		e = client_safety(&h->client, &h->query, &p.user, digits);
		if (e == OK)
			e = client_safety_code(&h->client, &h->query, &p.user,
			    code);
		host_read_end(h);
	}
	if (e != OK) {
		host_error(h, "there is no safety number yet: the keys of "
		    "\"%s\" are not known here", a->operand[0]);
		return EXIT_FAILED;
	}
	if (a->code != NULL)
		st = compare(h, &p);
	else if (a->confirm || a->withdraw)
		st = mark(h, &p);
	buf_init(&out, OUT_MAX);
	e = put_safety(h, &p, digits, code, &out);
	/* The server keeps the mark for the other devices. */
	if (st == EXIT_OK && h->running)
		st = host_wait(h, is_told, &p.user, host_timeout(h));
	return st == EXIT_OK ? finish(h, &out, e) :
	    (buf_fini(&out), st);
}
