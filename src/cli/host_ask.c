/*
 * host_ask.c: exports host_read, host_read_end, host_command, host_call,
 * host_fetch, host_find, host_find_fresh, host_chat, host_open_reader:
 * commands to the client and the server, and queries. See host.h.
 */
#include "cli/host.h"

#include "cli/clean.h"

enum err
host_read(struct host *h)
{
	if (h->reading == 0 && !h->profile.open)
		TRY(profile_begin_read(&h->profile));
	h->reading++;
	return OK;
}

void
host_read_end(struct host *h)
{
	if (--h->reading == 0)
		profile_rollback(&h->profile);
}

/* Another process of the profile may have sent it, and heard the answer. */
static bool
is_gone(struct host *h)
{
	bool waits = true;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	if (client_waits_for(&h->client, &h->query, h->reply.cmd, &waits) !=
	    OK)
		waits = true;
	arena_wipe(&h->query, m);
	host_read_end(h);
	return !waits;
}

static bool
is_answered(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->reply.done || (h->kept && is_gone(h));
}

/* Commands whose effect is kept until the server has it. */
static bool
is_kept(const struct client_input *in)
{
	return in->type == CLIENT_EDIT || in->type == CLIENT_DELETE ||
	    in->type == CLIENT_REACT || in->type == CLIENT_PIN ||
	    in->type == CLIENT_TIMER_SET || in->type == CLIENT_CHAT_SET ||
	    in->type == CLIENT_BLOCK || in->type == CLIENT_REPORT ||
	    in->type == CLIENT_SETTINGS;
}

static const char *
subject(const struct host *h)
{
	return h->subject != NULL ? h->subject : "this person";
}

/* What the client or the server said no to, and what helps. */
static enum exit_status
explain(struct host *h)
{
	const struct host_reply *r = &h->reply;
	const char *more = r->message[0] != '\0' ? r->message :
	    err_text(r->err);
	switch ((int)r->err) {
	case ERR_NO_KEY: case ERR_UNTRUSTED:
		host_error(h, "the keys of this account are not on this "
		    "machine; see: %s", host_hint(h, "help login"));
		return EXIT_UNTRUSTED;
	case ERR_IDENTITY_CHANGED:
		host_error(h, "the identity of %s has changed. Compare the "
		    "safety number (%s) and confirm it; until then the "
		    "message waits here", subject(h), host_hint(h,
		    "verify %s", h->subject != NULL ? h->subject : "NAME"));
		return EXIT_UNTRUSTED;
	case ERR_BLOCKED:
		host_error(h, "you have blocked %s; see: %s", subject(h),
		    host_hint(h, "help unblock"));
		return EXIT_REFUSED;
	case ERR_RATE_LIMITED: case ERR_BUSY: case ERR_UNAVAILABLE:
		host_error(h, "the server has no room now (%s); try again "
		    "in a while", more);
		return EXIT_REFUSED;
	case ERR_NOT_FOUND:
		if (h->subject != NULL)
			host_error(h, "there is no person called \"%.64s\"",
			    h->subject);
		else
			host_error(h, "%s", more);
		return EXIT_REFUSED;
	default:
		host_error(h, "%s", more);
		return err_status(r->err) == 0 ? EXIT_UNTRUSTED :
		    EXIT_REFUSED;
	}
}

enum exit_status
host_command(struct host *h, struct client_input *in)
{
	h->reply = (struct host_reply){ .cmd = host_number(h) };
	in->cmd = h->reply.cmd;
	host_input(h, in);
	h->kept = is_kept(in);
	enum exit_status st = host_wait(h, is_answered, NULL,
	    host_timeout(h));
	if (st == EXIT_OK && h->reply.err != OK)
		return explain(h);
	return st;
}

/* ---- REST calls of the host's own ---- */

/* An answer to a call that was given up is not looked at. */
static void
on_own(void *ctx, uint64_t id, const struct remote_answer *a)
{
	struct host *h = ctx;
	struct host_own *c = &h->own;
	if (c->id != id || c->body == NULL)
		return;
	c->done = true;
	c->status = a->status;
	c->why = a->why;
	c->written = a->written;
	c->err = buf_add_span(c->body, a->body);
}

static bool
is_done(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->own.done;
}

