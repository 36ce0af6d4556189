/*
 * app.c: see app.h. It does what the host of src/cli does (host_step.c): a
 * step, its records at once, then its effects in order.
 */
#include "sim/app.h"

#include <assert.h>

#include "crypto/openssl.h"
#include "sim/wire.h"
#include "sim/world.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define ANSWER_MS 30000
#define QUERY_MAX ((size_t)64 << 20)

/* -------------------------------------------------------------- provider */

static struct provider real, ours;

/* The set of pairs that were used: by hash, open addressing. */
static struct {
	uint64_t *slot;
	size_t n, cap;
	uint64_t repeats;
} used;

static void
note_pair(uint64_t h)
{
	size_t i;

	h += h == 0;
	if (2 * (used.n + 1) > used.cap) {
		uint64_t *old = used.slot;
		size_t cap = used.cap;

		used.cap = cap ? 2 * cap : 4096;
		used.slot = calloc(used.cap, sizeof(used.slot[0]));
		assert(used.slot != NULL);
		used.n = 0;
		for (i = 0; i < cap; i++)
			if (old[i] != 0)
				note_pair(old[i]);
		free(old);
	}
	for (i = h % used.cap; used.slot[i] != 0; i = (i + 1) % used.cap) {
		if (used.slot[i] != h)
			continue;
		used.repeats++;
		return;
	}
	used.slot[i] = h;
	used.n++;
}

static enum err
seal(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	struct span parts[2] = { span_of(key, AES256_KEY_LEN),
	    span_of(nonce, GCM_NONCE_LEN) };
	uint8_t hash[SHA256_LEN];
	uint64_t h;

	TRY(real.sha256(real.ctx, parts, 2, hash));
	memcpy(&h, hash, sizeof(h));
	note_pair(h);
	return real.gcm_seal(ctx, key, nonce, ad, in, out);
}

void
app_setup(void)
{
	if (openssl_provider_open(&real) != OK)
		abort();
	ours = real;
	ours.gcm_seal = seal;
}

uint64_t
app_nonce_repeats(void)
{
	return used.repeats;
}

uint64_t
app_nonces(void)
{
	return used.n;
}

void
app_nonces_forget(void)
{
	free(used.slot);
	memset(&used, 0, sizeof(used));
}

/* --------------------------------------------------------------- records */

static enum err
load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *value_out)
{
	return records_load(((struct app *)ctx)->view, kind, key, a,
	    value_out);
}

static enum err
seek(void *ctx, uint8_t kind, struct span prefix, struct span from,
    bool back, struct arena *a, struct span *key_out, struct span *value_out)
{
	return records_seek(((struct app *)ctx)->view, kind, prefix, from,
	    back, a, key_out, value_out);
}

static void *
grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	free(p);
	return NULL;
}

/* ----------------------------------------------------------------- dying */

void
app_kill(struct app *a, bool silent)
{
	if (a->proc.dead)
		return;
	a->proc.dead = true;
	a->ended = true;
	a->device->app = NULL;
	wire_kill(&a->proc, silent);
}

/* A point at which a process may die; true: it has. */
static bool
may_die(struct app *a)
{
	if (a->die_in > 0 && --a->die_in == 0)
		app_kill(a, rng_permille(kernel_rng(), 300));
	return a->proc.dead;
}

/* --------------------------------------------------------------- effects */

static void
on_answer(void *ctx, uint64_t id, const struct remote_answer *answer)
{
	struct client_input in = { .type = CLIENT_ANSWER };

	in.u.answer.id = (uint32_t)id;
	in.u.answer.status = answer->status;
	in.u.answer.retry_after_s = answer->retry_after_s;
	in.u.answer.body = answer->body;
	app_input(ctx, &in);
}

static void
on_wake(struct timer *t)
{
	struct client_input in = { .type = CLIENT_TIMER_FIRED };
	struct app *a = (struct app *)(void *)((char *)t -
	    offsetof(struct app, wake));

	app_input(a, &in);
}

static void
do_timer(struct app *a, uint64_t at_ms)
{
	uint64_t now = sys_unix_ms();

	timer_cancel(&a->wake);
	if (at_ms != 0)
		timer_start(reactor_wheel(a->reactor), &a->wake,
		    at_ms > now ? at_ms - now : 1, on_wake);
}

static void
do_show(struct app *a, const struct client_show *s)
{
	if (s->type == SHOW_READY) {
		a->ready = true;
		if (!a->device->joined)
			a->device->joined_us = kernel_now_us();
		a->device->joined = true;
	} else if (s->type == SHOW_KEYS_MISSING) {
		a->keys_missing = true;
	} else if (s->type == SHOW_SIGNED_OUT) {
		a->signed_out = true;
	} else if (s->type == SHOW_LINK) {
		a->up = s->u.link.up;
		a->caught_up = s->u.link.up && s->u.link.caught_up;
	}
	world_shown(a->device->world, a->device, s);
}

