/*
 * test_world.h: for tests only: clients with their profiles, the server of
 * test_server.h, and a network between them that delays, reorders, doubles and
 * loses, on a clock of its own; processes die between any two effects. One
 * seed gives one run. Included by client_test.c and client_fuzz.c.
 */
#ifndef CLIENT_TEST_WORLD_H
#define CLIENT_TEST_WORLD_H

#include <stdio.h>

#include "client/outbox.h"
#include "client/test_server.h"

/* ------------------------------------------------------------- clients */

static void fake_step(struct fake *f, int i, struct client_input *in);

static inline void
fake_do_request(struct fake *f, struct arena *a, int i,
    const struct client_effect *e)
{
	struct fake_node *n = &f->node[i];
	struct fake_action *act;
	struct span data;
	struct wr w;
	uint32_t status = 200;

	if (e->u.request.token.n != 0 && !span_eq(e->u.request.token,
	    span_str(n->token))) {
		status = 401;
		data = SPAN("");
	} else {
		data = fake_rest(f, a, i, e->u.request.path,
		    e->u.request.body);
		if (data.n == 0)
			status = f->status != 0 ? f->status : 404;
		f->status = 0;
	}
	act = fake_later(f, ACT_ANSWER, i, 1 + fake_rnd(f, 20));
	act->id = e->u.request.id;
	act->link = n->life;
	if (fake_rnd(f, 100) < f->lose_answer)
		status = 0;
	act->status = status;
	w = wr_init(arena_bytes(a, data.n + 128), data.n + 128);
	if (status == 200) {
		wr_str(&w, "{\"success\":true,\"data\":");
		wr_span(&w, data);
		wr_str(&w, "}");
	} else if (status != 0) {
		wr_str(&w, "{\"success\":false,\"error\":{\"code\":\"");
		wr_str(&w, status == 401 ? "token_expired" :
		    status == 404 ? "not_found" : status == 409 &&
		    span_starts(e->u.request.path, SPAN("/api/settings")) ?
		    "conflict" :
		    status == 400 ? "validation_failed" : span_starts(
		    e->u.request.path, SPAN("/api/devices")) ? "conflict" :
		    "list_conflict");
		wr_str(&w, "\",\"message\":\"\"}}");
	}
	act->json = fake_text(wr_done(&w));
}

static inline void
fake_cut(struct fake *f, int i)
{
	struct fake_action *a;

	f->node[i].up = false;
	f->node[i].link++;
	a = fake_later(f, ACT_DOWN, i, 1);
	a->link = f->node[i].life;
}

static inline void
fake_do_emit(struct fake *f, struct arena *a, int i,
    const struct client_effect *e)
{
	struct fake_node *n = &f->node[i];
	struct fake_action *act;
	struct span ack;

	if (!n->up)
		return;
	if (fake_rnd(f, 1000) < f->cut) {
		/* Before the server had it, or just after. */
		if (fake_rnd(f, 2) == 0 && span_eq(e->u.emit.name,
		    SPAN("message:send")))
			(void)fake_take_message(f, a, i, e->u.emit.json);
		fake_cut(f, i);
		return;
	}
	if (span_eq(e->u.emit.name, SPAN("typing:start")))
		n->typings++;
	if (span_eq(e->u.emit.name, SPAN("message:edit")))
		ack = fake_take_edit(f, a, i, e->u.emit.json);
	else if (span_eq(e->u.emit.name, SPAN("message:send")))
		ack = fake_take_message(f, a, i, e->u.emit.json);
	else if (span_eq(e->u.emit.name, SPAN("message:read")))
		ack = fake_take_read(f, a, i, e->u.emit.json);
	else
		return;
	act = fake_later(f, ACT_ACK, i, 1 + fake_rnd(f, 5));
	act->id = e->u.emit.ack;
	act->link = n->link;
	act->json = fake_text(ack);
}

