/*
 * cmd_login.c: exports cmd_login, cmd_register, cmd_logout: the session.
 */
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/signin.h"
#include "cli/tty.h"

/* Profile, server, its certificate; then who. */
static enum exit_status
prepare(struct host *h, const struct args *a, bool is_new, struct signin *s)
{
	enum exit_status st = host_open(h, a, true);
	if (st == EXIT_OK && is_new && h->account.name[0] != '\0') {
		host_error(h, "this profile has the account %s already; make "
		    "another one with --profile NAME", h->account.name);
		return EXIT_FAILED;
	}
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_trust(h);
	if (st == EXIT_OK)
		st = signin_ask(h, is_new, s);
	if (st == EXIT_OK)
		st = host_start(h, NULL, false);
	return st;
}

/* Where the terminal is asked, a refused answer is asked for once more. */
static enum exit_status
enter(struct host *h, bool is_new, struct signin *s)
{
	enum exit_status st = signin_enter(h, is_new, s);
	if (st == EXIT_REFUSED && s->pending && tty_ask_yes("Keep the account "
	    "after all? [yes/no] ")) {
		s->cancels = true;
		st = signin_enter(h, is_new, s);
	}
	for (int i = 1; st == EXIT_REFUSED && !s->waits && !s->pending &&
	    i < SIGNIN_TRIES; i++) {
		st = signin_ask_again(h, is_new, s);
		if (st == EXIT_OK)
			st = signin_enter(h, is_new, s);
	}
	return st;
}

enum exit_status
cmd_register(struct host *h, const struct args *a)
{
	struct signin s = { 0 };
	enum exit_status st = prepare(h, a, true, &s);
	if (st == EXIT_OK)
		st = enter(h, true, &s);
	signin_wipe(&s);
	return st == EXIT_OK ? signin_tell(h, true) : st;
}

/* The account's keys are elsewhere: say what that means, and ask. */
static enum exit_status
start_over(struct host *h, const struct signin *s)
{
	struct client_input in = { .type = CLIENT_START_OVER };
	host_note(h, "signed in, but the keys of this account are not in this "
	    "profile. Without them nothing can be read or sent here.\n"
	    "If another device of yours still has them, link this one to it "
	    "(nightjar link). If you have a backup, restore it (nightjar "
	    "restore). If they are gone for good you can start over:\n"
	    "  - this device gets new keys, all other sessions end;\n"
	    "  - your contacts are told that your identity changed;\n"
	    "  - messages sent so far stay unreadable.");
	if (!h->args->start_over &&
	    !tty_ask_yes("Start over with new keys? [yes/no] ")) {
		host_error(h, "nothing was changed. Link this machine, restore "
		    "a backup, or start over: %s", host_hint(h, "link | "
		    "restore | login --start-over"));
		return EXIT_UNTRUSTED;
	}
	h->keys_missing = false;
	in.u.password = span_of(s->password, s->password_n);
	enum exit_status st = host_command(h, &in);
	if (st == EXIT_OK && !h->ready)
		st = signin_settle(h);
	return st;
}

enum exit_status
cmd_login(struct host *h, const struct args *a)
{
	struct signin s = { 0 };
	enum exit_status st = prepare(h, a, false, &s);
	if (st == EXIT_OK)
		st = enter(h, false, &s);
	if (st == EXIT_OK && h->keys_missing)
		st = start_over(h, &s);
	signin_wipe(&s);
	return st == EXIT_OK ? signin_tell(h, false) : st;
}

static bool
is_out(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->reply.done || h->signed_out;
}

static enum exit_status
forget(struct host *h, const struct args *a)
{
	if (!a->yes && !tty_ask_yes("Erase the keys and messages of this "
	    "profile for good? [yes/no] ")) {
		host_error(h, "nothing was erased (--yes answers the question "
		    "in scripts)");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

enum exit_status
cmd_logout(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_LOGOUT };
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK && a->forget)
		st = forget(h, a);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_start(h, NULL, false);
	if (st == EXIT_OK) {
		h->reply = (struct host_reply){ .cmd = host_number(h) };
		in.cmd = h->reply.cmd;
		host_input(h, &in);
		st = host_wait(h, is_out, NULL, host_timeout(h));
	}
	/* Nobody signed in: then there is nothing to end, only to erase. */
	if (st != EXIT_OK && !(st == EXIT_SIGNED_OUT && a->forget))
		return st;
	if (a->forget) {
		struct profile_paths at = h->paths;
		host_close(h);
		h->args = a;
		if (profile_erase(&at) != OK) {
			host_error(h, "some files of the profile could not be "
			    "removed: %s", at.data);
			return EXIT_PROFILE;
		}
	}
	host_note(h, a->forget ? "signed out, and the profile is erased" :
	    "signed out; the profile stays on this machine");
	return EXIT_OK;
}