static void
do_effect(struct app *a, const struct client_effect *f)
{
	/* What is refused here a limit of the client repeats. */
	enum err e = OK;

	if (f->type == CLIENT_REQUEST)
		e = remote_call(&a->remote, f->u.request.method,
		    f->u.request.path, f->u.request.token, f->u.request.body,
		    f->u.request.id, on_answer, a);
	else if (f->type == CLIENT_EMIT)
		sock_emit(&a->sock, f->u.emit.name, f->u.emit.json,
		    f->u.emit.ack);
	else if (f->type == CLIENT_CONNECT)
		e = sock_open(&a->sock, f->u.connect.token,
		    f->u.connect.has_after, f->u.connect.after);
	else if (f->type == CLIENT_DISCONNECT)
		sock_close(&a->sock);
	else if (f->type == CLIENT_SHOW)
		do_show(a, &f->u.show);
	else if (f->type == CLIENT_TIMER)
		do_timer(a, f->u.timer.at_ms);
	(void)e;
}

/* ----------------------------------------------------------------- steps */

static void
commit(struct app *a, const struct client_effects *fx)
{
	records r = records_ref(a->view), next;

	for (const struct client_effect *f = fx->first; f != NULL;
	    f = f->next) {
		if (f->type != CLIENT_STORE)
			break;
		next = f->u.store.del ?
		    records_del(r, f->u.store.kind, f->u.store.key) :
		    records_put(r, f->u.store.kind, f->u.store.key,
		    f->u.store.value);
		records_unref(r);
		r = next;
	}
	records_unref(a->device->disk);
	a->device->disk = r;
	a->view = r;
}

static void
show_journal(struct app *a)
{
	struct client_show s;
	enum err e = OK;

	while (e == OK) {
		struct arena_mark m = arena_mark(&a->query);

		e = client_journal_next(&a->client, &a->query,
		    &a->device->seq, &s);
		if (e == OK)
			world_journal(a->device->world, a->device, &s);
		arena_reset(&a->query, m);
	}
	if (e != ERR_NOT_FOUND)
		world_broken(a->device->world, "device %u: the journal: %s",
		    a->device->index, err_text(e));
}

static void
carry_out(struct app *a, const struct client_effects *fx)
{
	if (fx->generation > a->device->seen)
		a->device->seen = fx->generation;
	for (const struct client_effect *f = fx->first; f != NULL;
	    f = f->next) {
		if (f->type == CLIENT_STORE)
			continue;
		if (may_die(a))
			return;
		do_effect(a, f);
	}
	show_journal(a);
}

void
app_input(struct app *a, struct client_input *in)
{
	struct client_effects fx;
	struct arena_mark m;
	enum err e;

	if (a->proc.dead || a->in_step)
		return;
	a->in_step = true;
	a->view = a->device->disk;
	a->device->steps++;
	in->now_ms = sys_unix_ms();
	m = arena_mark(&a->step);
	e = client_step(&a->client, &a->step, in, &fx);
	if (e != OK) {
		world_broken(a->device->world, "device %u: step %d: %s",
		    a->device->index, (int)in->type, err_text(e));
	} else if (!may_die(a)) {
		commit(a, &fx);
		world_committed(a->device->world, a->device, in,
		    &fx);
		if (!may_die(a))
			carry_out(a, &fx);
	}
	arena_reset(&a->step, m);
	a->in_step = false;
}

/* ------------------------------------------------------------ the socket */

static void
on_up(void *ctx)
{
	struct client_input in = { .type = CLIENT_UP };

	app_input(ctx, &in);
}

static void
on_event(void *ctx, struct span name, struct span json)
{
	struct client_input in = { .type = CLIENT_EVENT };

	in.u.event.name = name;
	in.u.event.json = json;
	app_input(ctx, &in);
}

static void
on_ack(void *ctx, uint32_t id, struct span json)
{
	struct client_input in = { .type = CLIENT_ACK };

	in.u.ack.id = id;
	in.u.ack.json = json;
	app_input(ctx, &in);
}

static void
on_down(void *ctx, struct span code, enum dial_end why)
{
	struct client_input in = { .type = CLIENT_DOWN };
	struct app *a = ctx;

	(void)why;
	a->up = a->caught_up = false;
	in.u.down.code = code;
	app_input(a, &in);
}

static const struct sock_ops sock_ops = {
	.on_up = on_up, .on_event = on_event, .on_ack = on_ack,
	.on_down = on_down,
};

/* ----------------------------------------------------------- the process */

static void
init_client(struct app *a)
{
	struct client_host host = { .ctx = a, .load = load, .seek = seek };

	client_init(&a->client, &ours, &host, CLIENT_LISTEN);
	arena_init_growing(&a->step, NULL, 0, CLIENT_STEP_BYTES, grow);
	arena_init_growing(&a->query, NULL, 0, QUERY_MAX, grow);
}