static inline void
fake_do_connect(struct fake *f, struct arena *a, int i,
    const struct client_effect *e)
{
	struct fake_node *n = &f->node[i];
	struct acknowledged_ev ev = { .user_id = n->user,
	    .has_device_id = n->bound, .device_id = n->device,
	    .position = f->position };
	struct fake_action *act;
	struct sync_event_rec missed;
	uint64_t in_ms = 2, after = e->u.connect.after;
	char *name;
	size_t k;

	n->link++;
	n->up = true;
	memcpy(ev.session_id.b, n->user.b, ID_LEN);
	act = fake_later(f, ACT_UP, i, 1);
	act->link = n->link;
	fake_send_event(f, i, "connection:acknowledged",
	    fake_json(a, &shape_acknowledged_ev, &ev), in_ms++);
	for (k = 0; k < (size_t)f->chats && !f->silent; k++)
		if (f->chat[k].made > e->u.connect.after &&
		    (f->chat[k].a == i || f->chat[k].b == i))
			fake_send_event(f, i, "chat:created",
			    fake_created(f, a, (int)k), in_ms++);
	while (!f->silent && fake_next_event(f, a, i, after, &missed)) {
		after = missed.position;
		if (in_ms > 300) {	/* as the server's 1,000 */
			fake_send_event(f, i, "sync:now",
			    SPAN("{\"position\":1}"), in_ms);
			break;
		}
		name = fake_text(missed.event);
		fake_send_event(f, i, name, missed.data, in_ms++);
		fake_drop(name);
	}
}

static inline void
fake_do_show(struct fake *f, int i, const struct client_show *show)
{
	struct fake_node *n = &f->node[i];

	(void)f;
	if (show->type == SHOW_READY)
		n->ready++;
	if (show->type == SHOW_LINK)
		n->caught_up = show->u.link.up && show->u.link.caught_up;
	if (show->type == SHOW_ERROR) {
		n->errors++;
		n->error = show->u.error.err;
	}
	if (show->type == SHOW_DONE)
		n->dones++;
	if (show->type == SHOW_WARNING)
		n->warnings++;
	if (show->type == SHOW_MESSAGE && show->u.item.kind == ITEM_REFUSED)
		n->refused++;
	if (show->type == SHOW_MESSAGE &&
	    (show->u.item.flags & ITEM_REPAIRED))
		n->repaired++;
}

static inline void
fake_die(struct fake *f, int i)
{
	struct fake_node *n = &f->node[i];

	n->alive = n->up = false;
	n->link++;
	n->life++;
	n->crashes++;
	(void)fake_later(f, ACT_START, i, 50 + fake_rnd(f, 2000));
}

/* Carries out the effects in order; may die between any two. */
static inline void
fake_carry_out(struct fake *f, struct arena *a, int i,
    const struct client_effect *e)
{
	struct fake_node *n = &f->node[i];

	if (fake_rnd(f, 1000) < f->crash) {	/* before the commit */
		fake_die(f, i);
		return;
	}
	for (; e != NULL && e->type == CLIENT_STORE; e = e->next)
		fake_put(&n->store, e->u.store.kind, e->u.store.del,
		    e->u.store.key, e->u.store.value);
	for (; e != NULL; e = e->next) {
		if (fake_rnd(f, 1000) < f->crash) {
			fake_die(f, i);
			return;
		}
		switch (e->type) {
		case CLIENT_REQUEST:
			fake_do_request(f, a, i, e);
			break;
		case CLIENT_EMIT:
			fake_do_emit(f, a, i, e);
			break;
		case CLIENT_CONNECT:
			fake_do_connect(f, a, i, e);
			break;
		case CLIENT_DISCONNECT:
			n->up = false;
			n->link++;
			break;
		case CLIENT_SHOW:
			fake_do_show(f, i, &e->u.show);
			break;
		case CLIENT_TIMER:
			n->timer = e->u.timer.at_ms;
			if (n->timer != 0)
				n->timer -= (uint64_t)n->skew_ms;
			break;
		case CLIENT_STORE:
			abort();	/* all of them come first */
		}
	}
}

