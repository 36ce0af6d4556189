/*
 * host_step.c: exports host_net, host_start, host_peek, host_catch_up,
 * host_input, host_wait, host_number, host_timeout: steps of the client, their effects, and the
 * loop that turns. See host.h.
 *
 * Implementation notes: effects never run callbacks of the network at once
 * (remote, sock and stand answer in later ticks), so steps do not nest. What
 * is shown of the journal is read after the step, in a snapshot of its own:
 * the entries of other processes come out in the same way as our own.
 */
#include "cli/host.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/clean.h"
#include "crypto/openssl.h"
#include "wire/json.h"

#define OF(t, field) \
	((struct host *)(void *)((char *)(t) - offsetof(struct host, field)))
#define STEP_TRIES 3
#define HELLO_MAX 512

/* ---- the end ---- */

static void
fail(struct host *h, enum exit_status st)
{
	if (h->fatal == EXIT_OK)
		h->fatal = st;
	h->quit = true;
}

static void
fail_profile(struct host *h, enum err e)
{
	if (h->fatal != EXIT_OK)
		return;
	if (h->profile.damage != OK)
		host_error(h, "a value in %s does not open: the profile was "
		    "changed or damaged. Restore it from a backup, or move "
		    "it away and sign in anew", h->paths.db);
	else if (e == ERR_DISK_FULL)
		host_error(h, "the disk is full: nothing more can be stored "
		    "in %s", h->paths.data);
	else
		host_error(h, "the profile in %s cannot be used (%s)",
		    h->paths.data, err_text(e));
	fail(h, EXIT_PROFILE);
}

/* ---- records for the client ---- */

static enum err
load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *value_out)
{
	struct host *h = ctx;
	return profile_load(&h->profile, kind, key, a, value_out);
}

static enum err
seek(void *ctx, uint8_t kind, struct span prefix, struct span from,
    bool back, struct arena *a, struct span *key_out, struct span *value_out)
{
	struct host *h = ctx;
	return profile_seek(&h->profile, kind, prefix, from, back, a, key_out,
	    value_out);
}

/* ---- effects ---- */

static void
on_answer(void *ctx, uint64_t id, const struct remote_answer *a)
{
	struct host *h = ctx;
	struct client_input in = { .type = CLIENT_ANSWER };
	h->failed_net = a->status == 0;
	if (a->status == 0)
		h->last_end = a->why;
	if (a->status == 0 && a->why == DIAL_UNTRUSTED)
		h->blocked_trust = true;
	host_debug(h, "answer %u", (unsigned)a->status);
	in.u.answer.id = (uint32_t)id;
	in.u.answer.status = a->status;
	in.u.answer.retry_after_s = a->retry_after_s;
	in.u.answer.body = a->body;
	host_input(h, &in);
}

static void
do_request(struct host *h, const struct client_effect *f)
{
	host_debug(h, "%s %.*s", f->u.request.method,
	    (int)span_find(f->u.request.path, '?'),
	    (const char *)f->u.request.path.p);
	/* Refused here (too many wait): the client's own limit repeats it. */
	enum err e = remote_call(f->u.request.waits ? &h->slow : &h->remote,
	    f->u.request.method,
	    f->u.request.path, f->u.request.token, f->u.request.body,
	    f->u.request.id, on_answer, h);
	if (e != OK)
		host_debug(h, "the call could not be made: %s", err_text(e));
}

/* The event that a server would greet with, for stand.c. */
static struct span
make_hello(struct host *h, uint64_t after, uint8_t *mem, size_t cap)
{
	struct client_status st = { 0 };
	struct wr w = wr_init(mem, cap);
	static const uint8_t none[ID_LEN];
	if (host_read(h) != OK)
		return (struct span){ 0 };
	enum err e = client_status(&h->client, &h->query, &st);
	host_read_end(h);
	if (e != OK)
		return (struct span){ 0 };
	json_put_name(&w, "userId");
	json_put_id(&w, st.user.b);
	wr_str(&w, ",");
	json_put_name(&w, "sessionId");
	json_put_id(&w, none);
	wr_str(&w, ",\"deviceId\":");
	if (st.device != 0)
		json_put_u64(&w, st.device);
	else
		wr_str(&w, "null");
	wr_str(&w, ",\"position\":");
	json_put_u64(&w, after);
	wr_str(&w, ",\"generation\":null}");
	return wr_done(&w);
}

