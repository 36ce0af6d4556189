/*
 * remote.h: REST calls to the server, one after the other over one HTTP/1.1
 * connection that is kept. Each call is answered exactly once, by a status
 * and a body, or by status 0 when no answer came in time; nothing is sent
 * twice (who retries is src/client's outbox).
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/dial.h"
#include "wire/http.h"

#define REMOTE_CALLS_MAX 32u
#define REMOTE_REQUEST_MAX ((size_t)4 << 20)
#define REMOTE_ANSWER_MAX ((size_t)8 << 20)
#define REMOTE_FILE_MAX ((uint64_t)4 << 30)	/* of remote_fetch */

struct remote_answer {
	uint32_t status;	/* 0: none came; why says how */
	uint32_t retry_after_s;	/* 0: not said */
	uint64_t written;	/* bytes that went to the file */
	struct span body;	/* good until the callback returns */
	enum dial_end why;
};
typedef void (*remote_fn)(void *ctx, uint64_t id,
    const struct remote_answer *answer);

struct remote_call {
	bool used;
	uint64_t id;
	remote_fn fn;
	void *ctx;
	struct buf request;	/* the whole message */
	bool to_file;		/* a 200's body goes there: */
	int fd;
};

struct remote {
	struct dial dial;
	struct http_in http;
	struct http_limits limits, file_limits;
	struct http_msg msg;
	struct buf body;
	struct remote_answer answer;
	struct remote_call call[REMOTE_CALLS_MAX];	/* a ring */
	uint32_t first, n;
	bool sent;		/* call[first] is on its way */
	bool keep;		/* the answer allows another call */
	bool closed;		/* nothing new is sent */
	struct timer limit;	/* of the call that is on its way */
	struct timer later;	/* answers that nobody may get at once */
	uint64_t timeout_ms;
};

void remote_init(struct remote *m, struct reactor *r, struct where *w,
    uint64_t timeout_ms);
/*
 * Ends the connection; calls that wait are answered by 0 in ticks to come or
 * never. Then, once those ticks have passed, remote_fini.
 */
void remote_close(struct remote *m);
void remote_fini(struct remote *m);
/*
 * Queues a call.
 *   method  in  "GET", "POST", ...
 *   path    in  with its query
 *   token   in  empty: no Authorization field
 *   body    in  JSON; empty: none
 * ERR_BUSY: REMOTE_CALLS_MAX wait. ERR_TOO_LARGE: the request. ERR_NOMEM.
 */
MUST_USE enum err remote_call(struct remote *m, const char *method,
    struct span path, struct span token, struct span body, uint64_t id,
    remote_fn fn, void *ctx);
/*
 * GET, whose body goes to fd as it comes, if the status is 200; it may take
 * as long as something comes within the timeout. fd stays the caller's, who
 * keeps it open until the callback; a failed write ends it with status 0.
 */
MUST_USE enum err remote_fetch(struct remote *m, struct span path,
    struct span token, int fd, uint64_t id, remote_fn fn, void *ctx);

#endif