static inline void *
fake_grow(void *p, size_t n)
{
	if (p != NULL) {
		free(p);
		return NULL;
	}
	return malloc(n);
}

static inline void
fake_step(struct fake *f, int i, struct client_input *in)
{
	struct fake_node *n = &f->node[i];
	struct client_effects out;
	struct arena a;
	enum err err;

	if (!n->alive)
		return;
	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	in->now_ms = f->now + (uint64_t)n->skew_ms;
	err = client_step(&n->c, &a, in, &out);
	if (err != OK) {
		fprintf(stderr, "client_step: %s\n", err_name(err));
		abort();
	}
	fake_carry_out(f, &a, i, out.first);
	arena_fini(&a);
}

static inline void
fake_start(struct fake *f, int i)
{
	struct fake_node *n = &f->node[i];
	struct client_host host = { &n->store, fake_load, fake_seek };
	struct client_input in = { .type = CLIENT_START };

	client_init(&n->c, &f->pv, &host,
	    n->options != 0 ? n->options : CLIENT_LISTEN);
	n->alive = true;
	n->timer = 0;
	fake_step(f, i, &in);
}

static inline void
fake_act(struct fake *f, struct fake_action *a)
{
	struct fake_node *n = &f->node[a->node];
	struct client_input in = { .type = CLIENT_UP };

	switch (a->type) {
	case ACT_START:
		fake_start(f, a->node);
		return;
	case ACT_ANSWER:
		if (a->link != n->life)
			return;
		in.type = CLIENT_ANSWER;
		in.u.answer.id = a->id;
		in.u.answer.status = a->status;
		in.u.answer.body = span_str(a->json);
		break;
	case ACT_EVENT:
		if (a->link != n->link || !n->up)
			return;
		in.type = CLIENT_EVENT;
		in.u.event.name = span_str(a->name);
		in.u.event.json = span_str(a->json);
		break;
	case ACT_ACK:
		if (a->link != n->link)
			return;
		in.type = CLIENT_ACK;
		in.u.ack.id = a->id;
		in.u.ack.json = span_str(a->json);
		break;
	case ACT_UP:
		if (a->link != n->link)
			return;
		break;
	case ACT_DOWN:
		if (a->link != n->life)
			return;
		in.type = CLIENT_DOWN;
		break;
	case ACT_TIMER:
		in.type = CLIENT_TIMER_FIRED;
		break;
	}
	fake_step(f, a->node, &in);
}

/* Runs the earliest of what is due up to `until`; false: nothing is. */
static inline bool
fake_run_one(struct fake *f, uint64_t until)
{
	struct fake_action a = { .at = until + 1 };
	size_t i, best = f->acts;
	int k, node = -1;

	for (i = 0; i < f->acts; i++)
		if (f->act[i].at < a.at || (best != f->acts &&
		    f->act[i].at == a.at && f->act[i].order < a.order)) {
			best = i;
			a = f->act[i];
		}
	for (k = 0; k < FAKE_NODES; k++)
		if (f->node[k].alive && f->node[k].timer != 0 &&
		    f->node[k].timer < a.at) {
			node = k;
			a = (struct fake_action){ .type = ACT_TIMER,
			    .node = k, .at = f->node[k].timer };
		}
	if (a.at > until)
		return false;
	if (node >= 0)
		f->node[node].timer = 0;
	else
		f->act[best] = f->act[--f->acts];
	if (a.at > f->now)
		f->now = a.at;
	fake_act(f, &a);
	fake_drop(a.name);
	fake_drop(a.json);
	return true;
}

static inline void
fake_run(struct fake *f, uint64_t ms)
{
	uint64_t until = f->now + ms;

	while (fake_run_one(f, until))
		;
	f->now = until;
}

