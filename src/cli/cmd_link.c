/*
 * cmd_link.c: exports cmd_link: both sides of linking a device. The state is
 * the profile's: a command that was interrupted goes on when it is given
 * again.
 */
#include <unistd.h>

#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/qr.h"
#include "cli/show.h"
#include "cli/track.h"
#include "cli/tty.h"

#define OUT_MAX 65536
#define TEXT_MAX 128

/* What is shown of a linking, kept beyond the query. */
struct linking_seen {
	enum client_linking_state state;
	bool is_new, manager;
	char text[TEXT_MAX], code[8];
	char device[HOST_NAME_MAX * 3 + 1], user[HOST_NAME_MAX + 1];
};

static void
keep(char *out, size_t cap, struct span s)
{
	struct buf b;

	out[0] = '\0';
	buf_init(&b, 1024);
	if (clean_line(s, &b) == OK)
		snprintf(out, cap, "%.*s", (int)b.n, (const char *)b.p);
	buf_fini(&b);
}

static void
look(struct host *h, struct linking_seen *out)
{
	struct client_linking l = { .state = LINK_NONE };

	memset(out, 0, sizeof(*out));
	if (host_read(h) != OK)
		return;
	struct arena_mark m = arena_mark(&h->query);
	if (client_linking(&h->client, &h->query, &l) == OK) {
		out->state = l.state;
		out->is_new = l.is_new;
		out->manager = l.manager;
		snprintf(out->text, sizeof(out->text), "%.*s", (int)l.text.n,
		    (const char *)l.text.p);
		memcpy(out->code, l.code, sizeof(l.code));
		keep(out->device, sizeof(out->device), l.device_name);
		keep(out->user, sizeof(out->user), l.user_name);
	}
	arena_wipe(&h->query, m);
	host_read_end(h);
}

/* Something to show or to ask that was not there before. */
static bool
has_moved(struct host *h, const void *ctx)
{
	const struct linking_seen *was = ctx;
	struct linking_seen now;

	look(h, &now);
	return now.state != was->state ||
	    (was->text[0] == '\0' && now.text[0] != '\0');
}

static enum exit_status
put_json(const struct linking_seen *l)
{
	struct buf out;

	buf_init(&out, 2048);
	enum err e = buf_add_str(&out, "{");
	if (e == OK)
		e = show_json_str(&out, "type", SPAN("linking"));
	if (e == OK)
		e = show_json_str(&out, "state",
		    span_str(client_linking_name(l->state)));
	if (e == OK)
		e = show_json_bool(&out, "newDevice", l->is_new);
	if (e == OK && l->text[0] != '\0')
		e = show_json_str(&out, "text", span_str(l->text));
	if (e == OK && l->code[0] != '\0')
		e = show_json_str(&out, "code", span_str(l->code));
	if (e == OK && l->device[0] != '\0')
		e = show_json_str(&out, "deviceName", span_str(l->device));
	if (e == OK && l->user[0] != '\0')
		e = show_json_str(&out, "username", span_str(l->user));
	if (e == OK)
		e = show_json_bool(&out, "manager", l->manager);
	if (e == OK)
		e = buf_add_str(&out, "}");
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	return e == OK ? EXIT_OK : EXIT_FAILED;
}

static void
put_text(const struct linking_seen *l)
{
	struct buf out;
	bool color = tty_columns() > 0 && tty_has_color();

	buf_init(&out, OUT_MAX);
	enum err e = OK;
	if (tty_columns() >= 60)
		e = qr_put(l->text, tty_has_signs(), color, &out);
	if (e == OK)
		e = buf_add_str(&out, "\nOn a device that manages the account, "
		    "scan this, or give it this text:\n\n    nightjar link '");
	if (e == OK)
		e = buf_add_str(&out, l->text);
	if (e == OK)
		e = buf_add_str(&out, "'\n\nIt is good for five minutes, "
		    "once.");
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	(void)e;
}

/* ---- the new device ---- */

static enum exit_status
confirm(struct host *h, const struct linking_seen *l)
{
	struct client_input in = { .type = CLIENT_LINK_CONFIRM };
	char question[400];

	snprintf(question, sizeof(question), "The other device says that this "
	    "one was linked to the account %s.\nDoes it, and is that your "
	    "account? [yes/no] ", l->user);
	in.u.on = h->args->yes || tty_ask_yes(question);
	snprintf(h->account.name, sizeof(h->account.name), "%s",
	    in.u.on ? l->user : h->account.name);
	if (in.u.on && host_save(h) != OK) {
		host_error(h, "the profile cannot be written: %s",
		    h->paths.data);
		return EXIT_PROFILE;
	}
	return host_command(h, &in);
}

