/*
 * step.c: beginning and end of a step, and its list of effects.
 */
#include "client/step.h"

#include "client/search.h"

#define BACKOFF_FIRST_MS 500u
#define BACKOFF_MAX_MS 60000u

/* The core's records, over the same view of the step. */
static enum err
step_get(void *ctx, uint8_t kind, struct span key, struct arena *arena,
    struct span *value_out)
{
	struct step *s = ctx;

	(void)arena;		/* the step's arena lives at least as long */
	return rec_get(&s->r, kind, key, value_out);
}

static enum err
step_put(void *ctx, uint8_t kind, struct span key, struct span value,
    uint64_t generation)
{
	struct step *s = ctx;

	(void)generation;	/* of the whole step: in the meta record */
	return rec_put(&s->r, kind, key, value);
}

static enum err
step_del(void *ctx, uint8_t kind, struct span key)
{
	struct step *s = ctx;

	return rec_del(&s->r, kind, key);
}

static enum err
step_iterate(void *ctx, uint8_t kind, struct span prefix, store_each_fn fn,
    void *arg)
{
	struct step *s = ctx;
	struct span key = { NULL, 0 }, value;
	enum err err;

	while ((err = rec_seek(&s->r, kind, prefix, key, false, &key,
	    &value)) == OK) {
		TRY(fn(arg, key, value));
		if (key.n == 0)		/* a kind with that one record */
			return OK;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
step_init_core(struct step *s)
{
	/* Not zeroed: what the core takes of it is, and most is not touched. */
	uint8_t *mem = arena_bytes(s->a, CORE_ARENA_BYTES);

	if (mem == NULL)
		return ERR_TOO_LARGE;
	arena_init(&s->scratch, mem, CORE_ARENA_BYTES);
	s->store = (struct store){ .ctx = s,
	    .generation = s->m.generation + 1, .get = step_get,
	    .put = step_put, .del = step_del, .iterate = step_iterate };
	s->core = (struct core){ .p = s->pv, .store = &s->store,
	    .arena = &s->scratch, .now_ms = s->now };
	return OK;
}

struct arena_mark
step_scratch(struct step *s)
{
	return arena_mark(&s->scratch);
}

void
step_scratch_end(struct step *s, struct arena_mark m)
{
	arena_wipe(&s->scratch, m);
}

bool
step_is_fatal(enum err e)
{
	return e == ERR_STORE || e == ERR_TOO_LARGE || e == ERR_PROVIDER ||
	    e == ERR_NOMEM || e == ERR_IO;
}

enum err
step_init(struct step *s, struct client *c, struct arena *a, uint64_t now_ms,
    bool core)
{
	struct span value;
	enum err err;

	*s = (struct step){ .c = c, .pv = c->pv, .a = a, .now = now_ms };
	rec_init(&s->r, &c->host, a);
	if (core)
		TRY(step_init_core(s));
	err = rec_get(&s->r, REC_META, (struct span){ NULL, 0 }, &value);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	TRY(meta_decode(value, &s->m));
	s->store.generation = s->m.generation + 1;
	return OK;
}

void
step_fini(struct step *s)
{
	struct arena_mark begin = { .p = s->scratch.first,
	    .cap = s->scratch.first_cap };

	if (s->scratch.first != NULL)
		arena_wipe(&s->scratch, begin);
	wipe(&s->m, sizeof(s->m));
}

/* Puts the meta record when it differs, or something else changed. */
static enum err
step_put_meta(struct step *s)
{
	struct span before = { NULL, 0 };
	struct wr w;
	enum err err;

	TRY(step_wr(s, META_LEN_MAX, &w));
	TRY(meta_encode(&s->m, &w));
	err = rec_get(&s->r, REC_META, (struct span){ NULL, 0 }, &before);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (s->r.dirty_n == 0 && (span_eq(before, wr_done(&w)) ||
	    (err == ERR_NOT_FOUND && s->m.flags == 0)))
		return OK;
	s->m.generation++;
	w.n = 0;
	TRY(meta_encode(&s->m, &w));
	return rec_put(&s->r, REC_META, (struct span){ NULL, 0 }, wr_done(&w));
}

enum err
step_end(struct step *s, struct client_effects *out)
{
	struct client_effect *first = NULL, *last = NULL, *e;
	size_t i;

	TRY(search_flush(s));
	TRY(step_put_meta(s));
	for (i = 0; i < s->r.n; i++) {
		const struct rec_entry *r = &s->r.e[i];

		if (!r->dirty)
			continue;
		e = ARENA_NEW(s->a, struct client_effect);
		if (e == NULL)
			return ERR_TOO_LARGE;
		e->type = CLIENT_STORE;
		e->u.store.kind = r->kind;
		e->u.store.del = !r->present;
		e->u.store.key = r->key;
		e->u.store.value = r->value;
		if (last == NULL)
			first = e;
		else
			last->next = e;
		last = e;
	}
	if (last != NULL) {
		last->next = s->first;
		s->first = first;
	}
	*out = (struct client_effects){ s->first, s->m.generation };
	return OK;
}

struct client_effect *
step_effect(struct step *s, enum client_effect_type t)
{
	struct client_effect *e = ARENA_NEW(s->a, struct client_effect);

	if (e == NULL)
		return NULL;
	e->type = t;
	if (s->last == NULL)
		s->first = e;
	else
		s->last->next = e;
	s->last = e;
	return e;
}

struct client_show *
step_show(struct step *s, enum client_show_type t, uint64_t cmd)
{
	struct client_effect *e = step_effect(s, CLIENT_SHOW);

	if (e == NULL)
		return NULL;
	e->u.show.type = t;
	e->u.show.cmd = cmd;
	return &e->u.show;
}

enum err
step_show_done(struct step *s, uint64_t cmd)
{
	if (cmd == 0)
		return OK;
	return step_show(s, SHOW_DONE, cmd) == NULL ? ERR_TOO_LARGE : OK;
}

enum err
step_show_error(struct step *s, uint64_t cmd, enum err err,
    struct span message)
{
	struct client_show *show = step_show(s, SHOW_ERROR, cmd);

	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.error.err = err;
	if (message.n == 0)
		message = span_str(err_text(err));
	return arena_dup(s->a, message, &show->u.error.message);
}

enum err
step_emit(struct step *s, const char *name, struct span json,
    uint32_t *ack_out)
{
	struct client_effect *e = step_effect(s, CLIENT_EMIT);

	if (e == NULL)
		return ERR_TOO_LARGE;
	e->u.emit.name = span_str(name);
	e->u.emit.json = json;
	if (ack_out != NULL) {
		if (++s->c->next_id == 0)
			s->c->next_id = 1;
		*ack_out = e->u.emit.ack = s->c->next_id;
	}
	return OK;
}

void
step_wake(struct step *s, uint64_t at_ms)
{
	if (at_ms != 0 && (s->timer == 0 || at_ms < s->timer))
		s->timer = at_ms;
}

enum err
step_jitter(struct step *s, uint64_t n, uint64_t *out)
{
	uint8_t b[8];
	struct rd r = rd_init(SPAN_OF(b));

	TRY(s->pv->random(s->pv->ctx, b, sizeof(b)));
	*out = rd_u64(&r) % n;
	return OK;
}

enum err
step_backoff(struct step *s, uint32_t failures, uint64_t *ms_out)
{
	uint64_t ms = BACKOFF_FIRST_MS, jitter;

	while (failures-- > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	TRY(step_jitter(s, ms / 2 + 1, &jitter));
	*ms_out = ms / 2 + jitter;
	return OK;
}

enum err
step_json(struct step *s, const struct shape *shape, const void *in,
    struct span *out)
{
	return shape_encode_arena(shape, in, s->a, out);
}

enum err
step_wr(struct step *s, size_t cap, struct wr *w)
{
	uint8_t *p = arena_bytes(s->a, cap);

	if (p == NULL)
		return ERR_TOO_LARGE;
	*w = wr_init(p, cap);
	return OK;
}