static void
do_connect(struct host *h, const struct client_effect *f)
{
	enum err e;
	host_debug(h, "connecting");
	if (h->live) {
		e = sock_open(&h->sock, f->u.connect.token,
		    f->u.connect.has_after, f->u.connect.after);
	} else {
		uint8_t mem[HELLO_MAX] = "{";
		struct span hello = make_hello(h, f->u.connect.after, mem + 1,
		    sizeof(mem) - 1);
		e = stand_open(&h->stand, f->u.connect.token,
		    span_of(mem, hello.n + 1));
	}
	if (e != OK)
		host_debug(h, "no connection: %s", err_text(e));
}

static void
on_wake(struct timer *t)
{
	struct client_input in = { .type = CLIENT_TIMER_FIRED };
	host_input(OF(t, wake), &in);
}

static void
do_timer(struct host *h, uint64_t at_ms)
{
	uint64_t now = sys_unix_ms();
	timer_cancel(&h->wake);
	if (at_ms != 0)
		timer_start(reactor_wheel(h->reactor), &h->wake,
		    at_ms > now ? at_ms - now : 1, on_wake);
}

/* Server's and other people's words, for a message of ours. */
static void
keep_text(char *out, size_t cap, struct span s)
{
	struct buf b;
	buf_init(&b, 4096);
	if (clean_line(span_sub(s, 0, 512), &b) == OK)
		snprintf(out, cap, "%.*s", (int)b.n, (const char *)b.p);
	buf_fini(&b);
}

static void
take_reply(struct host *h, const struct client_show *s)
{
	struct host_reply *r = &h->reply;
	if (s->cmd == 0 || s->cmd != r->cmd)
		return;
	switch (s->type) {
	case SHOW_USER:
		r->user = s->u.user.user;
		keep_text(r->name, sizeof(r->name), s->u.user.name);
		r->done = true;
		break;
	case SHOW_CHAT:
		r->chat = s->u.chat.chat;
		r->user = s->u.chat.user;
		r->done = true;
		break;
	case SHOW_DONE:
		r->done = true;
		break;
	case SHOW_ERROR:
		r->err = s->u.error.err != OK ? s->u.error.err : ERR_INTERNAL;
		keep_text(r->message, sizeof(r->message), s->u.error.message);
		r->done = true;
		break;
	case SHOW_MESSAGE: case SHOW_MARK: case SHOW_DEVICES:
	case SHOW_IDENTITY: case SHOW_RENEWED: case SHOW_WARNING: case SHOW_TYPING:
	case SHOW_PRESENCE: case SHOW_LINK: case SHOW_READY:
	case SHOW_KEYS_MISSING: case SHOW_SIGNED_OUT: case SHOW_LINKING:
	case SHOW_PROGRESS: case SHOW_BACKUP: case SHOW_PART:
	case SHOW_REVOKED: case SHOW_RENEW_DUE: case SHOW_REACTION:
	case SHOW_GONE:
	case SHOW_PIN: case SHOW_CHAT_STATE: case SHOW_SETTINGS:
	case SHOW_BLOCKED: case SHOW_FOUND:
	default:
		break;
	}
}

static void
do_show(struct host *h, const struct client_show *s)
{
	take_reply(h, s);
	if (s->type == SHOW_READY)
		h->ready = true;
	else if (s->type == SHOW_KEYS_MISSING)
		h->keys_missing = true;
	else if (s->type == SHOW_SIGNED_OUT) {
		h->signed_out = true;
		openssl_provider_forget(&h->pv);	/* keys in use */
	}
	else if (s->type == SHOW_LINK)
		h->up = s->u.link.up && s->u.link.caught_up;
	/* What is in the journal is shown from there. */
	if (s->seq == 0 && h->ops != NULL && h->ops->on_show != NULL)
		h->ops->on_show(h, s);
}

static void
do_effect(struct host *h, const struct client_effect *f)
{
	switch (f->type) {
	case CLIENT_STORE: break;	/* committed already */
	case CLIENT_REQUEST: do_request(h, f); break;
	case CLIENT_EMIT:
		if (h->live)
			sock_emit(&h->sock, f->u.emit.name, f->u.emit.json,
			    f->u.emit.ack);
		else
			stand_emit(&h->stand, f->u.emit.name, f->u.emit.json,
			    f->u.emit.ack);
		break;
	case CLIENT_CONNECT: do_connect(h, f); break;
	case CLIENT_DISCONNECT:
		if (h->live)
			sock_close(&h->sock);
		else
			stand_close(&h->stand);
		break;
	case CLIENT_SHOW: do_show(h, &f->u.show); break;
	case CLIENT_TIMER: do_timer(h, f->u.timer.at_ms); break;
	default: break;
	}
}

