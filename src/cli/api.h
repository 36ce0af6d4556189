/*
 * api.h: calls of the server's REST interface that the commands on an account
 * make themselves, by records of wire/shapes.def.
 */
#ifndef CLI_API_H
#define CLI_API_H

#include "cli/host.h"
#include "wire/shapes.h"

#define API_ARENA ((size_t)4 << 20)
#define API_MESSAGE_MAX 400

/* Memory of answers; wiped and freed by api_end. */
struct api {
	struct host *h;
	uint8_t *mem;
	struct arena arena;
	struct buf body;
	char message[API_MESSAGE_MAX];	/* of a success without data, clean */
	char code[65];			/* of a refusal */
	struct span details;		/* of a refusal, JSON */
};

/*
 * Begins: profile, network, trust. signed_in: somebody has to be, and the
 * token is made sure to be fresh. Errors are printed.
 */
enum exit_status api_begin(struct api *api, struct host *h,
    const struct args *a, bool signed_in);
void api_end(struct api *api);

/* One call. req, rep with their shapes, or NULL for both of a pair. */
struct api_call {
	const char *method, *path;
	bool is_signed_in;	/* with the token */
	const struct shape *req_shape;
	const void *req;
	const struct shape *rep_shape;
	void *rep;
};
/*
 * EXIT_OK: rep is filled in (good until api_end). EXIT_REFUSED: the server
 * said no, which is printed unless `quiet_code` is the code that it gave.
 */
enum exit_status api_call(struct api *api, const struct api_call *c,
    const char *quiet_code);
/*
 * GET into an open file, as it comes. EXIT_OK: all of it is there.
 *   bytes_out  out  how much
 */
enum exit_status api_fetch(struct api *api, const char *path, int fd,
    uint64_t *bytes_out);

/* A record as one line of JSON on the standard output. */
enum exit_status api_print(struct api *api, const struct shape *shape,
    const void *rec);
/* What was done, in words: unless --quiet; with --json {"ok":true,...}. */
enum exit_status api_done(struct api *api, const char *text);

/*
 * A secret: from the first line of a file, a variable, or the terminal
 * (typed twice where it is new). EXIT_USAGE, printed, where nobody can be
 * asked.
 *   out  out  `cap` bytes; *n_out of them; wiped by the caller
 */
enum exit_status api_secret(struct host *h, const char *file,
    const char *variable, const char *question, bool is_new, char *out,
    size_t cap, size_t *n_out);

#endif
