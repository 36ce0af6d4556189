/*
 * step.h: one step under way: its records, its clock, its effects so far. Every
 * file of this layer works on a struct step and nothing else; it is made by
 * client_step (or by a query, whose changes are dropped) and ends with it.
 */
#ifndef CLIENT_STEP_H
#define CLIENT_STEP_H

#include "client/meta.h"
#include "client/rec.h"
#include "core/sessions.h"
#include "wire/shapes.h"

struct search_op;

struct step {
	struct client *c;
	const struct provider *pv;
	struct arena *a;
	uint64_t now;
	struct rec r;
	struct meta m;			/* stored at the end when it changed */
	struct client_effect *first, *last;
	uint64_t timer;			/* the earliest wish so far */
	struct search_op *search;	/* what the index is to learn */
	size_t search_n;
	struct store store;		/* the core's view of r */
	struct arena scratch;		/* the core's, wiped after each use */
	struct core core;
};

/* The core's scratch is put back, wiped, to where it was. */
struct arena_mark step_scratch(struct step *s);
void step_scratch_end(struct step *s, struct arena_mark m);
/* Errors that end the step: the host's, and want of memory. */
bool step_is_fatal(enum err e);

/*
 * Reads the meta record (a new profile: zeros). core: with a scratch for calls
 * into the core, which refers to *s: it must not move.
 */
MUST_USE enum err step_init(struct step *s, struct client *c, struct arena *a,
    uint64_t now_ms, bool core);
void step_fini(struct step *s);
/* Stores what changed: STORE effects before all others; counts generation. */
MUST_USE enum err step_end(struct step *s, struct client_effects *out);

/* Appends an effect, zeroed but for its type. NULL when the arena is full. */
struct client_effect *step_effect(struct step *s, enum client_effect_type t);
/* A CLIENT_SHOW effect that is not in the journal. */
struct client_show *step_show(struct step *s, enum client_show_type t,
    uint64_t cmd);
MUST_USE enum err step_show_done(struct step *s, uint64_t cmd);
/* message may be empty: the error's own text. */
MUST_USE enum err step_show_error(struct step *s, uint64_t cmd, enum err e,
    struct span message);
/* Emits an event; *ack_out (NULL: no ack) gets its number. */
MUST_USE enum err step_emit(struct step *s, const char *name,
    struct span json, uint32_t *ack_out);
/* Wakes the client at the latest at this time. */
void step_wake(struct step *s, uint64_t at_ms);
/* A number below n (n > 0), for jitter. */
MUST_USE enum err step_jitter(struct step *s, uint64_t n, uint64_t *out);
/* Delay before attempt number `failures` + 1: 0.5 s doubled up to 60 s, and
 * then between a half and the whole of that at random. */
MUST_USE enum err step_backoff(struct step *s, uint32_t failures,
    uint64_t *ms_out);

/* The other side of JSON: `data` of an answer and so on, into the arena. */
MUST_USE enum err step_json(struct step *s, const struct shape *shape,
    const void *in, struct span *out);

/* An arena writer for up to cap bytes. ERR_TOO_LARGE. */
MUST_USE enum err step_wr(struct step *s, size_t cap, struct wr *w);

#endif
