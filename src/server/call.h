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
#include "wire/shapes.h"

struct audit_key;
struct call;
struct conf;
struct txn;

/* Bytes that one call may take in all (requests are at most 1 MB). */
#define CALL_ARENA_MAX ((size_t)24 << 20)

#define USERNAME_MAX 30

/* Who calls; all zero when nobody is signed in. */
struct caller {
	struct user_id user;
	struct session_id session;
	uint64_t expires_ms;		/* of the token that was shown */
	uint32_t device;		/* 0: the session speaks for none */
	enum user_role role;
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

/* Is a success 201 (RFC 9110 15.3.2) rather than 200? */
enum op_creates { CREATES_NEVER, CREATES_MAYBE, CREATES_ALWAYS };

struct op {
	const char *name;
	enum who who;
	unsigned rate;			/* enum rate_class of rate.h */
	const struct shape *req;	/* shape_none: takes nothing */
	const struct shape *rep;	/* shape_none: no data in a success */
	call_step_fn check, work;
	call_store_fn read, write;
	call_emit_fn emit;
	const char *message;		/* instead of "OK" */
	enum op_creates creates;
};

/*
 * What the steps use. All else that a call has is the frame's (frame.h).
 * req, rep and whatever the steps hang on state are in the arena.
 */
struct call {
	const struct op *op;
	struct arena arena;
	struct caller who;
	void *req;		/* struct of op->req, decoded */
	void *rep;		/* struct of op->rep, zeroed */
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
 * The wrong field of a request, in words that its sender may see. At most
 * SHAPE_FAULTS_MAX are kept. Returns ERR_VALIDATION, so that a check may end
 * with `return call_invalid(c, "chatId", "is not a chat of yours")`.
 *   field    in  JSON name
 *   message  in  begins with a verb: "must be ..."
 */
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

/* Status of a success over REST: 200 unless said. 201 only as ops.def says. */
void call_status(struct call *c, unsigned status);
/* Which chat's (or user's) events emit hands out; see `key` above. */
void call_key(struct call *c, const uint8_t id[static ID_LEN]);
/* A copy of a literal, or of any text, in the arena; empty without memory. */
struct span call_text(struct call *c, const char *s);
/* A new id: version 7 from the call's time. */
void call_new_id(struct call *c, uint8_t out[static ID_LEN]);

/*
 * The transaction stays, but the caller is answered with this error: what was
 * written is the consequence of what it did wrong. In write; returns OK.
 */
enum err call_refuse_after(struct call *c, enum err e);

/*
 * When the call has been answered, whatever became of it, an operation of the
 * server's own begins (ops.def), so that its work shows neither in the answer
 * nor in the time that it took. fill() copies what it needs into the new
 * call's arena, and sets what it hands on as to->state; NULL: nothing to hand
 * on. The last one counts; arg lasts as long as the call.
 */
typedef enum err (*call_fill_fn)(const struct call *from, const void *arg,
    struct call *to);
void call_follow(struct call *c, const struct op *op, call_fill_fn fill,
    const void *arg);
/*
 * In read: the step is run once more, in a snapshot of its own, behind others
 * that wait. What it goes on from is in c->state; it sets that as its last act.
 */
void call_again(struct call *c);

/* ---- tokens and accounts ---- */

#define CALL_HASH_LEN 32

/* What a session is given; the text is in the call's arena. */
struct tokens {
	struct span access, refresh;
	uint8_t access_hash[CALL_HASH_LEN], refresh_hash[CALL_HASH_LEN];
	uint64_t expires_ms;	/* of the refresh token */
};
/* New tokens of a session. ERR_TOO_LARGE, ERR_PROVIDER. */
MUST_USE enum err account_tokens(struct call *c, const struct user_id *user,
    struct span username, const struct session_id *session,
    struct tokens *out);
/*
 * The tokens that a session made at made_ms begins with: the same bytes
 * whenever this is asked, as long as keys and configuration are the same. So
 * they can be given out twice, and are kept by nobody meanwhile.
 */
MUST_USE enum err account_first_tokens(struct call *c,
    const struct user_id *user, struct span username,
    const struct session_id *session, uint64_t made_ms,
    struct tokens *out);
/*
 * Whose refresh token this is, and its hash. ERR_INVALID_TOKEN,
 * ERR_TOKEN_EXPIRED.
 */
MUST_USE enum err account_refresh_token(struct call *c, struct span text,
    struct user_id *user_out, struct session_id *session_out,
    uint8_t hash_out[static CALL_HASH_LEN]);
/*
 * Failed logins of an account, as it was named: wait says ERR_RATE_LIMITED
 * (with Retry-After) while it has to wait.
 */
MUST_USE enum err account_wait(struct call *c, struct span account);
void account_failed(struct call *c, struct span account);
void account_clear(struct call *c, struct span account);
/* Of the audit log's head (server/audit.h). */
const struct audit_key *call_audit_key(struct call *c);
/* The 32 bytes of account.key (server/data.h). */
const uint8_t *call_account_key(struct call *c);
/* The caller's address as text, as far as log.ip lets it be kept. */
struct span call_address(struct call *c);
/* Does it come from this machine (behind a trusted proxy: its client)? */
bool call_is_local(struct call *c);
/* User-Agent of the request; empty over a socket. */
struct span call_agent(struct call *c);

/* ---- refresh tokens in cookies (docs/api.md, Cookies; browser.c) ---- */

/* In check, where cookies are asked for: ERR_FORBIDDEN for other origins. */
MUST_USE enum err cookie_may(struct call *c);
/* In write: the answer sets the cookies of a session. */
MUST_USE enum err cookie_set(struct call *c, const struct session_id *session,
    struct span refresh);
/* The answer takes away those that came with the request. */
void cookie_clear(struct call *c);
/* The refresh token that came as a cookie; empty when none did. */
struct span cookie_get(struct call *c);
/*
 * May the request rely on its cookie, of this session? ERR_FORBIDDEN: it
 * comes from another origin, or X-CSRF-Token does not fit.
 */
MUST_USE enum err cookie_check(struct call *c,
    const struct session_id *session);

/* ---- typing ---- */

/*
 * In emit, on the chat's key: the caller types in this chat for 5 s from now
 * on, or stopped. True when they typed before.
 */
bool typing_set(struct call *c, const struct chat_id *chat, bool is_typing);

/* ---- waiting for what somebody else does ---- */

/*
 * A call may wait, without a thread, until another one says that something
 * has changed under a key: in check it says so (wait_begin), and where its
 * read step finds that what it wants is not there yet, that calls wait_more
 * and returns OK. The read step then runs again after each wait_wake of the
 * key, with a new now_ms. When the time is over the call goes on as it is, so
 * an empty reply says "not yet". Such a call has no emit step, and a write
 * step only behind a work step.
 *
 *   wait_begin  ERR_BUSY: too many wait.  ms: from now on, less where an
 *               answer has to be there earlier (edge.answer)
 *   wait_wake   in emit; not together with what all reactors do (below)
 */
MUST_USE enum err wait_begin(struct call *c, const uint8_t key[static ID_LEN],
    uint64_t ms);
void wait_more(struct call *c);
void wait_wake(struct call *c, const uint8_t key[static ID_LEN]);

/* ---- what all reactors do ---- */

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
 * The presence that the caller's socket has from now on. In check; it comes
 * into force when the call has succeeded, and its people hear of it.
 */
void call_presence(struct call *c, bool is_away);
/*
 * Of an event's call: once it has succeeded its socket hears how these people
 * are, on the reactor of that socket, where no newer word of them can have
 * come before. s: in the arena.
 */
struct presence_state;
void call_tell_presence(struct call *c, const struct presence_state *s);
/* Presence of somebody, as the directory of this thread has it. */
enum presence_status call_presence_of(struct call *c, const struct user_id *user);

/* State of the store: OK, or what its last commit failed with. */
enum err call_store_health(struct call *c);
/* Milliseconds since the process is up. */
uint64_t call_uptime_ms(struct call *c);
/* In emit: the text of /metrics becomes the reply. */
void shard_metrics(struct call *c);

/*
 * The reply is not JSON by shape but this: for /metrics and the page.
 * Content type is a literal; the body is in the call's arena.
 */
void call_reply_raw(struct call *c, const char *content_type,
    struct span body);
/* The path of a file in the data directory. ERR_SPACE. */
MUST_USE enum err call_data_file(struct call *c, const char *name,
    char *out, size_t n);
/*
 * Is there room on the data directory's disk for what can wait (archives,
 * backups, exports)? With less than store.reserve free it has to, so that who
 * fills the disk keeps nobody's messages from being stored. ERR_UNAVAILABLE.
 */
MUST_USE enum err call_room(struct call *c);
/*
 * A file without a name on the data directory's disk, empty, to be written by
 * sys_spool_write; it goes with the call. The same one when asked for again.
 * ERR_IO, ERR_FORBIDDEN, ERR_NOT_FOUND.
 */
MUST_USE enum err call_spool(struct call *c, int *fd_out);
/*
 * The reply is that file, this many bytes of it, named so for who saves it
 * (literals). REST only.
 */
void call_reply_file(struct call *c, uint64_t n, const char *content_type,
    const char *name);
/*
 * The reply is a document that was made at start (pages.h), with its ETag; a
 * request that has it already (If-None-Match) hears 304.
 */
enum call_page { CALL_PAGE_JWKS, CALL_PAGE_OPENAPI, CALL_PAGE_MAX };
void call_reply_page(struct call *c, enum call_page page);

#endif
