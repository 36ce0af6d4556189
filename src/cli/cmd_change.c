/*
 * cmd_change.c: exports cmd_edit, cmd_delete, cmd_react, cmd_pin, cmd_timer,
 * cmd_read: what is done to messages that are there.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"
#include "cli/tty.h"

/* Person and message of the first two operands. */
static enum exit_status
pick_both(struct host *h, const struct args *a, struct client_person *p,
    struct client_ref *ref)
{
	enum exit_status st = pick_person(h, a, p);
	return st == EXIT_OK ? pick_message(h, p, a->operand[1], ref) : st;
}

/* Gives the command; what it is about is a message from here on. */
static enum exit_status
run(struct host *h, struct client_input *in)
{
	h->subject = NULL;
	enum exit_status st = host_command(h, in);
	if (st == EXIT_NETWORK)
		host_error(h, "it waits in this profile and is sent by its "
		    "next command that reaches the server");
	return st;
}

static enum exit_status
refused(struct host *h, enum exit_status st, const char *forbidden,
    const char *expired)
{
	if (h->reply.err == ERR_FORBIDDEN)
		host_note(h, "%s", forbidden);
	else if (h->reply.err == ERR_EXPIRED && expired != NULL)
		host_note(h, "%s", expired);
	return st;
}

enum exit_status
cmd_edit(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_EDIT };
	struct client_person p;
	struct buf text;
	buf_init(&text, CLIENT_TEXT_MAX);
	enum exit_status st = pick_text(h, a, 2, &text);
	if (st == EXIT_OK)
		st = pick_both(h, a, &p, &in.u.edit.ref);
	if (st == EXIT_OK) {
		in.u.edit.text = buf_span(&text);
		st = refused(h, run(h, &in),
		    "only your own messages can be edited",
		    "a message can be edited for 24 hours");
	}
	if (text.p != NULL)
		wipe(text.p, text.n);
	buf_fini(&text);
	return st;
}

enum exit_status
cmd_delete(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_DELETE };
	struct client_person p;
	enum exit_status st = pick_both(h, a, &p, &in.u.erase.ref);
	if (st != EXIT_OK)
		return st;
	in.u.erase.for_both = a->both;
	return refused(h, run(h, &in),
	    "only your own messages can be taken back for both; without "
	    "--both it is deleted for you", NULL);
}

enum exit_status
cmd_react(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_REACT };
	struct client_person p;
	enum exit_status st = pick_both(h, a, &p, &in.u.react.ref);
	if (st != EXIT_OK)
		return st;
	if (a->operand_n > 2)
		in.u.react.text = span_str(a->operand[2]);
	return run(h, &in);
}

/* ---- pins ---- */

static enum exit_status
failed(struct host *h, enum err e)
{
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

static enum err
print_item(struct host *h, const struct client_ref *ref, struct buf *out)
{
	struct client_item it;
	enum err e = client_item(&h->client, &h->query, &ref->sender,
	    &ref->event, &it);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	TRY(h->args->json ? show_item_json(h, &it, out) :
	    show_item(h, &it, tty_columns(), out));
	return show_line(out);
}

static enum err
list_pins(struct host *h, const struct chat_id *chat)
{
	struct client_ref after = { .event = { { 0 } } };
	struct client_pin pin;
	struct buf out;
	buf_init(&out, (size_t)1 << 20);
	enum err e = host_read(h);
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_pin_next(&h->client, &h->query, chat, &after, &pin);
		if (e == OK)
			e = print_item(h, &pin.to, &out);
		arena_wipe(&h->query, m);
	}
	host_read_end(h);
	buf_fini(&out);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum exit_status
cmd_pin(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_PIN };
	struct client_person p;
	struct chat_id chat;
	if (a->chat && a->operand_n > 1) {
		host_error(h, "--chat is about the chat: give no id");
		return EXIT_USAGE;
	}
	if (a->chat)
		return cmd_pin_chat(h, a);
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK)
		st = pick_chat(h, &p, &chat);
	if (st == EXIT_OK && a->operand_n == 1)
		return failed(h, list_pins(h, &chat));
	if (st == EXIT_OK)
		st = pick_message(h, &p, a->operand[1], &in.u.pin.ref);
	in.u.pin.on = !a->off;
	return st == EXIT_OK ? run(h, &in) : st;
}

/* ---- timer ---- */

static enum err
print_timer(struct host *h, const struct chat_id *chat)
{
	struct client_chat c;
	struct buf out;
	char text[64];
	TRY(host_read(h));
	enum err e = client_chat(&h->client, &h->query, chat, &c);
	host_read_end(h);
	TRY(e);
	buf_init(&out, 256);
	if (h->args->json)
		snprintf(text, sizeof(text), "{\"expiresIn\":%u}",
		    (unsigned)c.expire_s);
	else if (c.expire_s == 0)
		snprintf(text, sizeof(text), "off");
	else
		snprintf(text, sizeof(text), "%us", (unsigned)c.expire_s);
	e = buf_add_str(&out, text);
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	return e;
}

enum exit_status
cmd_timer(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_TIMER_SET };
	struct client_person p;
	struct chat_id chat;
	uint32_t seconds = 0;
	if (a->operand_n > 1 && !pick_seconds(a->operand[1], &seconds)) {
		host_error(h, "\"%.40s\" is no time: 30s, 5m, 2h, 7d, 4w (at "
		    "most a year), or off", a->operand[1]);
		return EXIT_USAGE;
	}
	enum exit_status st = pick_person(h, a, &p);
	if (st == EXIT_OK && a->operand_n == 1) {
		st = pick_chat(h, &p, &chat);
		return st == EXIT_OK ? failed(h, print_timer(h, &chat)) : st;
	}
	if (st == EXIT_OK)
		st = host_chat(h, &p.user, &chat);
	if (st != EXIT_OK)
		return st;
	in.u.expire.to.user = p.user;
	in.u.expire.expire_s = seconds;
	return run(h, &in);
}

/* ---- read ---- */

/* The server has the mark; the client says it until then. */
static bool
is_said(struct host *h, const void *ctx)
{
	const struct chat_id *chat = ctx;
	struct client_chat c;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	bool said = client_chat(&h->client, &h->query, chat, &c) == OK &&
	    c.said >= c.read;
	arena_wipe(&h->query, m);
	host_read_end(h);
	return said;
}

static bool
is_up(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->up;
}

enum exit_status
cmd_read(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_READ };
	struct client_person p;
	struct chat_id chat;
	struct client_ref ref;
	struct client_item it = { .position = 0 };
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)	/* marks go by a socket */
		st = host_start(h, NULL, true);
	if (st == EXIT_OK)
		st = host_wait(h, is_up, NULL, host_timeout(h));
	if (st == EXIT_OK)
		st = host_find(h, a->operand[0], &p);
	if (st == EXIT_OK)
		st = pick_chat(h, &p, &chat);
	if (st == EXIT_OK && a->operand_n > 1)
		st = pick_message(h, &p, a->operand[1], &ref);
	if (st == EXIT_OK && a->operand_n > 1 && host_read(h) == OK) {
		if (client_item(&h->client, &h->query, &ref.sender,
		    &ref.event, &it) != OK)
			st = EXIT_FAILED;
		host_read_end(h);
	}
	if (st != EXIT_OK)
		return st;
	in.u.read.chat = chat;
	in.u.read.position = it.position;
	st = host_command(h, &in);
	return st == EXIT_OK ? host_wait(h, is_said, &chat, host_timeout(h)) :
	    st;
}
