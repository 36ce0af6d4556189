/*
 * frame.h: what carries calls: the process (struct server), one reactor's
 * part of it (struct shard), and a call with all that its steps do not see
 * (struct frame). For the server's own files, not for ops/.
 *
 * A frame is made on the reactor that its request came in on (home), goes
 * through the stages below, and is answered and freed there. Between them
 * the store, the work pool or another reactor own it.
 */
#ifndef SERVER_FRAME_H
#define SERVER_FRAME_H

#include "bus/directory.h"
#include "edge/edge.h"
#include "net/thread.h"
#include "net/work.h"
#include "server/audit.h"
#include "server/backoff.h"
#include "server/conf.h"
#include "server/deliver.h"
#include "server/jwt.h"
#include "server/metrics.h"
#include "server/pages.h"
#include "server/rate.h"
#include "server/route.h"
#include "server/session.h"
#include "store/store.h"

/* Memory of a call that needs no heap: requests and replies of a few KiB. */
#define FRAME_MEM 4096
#define FRAME_POOL_KEEP 256
#define FRAME_REQUEST_ID_MAX 64
/* How often a session is read again because one ended meanwhile. */
#define FRAME_AUTH_TRIES 4

struct frame;
struct mailer;
struct parcel;
struct shard;
struct sock;
typedef void (*frame_fn)(struct frame *f);
typedef void (*shard_fn)(struct shard *s, struct frame *f);

#define SERVER_CONFS_MAX 64
/* No call lives as long: a configuration replaced so long ago is free. */
#define SERVER_CONF_KEEP_MS ((uint64_t)10 * 60 * 1000)

struct server {
	_Atomic(const struct conf *) conf;
	/* The present one and those before it, oldest first, with the time
	 * at which each was taken over: calls may still refer to them. */
	struct conf *olds[SERVER_CONFS_MAX];
	uint64_t olds_ms[SERVER_CONFS_MAX];
	size_t olds_n;
	struct route *routes;
	struct page pages[CALL_PAGE_MAX];
	struct store *store;
	struct work *work;
	struct limit limit;
	struct backoff *backoff;
	const struct jwt_keys *keys;	/* of struct data */
	const struct data *data;	/* main's */
	struct audit_key audit;		/* of its account.key */
	struct mailer *mailer;		/* shard 0's */
	struct tls_tickets *tickets;
	struct shard *shards;
	struct edge_app *apps;		/* one of each shard */
	unsigned shards_n;
	uint64_t started_ms;		/* Unix time */
	uint64_t seed;			/* of hashes */
	/* Start and stop: main waits here. */
	struct thread_lock lock;
	struct thread_cond cond;
	unsigned drained_n;
};

/* One reactor's part; all of it is that reactor's alone. */
struct shard {
	struct server *server;
	struct reactor *reactor;
	struct edge *edge;
	unsigned index;
	struct thread thread;
	struct directory directory;
	struct sessions sessions;
	struct pool frames;
	struct parcel *parcels;		/* free ones */
	size_t parcels_n;
	struct pool socks;
	struct map typing;		/* chat and user -> struct typing */
	struct list waits;		/* calls that may wait (wait.c) */
	size_t waits_n;
	size_t frames_n;		/* calls under way */
	struct metrics metrics;
	struct timer sweep, expire;	/* of shard 0 */
	struct timer mail_timer;	/* the same */
	struct timer erase_timer;	/* the same */
	bool is_erasing;		/* the same (eraser.c) */
	struct timer settle;
	struct mail stop_mail;
	bool stopping;
};

enum origin { ORIGIN_REST, ORIGIN_EVENT, ORIGIN_CONNECT, ORIGIN_INTERNAL };

/* What comes next. */
enum stage { STAGE_AUTH, STAGE_CHECK, STAGE_OPEN, STAGE_READ, STAGE_WORK,
	STAGE_WRITE, STAGE_EMIT, STAGE_END };

