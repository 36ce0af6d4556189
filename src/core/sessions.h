/*
 * sessions.h: the sessions of this device with another one: which to send on,
 * which one an incoming message belongs to, when they end (docs/protocol.md,
 * "Two sessions at once"). This is what the client layer calls for every
 * message. At most one session to send on and three that only receive are kept
 * for each device. Freestanding; within the host's transaction.
 */
#ifndef CORE_SESSIONS_H
#define CORE_SESSIONS_H

#include "core/handshake.h"
#include "core/peer.h"

#define SESSIONS_MAX 4
#define SESSIONS_REINIT_MS (3600ull * 1000)
/* Room that a sealed key envelope needs at most: a prekey message, or a
 * ratchet message with a key. */
#define SESSIONS_SEALED_MAX 4096

/* Post-quantum authentication that a session has. */
enum pq_auth { PQ_AUTH_NONE = 0, PQ_AUTH_PEER = 1, PQ_AUTH_MUTUAL = 2 };

struct sessions_info {
	bool exists;			/* there is one to send on */
	bool confirmed;
	bool initiator;
	struct session_sid sid;
	uint64_t created_ms;
	uint32_t epoch;
	/* Diffie-Hellman steps and messages so far (of a session that an
	 * older program made: since it was first stored by this one). */
	uint32_t turns, sent, received;
	enum pq_auth pq_auth;
	uint8_t suite;
	uint8_t count;			/* sessions in all */
	uint32_t skipped;		/* message keys kept for late ones */
	uint64_t last_mix_ms;
};

/*
 * sessions_initiate(c, to, in):
 * Verify a bundle against the accepted list and make a session of our own; the
 * next seal uses it unless a better one is confirmed by then.
 * ERR_NOT_FOUND: no list, or the certificate is neither in the bundle nor
 * known.  ERR_STALE: an older batch than one seen.  Others: as
 * handshake_check_bundle.
 */
MUST_USE enum err sessions_initiate(struct core *c, const struct address *to,
    const struct bundle_bytes *in);

/*
 * sessions_seal(c, to, content, out, info_out):
 * Seal one key envelope for a device.
 *   out       out  the message (prekey or ratchet), in the arena
 *   info_out  out  the session used; may be NULL
 * ERR_NO_SESSION: fetch a bundle, sessions_initiate, try again.
 * ERR_UNTRUSTED: the device is not in its account's list.  ERR_NOT_FOUND: no
 * list is known.  ERR_EXPIRED: the list expired 45 days ago.
 */
MUST_USE enum err sessions_seal(struct core *c, const struct address *to,
    struct span content, struct span *out, struct sessions_info *info_out);

/* What came of an incoming message. */
struct sessions_opened {
	struct span content;		/* in the arena; wipe with it */
	enum err refused;		/* OK, or ERR_FORMAT: authentic but
					 * malformed; store all the same */
	struct session_sid sid;
	bool new_session;		/* made by this message */
	bool late;			/* came after later ones of its chain */
	bool confirmed;			/* the session is, since this message */
	bool reset_due;			/* sessions_reset_due has one to tell */
};

/*
 * sessions_open(c, from, msg, out):
 * Open one message of a device. OK: the new state is stored, commit it, also
 * when out->refused says that the content is no good.
 * ERR_NOT_FOUND: the sender's list, or its certificate, is not known (or the
 * message names a newer list): fetch both, accept them, try once more.
 * ERR_UNTRUSTED: its certificate is not in the newest list.
 * ERR_DUPLICATE, ERR_REPLAY: opened before.  ERR_PREKEY_GONE.
 * ERR_NO_SESSION: a ratchet message, and there is no session.
 * ERR_AUTH, ERR_LIMIT, ERR_PQ_EPOCH, ERR_FORMAT, ERR_VERSION, ERR_SUITE,
 * ERR_EXPIRED (set up more than a day ahead of our clock).
 */
MUST_USE enum err sessions_open(struct core *c, const struct address *from,
    struct span msg, struct sessions_opened *out);

/* exists is false when there is no session to send on. */
MUST_USE enum err sessions_info(struct core *c, const struct address *with,
    struct sessions_info *out);
/* Asks for new post-quantum epochs on every session with a device. */
MUST_USE enum err sessions_rekey(struct core *c, const struct address *with);
/* The same for all devices (after a restore or a clone alarm). */
MUST_USE enum err sessions_rekey_all(struct core *c);
/* After a failed decryption: true at most once in an hour for each device;
 * then fetch a bundle and sessions_initiate. */
MUST_USE enum err sessions_may_reinitiate(struct core *c,
    const struct address *with, bool *out);

/* An older confirmed session that has not been told of the one in use. */
struct sessions_reset {
	bool due;
	struct event_reset reset;	/* what the event says */
	struct session_sid old;		/* the session to say it on */
};
MUST_USE enum err sessions_reset_due(struct core *c,
    const struct address *with, struct sessions_reset *out);
/* Seals the envelope of that event on the old session, once. */
MUST_USE enum err sessions_seal_reset(struct core *c,
    const struct address *with, const struct sessions_reset *r,
    struct span content, struct span *out);
/*
 * A session-reset came. clone_out: it names a session that this device is said
 * to have begun and never did: somebody else uses its keys. Then renew the
 * device, make a batch, rekey all, warn.
 */
MUST_USE enum err sessions_heard_reset(struct core *c,
    const struct address *from, const struct event_reset *r, bool *clone_out);

/* Deletes all sessions with a device, with all of an account, or all. */
MUST_USE enum err sessions_drop(struct core *c, const struct address *with);
MUST_USE enum err sessions_drop_account(struct core *c,
    const struct user_id *account);
MUST_USE enum err sessions_drop_all(struct core *c);
/* Notes on the sessions under a key prefix (empty: all; an account) whose
 * certificates are no longer the listed ones since when that is so. */
MUST_USE enum err sessions_mark_gone(struct core *c, struct span prefix);
/* Deletes what is past its time, for all devices: daily. */
MUST_USE enum err sessions_tidy(struct core *c);

#endif
