/*
 * pair.h: what is stored about this device and one other: the set of their
 * sessions and a few facts that outlive them. Used by sessions.c and
 * sessions_open.c alone.
 */
#ifndef CORE_PAIR_H
#define CORE_PAIR_H

#include "core/sessions.h"

#define PAIR_MADE_MAX 32

/* Sessions, greatest (created_ms, SID) first; records are in the arena. */
struct pair_set {
	uint8_t n;
	struct session_meta m[SESSIONS_MAX];
	struct span record[SESSIONS_MAX];
};

/* What the choice depends on besides the sessions. */
struct pair_view {
	uint8_t own_cert[SHA256_LEN];	/* the one listed now */
	uint64_t stale_below;
	bool is_listed;			/* the other device is, with: */
	uint8_t peer_cert[SHA256_LEN];
};

struct pair_state {
	uint64_t reinit_ms;		/* last automatic new session */
	uint64_t created_ms_max;	/* of any session there ever was */
	uint8_t batch_cert[SHA256_LEN];	/* whose batches are counted: */
	uint32_t batch_max;
	uint8_t made_n;			/* sessions begun by us, newest last */
	uint8_t made[PAIR_MADE_MAX][SESSION_SID_LEN];
};

#define PAIR_NONE SESSIONS_MAX

MUST_USE enum err pair_load_set(struct core *c, const struct address *with,
    struct pair_set *out);
/* Secrets are in metas (the sealed layer's key): wipe after use. */
void pair_wipe_set(struct pair_set *s);
/* is_listed is false where no list is known. */
MUST_USE enum err pair_load_view(struct core *c, const struct identity *id,
    const struct address *with, struct pair_view *out);
/* The session to send on, or PAIR_NONE. */
uint8_t pair_choose(const struct pair_set *s, const struct pair_view *v,
    uint64_t now_ms);
/* May the session still be used to send (not stale, certificates listed)? */
bool pair_is_current(const struct session_meta *m, const struct pair_view *v);
/* Is its time over, given that it only receives? */
bool pair_is_over(const struct session_meta *m, bool sends, uint64_t now_ms);
MUST_USE enum err pair_put(struct core *c, const struct session *s);
MUST_USE enum err pair_put_meta(struct core *c, const struct session_meta *m,
    struct span ratchet);
/* Deletes a session by the key and value of its record. */
MUST_USE enum err pair_drop(struct core *c, struct span key,
    struct span record);
/* Deletes what is over, and the least one when there is no room for a new. */
MUST_USE enum err pair_make_room(struct core *c, const struct pair_set *s,
    const struct pair_view *v);
MUST_USE enum err pair_load_state(struct core *c, const struct address *with,
    struct pair_state *out);
MUST_USE enum err pair_put_state(struct core *c, const struct address *with,
    const struct pair_state *s);
struct pair_key { uint8_t b[ADDRESS_LEN + SESSION_SID_LEN]; };
/* Key of a pair; with a SID that of a session. */
struct span pair_key(const struct address *with, const struct session_sid *sid,
    struct pair_key *k);

#endif