static void
open_app(struct app *a)
{
	if (reactor_open(0, &a->reactor) != OK)
		abort();
	reactor_adopt(a->reactor);
	snprintf(a->where.host, sizeof(a->where.host), "10.0.0.1");
	snprintf(a->where.authority, sizeof(a->where.authority),
	    "10.0.0.1:3000");
	if (!sys_addr_decode("10.0.0.1", 3000, &a->where.addr[0]))
		abort();
	a->where.addr_n = 1;
	remote_init(&a->remote, a->reactor, &a->where, ANSWER_MS);
	sock_init(&a->sock, a->reactor, &a->where, &ours, &sock_ops, a);
	init_client(a);
}

static void
close_app(struct app *a)
{
	sock_close(&a->sock);
	remote_close(&a->remote);
	timer_cancel(&a->wake);
	/* What was posted to it meanwhile is taken, too. */
	for (int i = 0; i < 3 || a->sock.dial.running ||
	    a->remote.dial.running; i++)
		reactor_tick(a->reactor, 10);
	sock_fini(&a->sock);
	remote_fini(&a->remote);
	arena_fini(&a->step);
	arena_fini(&a->query);
	reactor_close(a->reactor);
}

static void
app_main(void *arg)
{
	struct app *a = arg;
	struct client_input in = { .type = CLIENT_START };

	open_app(a);
	in.u.start.generation = a->device->seen;
	a->view = a->device->disk;
	app_input(a, &in);
	while (!a->ended)
		reactor_tick(a->reactor, UINT64_MAX);
	a->proc.dead = true;
	wire_kill(&a->proc, false);
	close_app(a);
	free(a);
}

void
app_start(struct device *d, uint64_t die_in)
{
	struct app *a = calloc(1, sizeof(*a));

	assert(a != NULL && d->app == NULL);
	a->device = d;
	a->die_in = die_in;
	snprintf(a->proc.name, sizeof(a->proc.name), "device %u", d->index);
	a->proc.host = 10 + d->index;
	a->proc.shift_ms = d->shift_ms;
	d->app = a;
	kernel_spawn(&a->proc, a->proc.name, app_main, a);
}

/* ---------------------------------------------------------------- orders */

struct order {
	struct mail mail;
	struct app *app;
	void (*fn)(struct app *a, uint64_t n, uint64_t m);
	uint64_t n, m;
};

static void
on_order(struct reactor *r, struct mail *m)
{
	struct order *o = (struct order *)(void *)m;

	(void)r;
	if (!o->app->proc.dead)
		o->fn(o->app, o->n, o->m);
	free(o);
}

void
app_do(struct app *a, void (*fn)(struct app *a, uint64_t n, uint64_t m),
    uint64_t n, uint64_t m)
{
	struct order *o = malloc(sizeof(*o));

	assert(o != NULL && a->reactor != NULL);
	*o = (struct order){ { NULL, on_order }, a, fn, n, m };
	reactor_post(a->reactor, &o->mail);
}

/* ------------------------------------------------------------- signing up */

static void
on_registered(void *ctx, uint64_t id, const struct remote_answer *answer)
{
	struct app *a = ctx;
	struct client_input in = { .type = CLIENT_SIGNED_IN };
	struct success_rep rep = { 0 };
	struct register_rep r;
	struct arena_mark m = arena_mark(&a->query);

	(void)id;
	if (a->proc.dead)
		return;
	if (shape_decode(&shape_success_rep, answer->body, &a->query, &rep,
	    NULL) == OK && rep.success && rep.has_data &&
	    shape_decode(&shape_register_rep, rep.data, &a->query, &r,
	    NULL) == OK) {
		in.u.signed_in.user = r.user.id;
		in.u.signed_in.name = r.user.username;
		in.u.signed_in.access = r.tokens.access_token;
		in.u.signed_in.refresh = r.tokens.refresh_token;
		world_registered(a->device->world, a->device, &r.user.id);
		app_input(a, &in);
	} else {
		world_broken(a->device->world, "device %u: registering: %u "
		    "%.*s", a->device->index, answer->status,
		    (int)answer->body.n, (const char *)answer->body.p);
	}
	arena_reset(&a->query, m);
}

void
app_register(struct app *a, uint64_t account, uint64_t unused)
{
	char name[24], email[40];
	struct register_req req = { .password = span_str(WORLD_PASSWORD),
	    .has_device = true, .device.name = span_str(a->device->name) };
	struct buf body;

	(void)unused;
	snprintf(name, sizeof(name), "person%u", (unsigned)account);
	snprintf(email, sizeof(email), "person%u@example.org",
	    (unsigned)account);
	req.username = span_str(name);
	req.email = span_str(email);
	buf_init(&body, 8192);
	if (shape_encode_buf(&shape_register_req, &req, &body) != OK ||
	    remote_call(&a->remote, "POST", SPAN("/api/auth/register"),
	    (struct span){ NULL, 0 }, buf_span(&body), 0, on_registered,
	    a) != OK)
		abort();
	buf_fini(&body);
}

/* --------------------------------------------------------------- looking */

void
app_view(const struct device *d, struct app *out)
{
	memset(out, 0, sizeof(*out));
	init_client(out);
	out->view = d->disk;
}

void
app_view_end(struct app *a)
{
	arena_fini(&a->step);
	arena_fini(&a->query);
}
