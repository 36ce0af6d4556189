/*
 * call.h: one call of one operation, as its steps see it. The frame makes a
 * call from a REST request or a socket event, runs the steps of its row in
 * ops.def in the order check, read, work, write, emit, and answers in the
 * caller's dialect; a step knows neither connection nor socket.
 *
 *	step    runs on                  may
 *	check   the socket's reactor     pure: is it allowed and well-formed?
 *	read    a store reader           queries, in one snapshot
 *	work    the work pool            slow CPU (password hashing)
 *	write   the store writer         one transaction; fills the reply
 *	emit    the reactor of c->key    after commit, in commit order: deliver_*
 *
 * A step that returns an error ends the call: no later step runs, the
 * transaction of `write` is rolled back, `emit` is not called. read and write
 * may run twice (busy, a batch run again): before each run the frame puts the
 * arena back to where the step began and zeroes the reply, so they touch
 * the transaction, the reply and memory that an earlier step took, and
 * nothing else. One thread at a time owns a call.
 */
#ifndef SERVER_CALL_H
#define SERVER_CALL_H

#include "base/arena.h"
#include "base/id.h"

struct blob;
struct call;
struct conf;
struct shape;
struct txn;

/* Bytes that one call may take in all (requests are at most 1 MB). */
#define CALL_ARENA_MAX ((size_t)24 << 20)

enum role { ROLE_USER, ROLE_AUDITOR, ROLE_OPERATOR, ROLE_ADMIN };

#define USERNAME_MAX 30

/* Who calls; all zero when nobody is signed in. */
struct caller {
	struct user_id user;
	struct session_id session;
	uint64_t expires_ms;		/* of the token that was shown */
	uint32_t device;		/* 0: the session speaks for none */
	enum role role;
	bool is_known;
	uint8_t username_n;
	char username[USERNAME_MAX];	/* not terminated */
};

/* Who may call an operation (ops.def). */
enum who {
	WHO_ANYONE,	/* who->is_known may be false */
	WHO_USER,	/* a signed-in person */
	WHO_DEVICE,	/* a signed-in person whose session speaks for a device */
};

typedef enum err (*call_step_fn)(struct call *c);
typedef enum err (*call_store_fn)(struct call *c, struct txn *t);
typedef void (*call_emit_fn)(struct call *c);

struct op {
	const char *name;
	enum who who;
	unsigned rate;			/* enum rate_class of rates.h */
	const struct shape *req;	/* NULL: takes nothing */
	const struct shape *rep;	/* NULL: {"success":true,"message":"OK"} */
	size_t req_bytes, rep_bytes;	/* of the C structs */
	call_step_fn check, work;
	call_store_fn read, write;
	call_emit_fn emit;
	const char *message;		/* instead of "OK" */
};

/*
 * What the steps use. All else that a call has is the frame's (frame.h).
 * req, rep and whatever the steps hang on state are in the arena.
 */
struct call {
	const struct op *op;
	struct arena arena;
	struct caller who;
	void *req;		/* struct of op->req, decoded; NULL without */
	void *rep;		/* struct of op->rep, zeroed; NULL without */
	void *state;		/* free for the steps: what they hand on */
	uint64_t now_ms;	/* Unix time at which the call began */
	const struct conf *conf;	/* one snapshot for the whole call */
	/*
	 * Chat or user whose events the call emits: emit runs on the reactor
	 * that this key chooses. The caller's own id unless check or an
	 * earlier step than write sets another (call_key).
	 */
	uint8_t key[ID_LEN];
};

/*
 * The wrong field of a request, in the words that its sender may see. At most
 * CALL_FIELDS_MAX are kept. Returns ERR_VALIDATION, so that a check may end
 * with `return call_invalid(c, "chatId", "not a chat of yours")`.
 *   field    in  JSON name; borrowed, a literal
 *   message  in  borrowed, a literal
 */
#define CALL_FIELDS_MAX 16
enum err call_invalid(struct call *c, const char *field, const char *message);
/* Replaces err.def's public text of e, a literal; returns e. */
enum err call_fail(struct call *c, enum err e, const char *message);
/*
 * The `details` object of a 409 ("{"missing":[...]}"), JSON text in the
 * call's arena; returns e.
 */
enum err call_conflict(struct call *c, enum err e, struct span details_json);
/* Retry-After of a refusal, in seconds. */
void call_retry_after(struct call *c, uint32_t seconds);

/* Status of a success over REST: 200 unless said (201: created). */
void call_status(struct call *c, unsigned status);
/* Which chat's (or user's) events emit hands out; see `key` above. */
void call_key(struct call *c, const uint8_t id[static ID_LEN]);
/* A copy of a literal, or of any text, in the arena; empty without memory. */
struct span call_text(struct call *c, const char *s);
/* A new id: version 7 from the call's time. */
void call_new_id(struct call *c, uint8_t out[static ID_LEN]);

/*
 * Only in emit. The caller is answered when every reactor has done it, so
 * that what it says holds everywhere from then on.
 *   call_session_device  the session speaks for this device now
 *   call_sessions_end    these tokens are refused, their sockets told
 *                        session:ended {reason} and disconnected
 */
void call_session_device(struct call *c, const struct session_id *session,
    uint32_t device);
void call_sessions_end(struct call *c, const struct user_id *user,
    const struct session_id *sessions, size_t n, const char *reason);

/*
 * The reply is not JSON by shape but this: for /metrics and the page.
 * Content type is a literal; the body is in the call's arena.
 */
void call_reply_raw(struct call *c, const char *content_type,
    struct span body);

#endif