static inline void
fake_sign_in(struct fake *f, int i)
{
	struct fake_node *n = &f->node[i];
	struct client_input in = { .type = CLIENT_SIGNED_IN, .cmd = 1 };

	fake_new_token(f, i);
	in.u.signed_in.user = n->user;
	in.u.signed_in.name = span_str(n->name);
	in.u.signed_in.access = span_str(n->token);
	in.u.signed_in.refresh = SPAN("refresh");
	fake_step(f, i, &in);
}

/* Event and entry of a control event that no client of ours would make. */
static inline void
fake_forge(struct fake *f, struct step *s, struct out *o)
{
	struct content_place place = { .is_group = false };
	struct content_sender from = { s->m.user, s->m.device };
	struct event e = { .kind = o->kind, .time_ms = f->now,
	    .body = o->body, .target = o->target };
	struct wr w, c;

	e.has = o->body.n != 0 ? EVENT_HAS_BODY : 0;
	if (!ID_IS_ZERO(o->target))
		e.has |= EVENT_HAS_TARGET;
	if (content_conv_direct(s->pv, &s->m.user, &o->user,
	    &place.conv) != OK || step_wr(s, 4096, &w) != OK ||
	    step_wr(s, 8192, &c) != OK)
		abort();
	e.id = o->event;
	e.conv = place.conv;
	if (event_encode(&e, &w) != OK || content_seal(s->pv, &place, &from,
	    wr_done(&w), &c, &o->env, o->nonce) != OK ||
	    sessions_seal(&s->core, &o->only, SPAN_OF(o->env.b),
	    &o->entries[0].bytes, NULL) != OK)
		abort();
	o->c = wr_done(&c);
	o->n = 1;
	o->entries[0].to = o->only;
}

/* A device says what our client never would, on its genuine session. */
static inline void
fake_control(struct fake *f, int from, int to, uint8_t kind,
    const struct event_id *target, struct span body)
{
	struct address dev = { f->node[to].user, f->node[to].device };
	struct out o = { .kind = kind, .user = dev.account, .only = dev,
	    .body = body };
	struct client_effects out;
	struct span json;
	struct arena a;
	struct step s;
	int i;

	for (i = 0; i < f->chats; i++)
		if ((f->chat[i].a == from && f->chat[i].b == to) ||
		    (f->chat[i].a == to && f->chat[i].b == from))
			o.chat = f->chat[i].id;
	if (target != NULL)
		o.target = *target;
	for (i = 0; i < ID_LEN; i++)
		o.event.b[i] = (uint8_t)fake_rnd(f, 256);
	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	if (step_init(&s, &f->node[from].c, &a, f->now, true) != OK)
		abort();
	fake_forge(f, &s, &o);
	if (seal_json(&s, &o, &json) != OK || step_end(&s, &out) != OK)
		abort();
	fake_carry_out(f, &a, from, out.first);
	(void)fake_take_message(f, &a, from, json);
	step_fini(&s);
	arena_fini(&a);
}

static inline struct fake *
fake_new(uint64_t seed)
{
	struct fake *f = fake_alloc(sizeof(*f));
	int i, k;

	if (host_init() != OK ||
	    openssl_provider_open(&f->ossl) != OK || named_seed(&f->named,
	    &f->ossl, span_of(&seed, sizeof(seed)), &f->pv) != OK)
		abort();
	f->rnd = seed * 2654435761u + 88172645463325252ull;
	f->now = 1795000000000ull;
	f->mem = fake_alloc(4u << 20);
	f->msg = fake_alloc(FAKE_MESSAGES * sizeof(*f->msg));
	for (i = 0; i < FAKE_NODES; i++) {
		for (k = 0; k < 16; k++)
			f->node[i].user.b[k] = (uint8_t)fake_rnd(f, 256);
		memcpy(f->node[i].name, "user_x", 7);
		f->node[i].name[5] = (char)('a' + i);
		fake_start(f, i);
	}
	return f;
}

static inline void
fake_close(struct fake *f)
{
	int i;

	for (i = 0; i < FAKE_NODES; i++)
		free(f->node[i].store.r);
	openssl_provider_close(&f->ossl);
	fake_sweep();		/* f as well */
}

#endif