/* ---- the journal ---- */

static void
show_journal(struct host *h)
{
	struct client_show s;
	if (h->ops == NULL || h->ops->on_journal == NULL || !h->running)
		return;
	enum err e = host_read(h);
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_journal_next(&h->client, &h->query, &h->seq, &s);
		if (e == OK)
			h->ops->on_journal(h, &s);
		arena_wipe(&h->query, m);
	}
	if (h->reading > 0)
		host_read_end(h);
	if (e != ERR_NOT_FOUND && e != ERR_BUSY)
		fail_profile(h, e);
}

static void
idle(struct host *h)
{
	show_journal(h);
	if (h->ops != NULL && h->ops->on_idle != NULL && !h->in_step)
		h->ops->on_idle(h);
}

/* ---- steps ---- */

static enum err
store_effects(struct host *h, const struct client_effects *fx)
{
	for (const struct client_effect *f = fx->first; f != NULL;
	    f = f->next) {
		if (f->type != CLIENT_STORE)
			break;
		TRY(f->u.store.del ?
		    profile_del(&h->profile, f->u.store.kind,
		    f->u.store.key) :
		    profile_put(&h->profile, f->u.store.kind,
		    f->u.store.key, f->u.store.value));
	}
	return OK;
}

/* One transaction: everything that the step stores, or nothing. */
static enum err
transact(struct host *h, const struct client_input *in,
    struct client_effects *fx)
{
	uint64_t begin = sys_mono_us();
	TRY(profile_begin(&h->profile));
	enum err e = client_step(&h->client, &h->step, in, fx);
	h->work_us += sys_mono_us() - begin;
	h->steps++;
	if (e == OK)
		e = store_effects(h, fx);
	if (e == OK)
		return profile_commit(&h->profile);
	profile_rollback(&h->profile);
	return e;
}

static enum err
note_generation(struct host *h, uint64_t generation)
{
	if (generation <= h->seen)
		return OK;
	TRY(profile_saw(&h->profile, generation));
	h->seen = generation;
	return OK;
}

void
host_input(struct host *h, struct client_input *in)
{
	struct client_effects fx = { 0 };
	enum err e = ERR_BUSY;
	if (!h->running || h->fatal != EXIT_OK || h->in_step)
		return;
	in->now_ms = sys_unix_ms();
	h->in_step = true;
	struct arena_mark m = arena_mark(&h->step);
	/* A step that failed before its commit changed nothing: again. */
	struct client before = h->client;
	for (int i = 0; i < STEP_TRIES && e == ERR_BUSY; i++) {
		h->client = before;
		arena_wipe(&h->step, m);
		fx = (struct client_effects){ 0 };
		e = transact(h, in, &fx);
	}
	if (e == OK)
		e = note_generation(h, fx.generation);
	for (const struct client_effect *f = fx.first; e == OK && f != NULL;
	    f = f->next)
		do_effect(h, f);
	arena_wipe(&h->step, m);
	h->in_step = false;
	if (e != OK)
		fail_profile(h, e);
	else
		idle(h);
}

/* ---- the socket, or what stands in for it ---- */

static void
on_up(void *ctx)
{
	struct client_input in = { .type = CLIENT_UP };
	struct host *h = ctx;
	h->failed_net = false;
	host_debug(h, "connected");
	host_input(h, &in);
}

static void
on_event(void *ctx, struct span name, struct span json)
{
	struct client_input in = { .type = CLIENT_EVENT };
	in.u.event.name = name;
	in.u.event.json = json;
	host_debug(ctx, "event %.*s", (int)name.n, (const char *)name.p);
	host_input(ctx, &in);
}

static void
on_ack(void *ctx, uint32_t id, struct span json)
{
	struct client_input in = { .type = CLIENT_ACK };
	in.u.ack.id = id;
	in.u.ack.json = json;
	host_input(ctx, &in);
}