/* One reactor's share of a thing that all of them have to do. */
struct piece {
	struct mail mail;
	struct shard *shard;
	struct frame *frame;
};

struct frame {
	struct call call;		/* first */
	struct shard *home;
	struct shard *at;		/* whose thread runs it now */
	enum origin origin;
	enum stage stage;
	enum err err;
	/* Where it came from. */
	struct edge_ref ref;
	struct sock *sock;		/* of CONNECT and EVENT */
	int64_t ack;
	enum deliver_names names;	/* that its socket hears */
	const char *fail_event;
	struct sys_addr addr;
	enum dialect dialect;
	bool is_head;
	bool is_rated;			/* a token of its limit was taken */
	/* Who. */
	bool has_claims;
	struct jwt claims;
	uint32_t epoch;
	unsigned tries;
	/* Its parts, all in the arena. */
	struct shape_param *params;
	size_t params_n;
	struct span body;
	struct arena_mark mark;		/* where the present step began */
	/* Its answer. */
	unsigned status;
	const char *message;		/* of an error, instead of err.def's */
	struct span details;
	uint32_t retry_s;
	const char *allow;		/* of a 405 */
	struct limit_state limit;
	enum err late;			/* of call_refuse_after */
	struct span agent;		/* User-Agent */
	/* Of browsers (browser.h). */
	bool is_foreign;		/* its origin is not allowed */
	bool clears;			/* its cookies are taken away */
	struct span cors;		/* allowed origin beside our own */
	struct span cookie, csrf;	/* refresh token, X-CSRF-Token */
	struct span set_refresh, set_csrf;	/* whole Set-Cookie fields */
	const struct page *page;	/* of call_reply_page */
	struct span none_match;		/* If-None-Match */
	const char *raw_type;
	struct span raw_body;
	int file_fd;			/* of call_spool; -1: none */
	uint64_t file_n;
	const char *file_name;		/* of call_reply_file */
	const struct op *follow;	/* of call_follow */
	call_fill_fn follow_fill;
	const void *follow_arg;
	bool again;			/* of call_again */
	/* What all reactors do for it. */
	unsigned waiting;
	shard_fn each;
	frame_fn taken;
	shard_fn after_emit;		/* asked for by emit; NULL: nothing */
	const struct session_id *sessions;	/* that end or change */
	size_t sessions_n;
	struct user_id sessions_user;
	const char *sessions_reason;
	uint32_t sessions_device;
	frame_fn then;			/* when all have done it */
	struct edge_stats *edge_stats;	/* one of each shard */
	bool has_presence, is_away;	/* call_presence */
	const struct presence_state *view;	/* call_tell_presence */
	enum directory_state state;	/* what home has of the user now */
	unsigned kinds;			/* and which kinds of connections */
	int delta;			/* and connections more */
	/* Waiting (wait.c): home's alone, but for `lacks`. */
	struct list wait_link;		/* in home->waits */
	struct timer wait_timer;	/* running: the time is not over */
	uint8_t wait_key[ID_LEN];	/* waited for, or (wake) changed */
	bool lacks;			/* the read step found nothing yet */
	bool is_parked;			/* nothing is under way for it */
	bool is_woken;			/* changed while it was read */
	frame_fn done;			/* INTERNAL: instead of an answer */
	uint64_t began_us;
	union {
		struct mail mail;
		struct store_job job;
		struct work_job work;
	} box;
	uint8_t request_id_n;
	char request_id[FRAME_REQUEST_ID_MAX];
	/* Not cleared when a frame is made anew: */
	struct shape_error faults;	/* but for faults.n */
	_Alignas(16) uint8_t mem[FRAME_MEM];
	struct piece pieces[];		/* one of each shard */
};

static inline struct frame *
frame_of(struct call *c)
{
	return (struct frame *)(void *)c;
}

/* A call of op on shard s; NULL: too many are under way. */
struct frame *frame_new(struct shard *s, const struct op *op,
    enum origin origin);