/* Waits for the call that was made as h->own. */
static enum exit_status
own_end(struct host *h, uint32_t *status_out)
{
	struct host_own *c = &h->own;
	/* remote.c answers within its own limit, which is --timeout. */
	enum exit_status st = host_wait(h, is_done, NULL, 0);
	c->body = NULL;
	if (!c->done)
		return st;
	if (c->status == 0 && c->why == DIAL_UNTRUSTED)
		return EXIT_UNTRUSTED;
	if (c->status == 0) {
		host_error(h, "the server %s was not reached. Is it running? "
		    "Is this machine online?", h->where.url);
		return EXIT_NETWORK;
	}
	*status_out = c->status;
	return c->err == OK ? EXIT_OK : EXIT_FAILED;
}

enum exit_status
host_call(struct host *h, const char *method, struct span path,
    struct span token, struct span json, uint32_t *status_out,
    struct buf *body)
{
	struct host_own *c = &h->own;
	*c = (struct host_own){ .id = host_number(h), .body = body };
	if (remote_call(&h->remote, method, path, token, json, c->id, on_own,
	    h) != OK) {
		host_error(h, "the request could not be made");
		return EXIT_FAILED;
	}
	return own_end(h, status_out);
}

enum exit_status
host_fetch(struct host *h, struct span path, struct span token, int fd,
    uint32_t *status_out, struct buf *body, uint64_t *bytes_out)
{
	struct host_own *c = &h->own;
	*c = (struct host_own){ .id = host_number(h), .body = body };
	if (remote_fetch(&h->remote, path, token, fd, c->id, on_own, h) !=
	    OK) {
		host_error(h, "the request could not be made");
		return EXIT_FAILED;
	}
	enum exit_status st = own_end(h, status_out);
	*bytes_out = c->written;
	return st;
}

/* ---- people ---- */

static enum err
known(struct host *h, struct span name, struct client_person *out)
{
	TRY(host_read(h));
	enum err e = client_person_by_name(&h->client, &h->query, name, out);
	host_read_end(h);
	return e;
}

enum exit_status
host_find(struct host *h, const char *name, struct client_person *out)
{
	struct client_input in = { .type = CLIENT_FIND,
	    .u.name = span_str(name) };
	h->subject = name;
	if (known(h, in.u.name, out) == OK)
		return EXIT_OK;
	if (!h->running) {
		host_error(h, "nobody called \"%s\" is known here", name);
		return EXIT_FAILED;
	}
	enum exit_status st = host_command(h, &in);
	if (st != EXIT_OK)
		return st;
	memset(out, 0, sizeof(*out));
	if (known(h, in.u.name, out) != OK) {
		out->user = h->reply.user;
		out->name = span_str(h->reply.name);
	}
	return EXIT_OK;
}

/* Fetches the person's device list anew, unless --offline. */
static enum exit_status
refresh(struct host *h, const struct user_id *user)
{
	struct client_input in = { .type = CLIENT_CHECK, .u.user = *user };
	return h->args->offline ? EXIT_OK : host_command(h, &in);
}

/* NAME as given, with what is known after refreshing it. */
enum exit_status
host_find_fresh(struct host *h, const char *name, struct client_person *out)
{
	enum exit_status st = host_find(h, name, out);
	if (st == EXIT_OK)
		st = refresh(h, &out->user);
	if (st != EXIT_OK)
		return st;
	enum err e = host_read(h);
	if (e == OK) {
		struct user_id user = out->user;
		e = client_person(&h->client, &h->query, &user, out);
		host_read_end(h);
	}
	if (e == OK)
		return EXIT_OK;
	host_error(h, "nothing is known of \"%s\" (%s)", name, err_text(e));
	return EXIT_FAILED;
}

enum exit_status
host_chat(struct host *h, const struct user_id *user, struct chat_id *out)
{
	struct client_input in = { .type = CLIENT_OPEN, .u.user = *user };
	enum exit_status st = host_command(h, &in);
	if (st == EXIT_OK)
		*out = h->reply.chat;
	return st;
}

enum exit_status
host_open_reader(struct host *h, const struct args *a,
    const struct host_ops *ops)
{
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK && a->offline)
		return host_peek(h);
	if (st == EXIT_OK)
		st = host_net(h);
	h->catch_up = true;
	if (st == EXIT_OK)
		st = host_start(h, ops, false);
	return st == EXIT_OK ? host_catch_up(h) : st;
}