static enum exit_status
step_new(struct host *h, const struct linking_seen *l)
{
	bool json = h->args->json;

	if (l->state == LINK_WAITS && l->text[0] != '\0' && !json)
		put_text(l);
	else if (l->state == LINK_CODE && !json)
		printf("The code, for the other device:  %.3s %s\n", l->code,
		    l->code + 3);
	else if (l->state == LINK_CONFIRM)
		return confirm(h, l);
	else if (l->state == LINK_HISTORY)
		host_note(h, "linked; the history follows");
	fflush(stdout);
	return EXIT_OK;
}

/* ---- the manager ---- */

static enum exit_status
ask_code(struct host *h, char *out, size_t cap)
{
	size_t n = 0;

	if (isatty(STDIN_FILENO)) {
		if (tty_ask("The code that the new device shows: ", true,
		    out, cap - 1, &n) != OK)
			return EXIT_INTERRUPTED;
		out[n] = '\0';
		return EXIT_OK;
	}
	if (fgets(out, (int)cap, stdin) == NULL) {
		host_error(h, "the code is missing: type it, or give it on "
		    "the standard input");
		return EXIT_USAGE;
	}
	out[strcspn(out, "\r\n")] = '\0';
	return EXIT_OK;
}

static enum exit_status
give_code(struct host *h)
{
	struct client_input in = { .type = CLIENT_LINK_CODE };
	char code[64];
	enum exit_status st = ask_code(h, code, sizeof(code));

	if (st != EXIT_OK)
		return st;
	in.u.link_code = span_str(code);
	st = host_command(h, &in);
	wipe(code, sizeof(code));
	return st;
}

/* What are not six digits is asked for again; wrong digits end it. */
static enum exit_status
enter_code(struct host *h, const struct linking_seen *l)
{
	struct linking_seen now;
	enum exit_status st;

	if (!h->args->json)
		printf("A device that calls itself \"%s\" asks to be linked.\n"
		    "It will have full access to your account: it reads and "
		    "writes as you%s.\nGo on only if it is in your hands.\n",
		    l->device, l->manager ? ", and adds and removes devices" :
		    "");
	fflush(stdout);
	do {
		st = give_code(h);
		look(h, &now);
	} while (st == EXIT_REFUSED && h->reply.err == ERR_VALIDATION &&
	    now.state == LINK_ASKS && isatty(STDIN_FILENO));
	return st;
}

static enum exit_status
step_manager(struct host *h, const struct linking_seen *l)
{
	if (l->state == LINK_ASKS)
		return enter_code(h, l);
	if (l->state == LINK_TOLD)
		host_note(h, "right. Confirm on the new device");
	else if (l->state == LINK_HISTORY)
		host_note(h, "linked; the history goes over");
	return EXIT_OK;
}

/* ---- both ---- */

static enum exit_status
end(struct host *h, const struct linking_seen *l)
{
	switch ((int)l->state) {
	case LINK_DONE:
		if (!h->args->json)
			host_note(h, "done: %s", l->is_new ?
			    "this machine is a device of the account" :
			    "the new device is ready");
		return EXIT_OK;
	case LINK_EXPIRED:
		host_error(h, "the five minutes are over; begin anew on the "
		    "new device");
		return EXIT_REFUSED;
	case LINK_WRONG_CODE:
		host_error(h, "the code was wrong, and there is one try. Begin "
		    "anew on both devices; if you typed what was shown, "
		    "somebody stands between them");
		return EXIT_UNTRUSTED;
	case LINK_CANCELLED:
		host_error(h, "cancelled; nothing was changed");
		return EXIT_FAILED;
	case LINK_BAD_OFFER:
		host_error(h, "the server gave another offer than the new "
		    "device shows: it is lying, or the text is not whole");
		return EXIT_UNTRUSTED;
	case LINK_REFUSED:
		host_error(h, "what came from the other side is not what it "
		    "should be; nothing was linked");
		return EXIT_UNTRUSTED;
	case LINK_TAKEN:
		host_error(h, "another device was linked at the same time; "
		    "begin anew on the new device");
		return EXIT_REFUSED;
	default:
		host_error(h, "the server knows nothing of this linking any "
		    "more; begin anew on the new device");
		return EXIT_REFUSED;
	}
}