static void
on_down(void *ctx, struct span code, enum dial_end why)
{
	struct client_input in = { .type = CLIENT_DOWN };
	struct host *h = ctx;
	h->up = false;
	h->failed_net = true;
	h->last_end = why;
	if (why == DIAL_UNTRUSTED)
		h->blocked_trust = true;
	host_debug(h, "connection down (%d) %.*s", (int)why, (int)code.n,
	    (const char *)code.p);
	in.u.down.code = code;
	host_input(h, &in);
}

static const struct sock_ops sock_ops = {
	.on_up = on_up, .on_event = on_event, .on_ack = on_ack,
	.on_down = on_down,
};

/* ---- start ---- */

static void
on_signal(struct io *io, unsigned ready)
{
	struct host *h = OF(io, signals);
	struct signalfd_siginfo si;
	(void)ready;
	while (read(io->fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo != (uint32_t)SIGWINCH)
			h->interrupted = true;
		else if (h->ops != NULL && h->ops->on_resize != NULL)
			h->ops->on_resize(h);
	}
}

static enum err
take_signals(struct host *h)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_IO;
	h->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (h->signals.fd < 0)
		return ERR_IO;
	h->signals.on_ready = on_signal;
	return reactor_watch_level(h->reactor, &h->signals);
}

static void
on_watch(struct timer *t)
{
	struct host *h = OF(t, watch);
	uint64_t version = h->version;
	timer_start(reactor_wheel(h->reactor), t, HOST_WATCH_MS, on_watch);
	enum err e = profile_version(&h->profile, &version);
	if (e == OK && version != h->version) {
		h->version = version;
		idle(h);
	}
}

enum exit_status
host_net(struct host *h)
{
	enum err e = where_resolve(&h->where);
	if (e == ERR_FORBIDDEN) {
		host_error(h, "http:// is for this machine only: over a "
		    "network use https://");
		return EXIT_USAGE;
	}
	if (e == ERR_NOT_FOUND) {
		host_error(h, "there is no host \"%s\"; is the address (%s) "
		    "right, and this machine online?", h->where.host,
		    h->where.url);
		return EXIT_NETWORK;
	}
	if (e == OK && h->reactor == NULL) {
		sys_ignore_sigpipe();
		e = reactor_open(0, &h->reactor);
	}
	if (e != OK) {
		host_error(h, "the network cannot be used (%s)", err_text(e));
		return EXIT_FAILED;
	}
	reactor_adopt(h->reactor);
	remote_init(&h->remote, h->reactor, &h->where, host_timeout(h));
	remote_init(&h->slow, h->reactor, &h->where, host_timeout(h));
	sock_init(&h->sock, h->reactor, &h->where, &h->pv, &sock_ops, h);
	stand_init(&h->stand, &h->remote, &sock_ops, h);
	return EXIT_OK;
}

/* What the second place says; a lost one stands above any that is stored. */
static enum err
seen_before(struct host *h, uint64_t own, uint64_t *out)
{
	enum err e = profile_seen(&h->profile, out);
	if (e != ERR_NOT_FOUND)
		return e;
	*out = own > 0 ? own + 1 : 0;
	return OK;
}

enum exit_status
host_peek(struct host *h)
{
	struct client_host ch = { .ctx = h, .load = load, .seek = seek };
	struct client_status st = { 0 };
	client_init(&h->client, &h->pv, &ch, CLIENT_LISTEN |
	    (h->catch_up ? CLIENT_CATCH_UP : 0));
	enum err e = host_read(h);
	if (e == OK) {
		e = client_status(&h->client, &h->query, &st);
		if (e == OK)
			e = client_journal_last(&h->client, &h->query,
			    &h->seq);
		host_read_end(h);
	}
	if (e == OK)
		e = seen_before(h, st.generation, &h->seen);
	if (e == OK)
		e = profile_version(&h->profile, &h->version);
	if (e != OK) {
		fail_profile(h, e);
		return h->fatal;
	}
	bool enters = h->args->cmd == CMD_login ||
	    h->args->cmd == CMD_link || h->args->cmd == CMD_restore ||
	    h->args->cmd == CMD_register || h->args->cmd == CMD_account;
	/* What is here can be read by whom it belongs to, session or not. */
	if (st.signed_in || enters || h->args->offline)
		return EXIT_OK;
	if (st.revoked)
		host_error(h, "this device was taken off the account; what "
		    "it has can be read with --offline, and it may be linked "
		    "again: %s", host_hint(h, "link"));
	else
		host_error(h, "nobody is signed in on this profile; do it "
		    "with: %s", host_hint(h, "login"));
	return EXIT_SIGNED_OUT;
}