void frame_free(struct frame *f);
/*
 * A call that nobody asked for from outside: req and rep are zeroed, then the
 * caller fills in what it needs and calls frame_run. done(f), or nothing when
 * it is NULL, instead of an answer. NULL without memory.
 */
struct frame *frame_internal(struct shard *s, const struct op *op,
    const struct caller *who, frame_fn done);
/* Runs it from its present stage on; it ends in frame_end. */
void frame_run(struct frame *f);
/* The same with a failure that was met before: answers. */
void frame_fail(struct frame *f, enum err e);
/*
 * The claims of the token that was shown, if it is ours; the session behind
 * them is looked at in STAGE_AUTH. ERR_INVALID_TOKEN, ERR_TOKEN_EXPIRED.
 */
MUST_USE enum err frame_token(struct frame *f, struct span token);
/* Its id in answers and logs; made when nobody gave one. */
struct span frame_request_id(struct frame *f);
/* Bytes of the arena for f; false: it has been answered with a failure. */
MUST_USE bool frame_copy(struct frame *f, struct span in, struct span *out);
/*
 * each(shard, f) on every reactor, this one too (at once); other reactors only
 * read f. True: all have done it already (there is one reactor). Else taken(f)
 * follows on this thread, and the frame must not be touched before.
 */
MUST_USE bool frame_everywhere(struct frame *f, shard_fn each, frame_fn taken);
/* Moves it to another shard's thread and goes on with f->taken there. */
void frame_move(struct frame *f, struct shard *to, frame_fn next);
/* The shard whose reactor emits the events of this key. */
struct shard *frame_shard_of(struct server *s, const uint8_t key[static ID_LEN]);

/* ---- answers (answer.c) ---- */

/* Sends reply or error to where the call came from. */
void answer_send(struct frame *f);
/* The error object {"code":...,"message":...,"details":...}. */
void answer_error(struct frame *f, struct wr *w);
/* An error envelope for a request that never became a call; why: more than
 * the error says, or NULL. */
void answer_refuse(struct shard *s, struct edge_ref ref, enum err e,
    int status, struct span request_id, const char *allow, const char *why);

/* ---- where requests and sockets come in ---- */

void rest_request(void *arg, struct edge_ref ref,
    const struct edge_request *req);
void rest_refused(void *arg, struct edge_ref ref, int status, const char *why);

int socket_handshake(void *arg, struct edge_handshake *h);
bool socket_origin(void *arg, struct span origin);
bool socket_page(void *arg, const struct edge_request *req);
void socket_connect(void *arg, struct edge_ref ref,
    const struct edge_connect *c);
void socket_event(void *arg, struct edge_ref ref, const struct edge_event *e);
void socket_close(void *arg, struct edge_ref ref, enum edge_end why);
/* STAGE_OPEN of a CONNECT, and its end (which looks at f->err). */
MUST_USE enum err socket_open(struct frame *f, bool *gone);
void socket_opened(struct frame *f);
void socket_presence(struct frame *f);	/* of call_presence */
void socket_view(struct frame *f);	/* of call_tell_presence */
/* Ends the sockets of these sessions (on each shard). */
void socket_end_sessions(struct shard *s, struct frame *f);
void socket_set_device(struct shard *s, struct frame *f);

/* ---- events (deliver.c) ---- */

/* Hands it to the sockets of this shard; blobs[DELIVER_NAMES], some NULL. */
void deliver_here(struct shard *s, const struct user_id *to, uint32_t device,
    struct blob *const *blobs, uint64_t position, unsigned flags,
    const struct edge_ref *except);
void deliver_fini(struct shard *s);

/* ---- calls that wait (wait.c) ---- */

#define WAITS_MAX 512			/* of one reactor */

void wait_init(struct shard *s);
/* After a read step: true when the frame stays, or is read again. */
bool wait_park(struct frame *f);
/* It ends. */
void wait_end(struct frame *f);
/* All of them answer now. */
void wait_stop(struct shard *s);

/* ---- who types (typing.c) ---- */

void typing_fini(struct shard *s);

#endif