static bool
is_ready(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->ready;
}

static enum exit_status
follow(struct host *h)
{
	struct linking_seen l = { .state = LINK_NONE };
	enum exit_status st = EXIT_OK;

	while (st == EXIT_OK && l.state < LINK_DONE) {
		st = host_wait(h, has_moved, &l, 0);
		if (st != EXIT_OK)
			break;
		look(h, &l);
		track_end(h);
		if (h->args->json)
			st = put_json(&l);
		if (st == EXIT_OK && l.state < LINK_DONE)
			st = l.is_new ? step_new(h, &l) :
			    step_manager(h, &l);
	}
	/* A wrong code is told by the state, not by the command's error. */
	look(h, &l);
	if (l.state < LINK_DONE)
		return st;
	if (st != EXIT_OK && h->args->json)
		(void)put_json(&l);
	st = end(h, &l);
	return st == EXIT_OK && l.is_new ? host_wait(h, is_ready, NULL,
	    2 * host_timeout(h)) : st;
}

/* Is what this profile was still true? Its session may have ended. */
static bool
is_known(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->up || h->signed_out || h->keys_missing;
}

static enum exit_status
look_again(struct host *h)
{
	struct client_status s = { .signed_in = false };

	if (host_read(h) == OK) {
		if (client_status(&h->client, &h->query, &s) != OK)
			s.signed_in = false;
		host_read_end(h);
	}
	if (!s.signed_in || s.keys_missing || s.device == 0)
		return EXIT_OK;
	enum exit_status st = host_wait(h, is_known, NULL, host_timeout(h));
	h->signed_out = false;		/* that is what linking is for */
	return st;
}

/* What is still on its way goes out before this process ends. */
static bool
is_quiet(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->remote.n == 0;
}

static enum exit_status
begin(struct host *h, const struct args *a, const struct linking_seen *l)
{
	struct client_input in = { .type = CLIENT_LINK_NEW };
	char name[HOST_NAME_MAX + 1];
	bool under_way = l->state != LINK_NONE && l->state < LINK_DONE;

	if (a->cancel) {
		in.type = CLIENT_LINK_CANCEL;
		return host_command(h, &in);
	}
	if (under_way && (a->operand_n == 0 || !l->is_new)) {
		host_note(h, "going on with the linking that was begun");
		return EXIT_OK;
	}
	if (a->operand_n > 0) {
		in.type = CLIENT_LINK_SCAN;
		in.u.link_scan.text = span_str(a->operand[0]);
		in.u.link_scan.manager = a->manager;
		in.u.link_scan.all = a->all;
		in.u.link_scan.no_history = a->no_history;
		return host_command(h, &in);
	}
	snprintf(name, sizeof(name), "%s", a->device_name != NULL ?
	    a->device_name : "");
	if (name[0] == '\0' && gethostname(name, sizeof(name) - 1) != 0)
		snprintf(name, sizeof(name), "nightjar");
	in.u.link_new.name = span_str(name);
	return host_command(h, &in);
}

enum exit_status
cmd_link(struct host *h, const struct args *a)
{
	static const struct host_ops ops = { .on_show = track_show };
	struct linking_seen l;
	enum exit_status st = host_open(h, a, a->operand_n == 0 &&
	    !a->cancel);

	h->catch_up = a->operand_n == 0 && !a->cancel;
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_trust(h);
	if (st == EXIT_OK)
		st = host_start(h, &ops, false);
	if (st != EXIT_OK)
		return st;
	look(h, &l);
	bool is_new = a->operand_n == 0 && !a->cancel && (l.state ==
	    LINK_NONE || l.state >= LINK_DONE);
	if (is_new)
		st = look_again(h);
	if (st != EXIT_OK)
		return st;
	st = begin(h, a, &l);
	if (st != EXIT_OK)
		return st;
	if (a->cancel)
		host_note(h, "cancelled");
	else
		st = follow(h);
	if (!l.is_new)
		(void)host_wait(h, is_quiet, NULL, host_timeout(h));
	return st;
}