enum exit_status
host_start(struct host *h, const struct host_ops *ops, bool live)
{
	struct client_input in = { .type = CLIENT_START };
	enum exit_status st = host_peek(h);
	if (st != EXIT_OK)
		return st;
	h->ops = ops;
	h->live = live;
	/* One that stays does by the way what may take a while. */
	if (live)
		h->client.options |= CLIENT_STAYS;
	in.u.start.generation = h->seen;
	if (take_signals(h) != OK) {
		host_error(h, "signals cannot be waited for");
		return EXIT_FAILED;
	}
	h->running = true;
	host_input(h, &in);
	timer_start(reactor_wheel(h->reactor), &h->watch, HOST_WATCH_MS,
	    on_watch);
	return h->fatal;
}

/* All was fetched, and nothing of it waits for keys of its sender. */
static bool
is_caught_up(struct host *h, const void *ctx)
{
	struct client_status st = { .inbox_n = 1 };
	(void)ctx;
	/* Without keys there is nothing that could be fetched. */
	if (h->keys_missing)
		return true;
	if (!h->up || host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_status(&h->client, &h->query, &st);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e == OK && st.inbox_n == 0;
}

/* Everything that this device has to have at the server is there. */
static bool
is_settled(struct host *h, const void *ctx)
{
	struct client_status st = { .ready = false };
	(void)ctx;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_status(&h->client, &h->query, &st);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e == OK && st.ready;
}

enum exit_status
host_settle(struct host *h)
{
	return host_wait(h, is_settled, NULL, host_timeout(h));
}

enum exit_status
host_catch_up(struct host *h)
{
	return host_wait(h, is_caught_up, NULL, host_timeout(h));
}

/* ---- the loop ---- */

uint64_t
host_number(struct host *h)
{
	/* Processes that share a profile must not have one twice. */
	if (h->cmd == 0)
		h->cmd = (sys_unix_ms() << 20) + ((uint64_t)getpid() << 4);
	return ++h->cmd;
}

uint64_t
host_timeout(const struct host *h)
{
	unsigned long s = 30;
	if (h->args->timeout != NULL)
		(void)args_number(h->args->timeout, 1, 86400, &s);
	return (uint64_t)s * 1000;
}

static void
on_limit(struct timer *t)
{
	OF(t, limit)->limit_over = true;
}

static enum exit_status
why_not(struct host *h)
{
	static const char *const why[] = {
		[DIAL_UNREACHED] = "no connection",
		[DIAL_UNTRUSTED] = "its certificate is not trusted",
		[DIAL_TLS] = "TLS failed",
		[DIAL_LOST] = "the connection was lost",
		[DIAL_CLOSED] = "no answer",
	};
	host_error(h, "the server %s was not reached (%s). Is it running? "
	    "Is this machine online?", h->where.url,
	    h->failed_net ? why[h->last_end] : "no answer in time");
	return EXIT_NETWORK;
}

enum exit_status
host_wait(struct host *h, bool (*until)(struct host *h, const void *ctx),
    const void *ctx, uint64_t timeout_ms)
{
	h->limit_over = false;
	if (timeout_ms > 0)
		timer_start(reactor_wheel(h->reactor), &h->limit, timeout_ms,
		    on_limit);
	while (!until(h, ctx)) {
		if (h->fatal != EXIT_OK)
			return h->fatal;
		if (h->interrupted)
			return EXIT_INTERRUPTED;
		if (h->blocked_trust && h->running) {
			host_error(h, "the certificate of %s is not the one "
			    "that this profile trusts. If the server's "
			    "operator confirms a new one, give it with --pin",
			    h->where.url);
			return EXIT_UNTRUSTED;
		}
		if (h->blocked_trust)
			return EXIT_UNTRUSTED;
		if (h->signed_out) {
			host_error(h, "the session has ended; sign in again "
			    "with: %s", host_hint(h, "login"));
			return EXIT_SIGNED_OUT;
		}
		if (h->limit_over)
			return why_not(h);
		reactor_tick(h->reactor, 1000);
	}
	timer_cancel(&h->limit);
	return h->fatal;
}
