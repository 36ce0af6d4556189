/*
 * api.c: see api.h.
 */
#include "cli/api.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/clean.h"
#include "cli/show.h"
#include "cli/tty.h"
#include "wire/json.h"

#define REQUEST_MAX 8192

static void
drop(struct buf *b)
{
	if (b->p != NULL)
		wipe(b->p, b->n);
	buf_fini(b);
}

void
api_end(struct api *api)
{
	drop(&api->body);
	if (api->mem != NULL)
		wipe(api->mem, API_ARENA);
	free(api->mem);
	api->mem = NULL;
}

/* ---- one call ---- */

static enum exit_status
token_of(struct api *api, struct span *out)
{
	struct host *h = api->h;
	struct span access, refresh;
	enum err e = host_read(h);

	if (e == OK) {
		e = client_tokens(&h->client, &h->query, &access, &refresh);
		if (e == OK)
			e = arena_dup(&api->arena, access, out);
		host_read_end(h);
	}
	if (e == OK)
		return EXIT_OK;
	host_error(h, "nobody is signed in on this profile: %s",
	    host_hint(h, "login"));
	return EXIT_SIGNED_OUT;
}

enum exit_status
api_begin(struct api *api, struct host *h, const struct args *a,
    bool signed_in)
{
	enum exit_status st = host_open(h, a, !signed_in);
	struct span token;

	*api = (struct api){ .h = h };
	buf_init(&api->body, REMOTE_ANSWER_MAX);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK && !signed_in)
		st = host_trust(h);
	/* Catching up renews a token that has expired. */
	h->catch_up = signed_in;
	if (st == EXIT_OK)
		st = host_start(h, NULL, false);
	if (st != EXIT_OK)
		return st;
	api->mem = calloc(1, API_ARENA);
	arena_init(&api->arena, api->mem, api->mem != NULL ? API_ARENA : 0);
	if (api->mem == NULL) {
		host_error(h, "%s", err_text(ERR_NOMEM));
		return EXIT_FAILED;
	}
	if (!signed_in)
		return EXIT_OK;
	st = token_of(api, &token);
	return st == EXIT_OK ? host_catch_up(h) : st;
}

/* The server's words on one line, harmless. */
static void
keep_message(struct api *api, struct span text)
{
	struct buf b;

	buf_init(&b, API_MESSAGE_MAX - 1);
	if (clean_line(text, &b) == OK)
		snprintf(api->message, sizeof(api->message), "%.*s", (int)b.n,
		    (const char *)b.p);
	buf_fini(&b);
}

/* "field must be ..." of a list of details. */
static void
add_details(struct api *api, struct span details)
{
	struct json j = json_init(details);
	struct span name, value, field, why;
	struct buf b;

	buf_init(&b, API_MESSAGE_MAX - 1);
	if (buf_add_str(&b, api->message) != OK || !json_array(&j)) {
		buf_fini(&b);
		return;
	}
	while (json_item(&j) && json_object(&j)) {
		field = why = (struct span){ NULL, 0 };
		while (json_member(&j, NULL, &name) &&
		    json_string(&j, NULL, &value)) {
			if (span_eq(name, SPAN("field")))
				field = value;
			else if (span_eq(name, SPAN("message")))
				why = value;
		}
		if (buf_add_str(&b, ": ") != OK ||
		    clean_line(field, &b) != OK || buf_add_str(&b, " ") != OK ||
		    clean_line(why, &b) != OK)
			break;
	}
	if (b.n > 0)
		snprintf(api->message, sizeof(api->message), "%.*s", (int)b.n,
		    (const char *)b.p);
	buf_fini(&b);
}

static enum exit_status
refused(struct api *api, uint32_t status, const struct success_rep *rep,
    const char *quiet_code)
{
	if (!rep->has_error) {
		host_error(api->h, "the server answered with status %u; is %s "
		    "a Nightjar server?", (unsigned)status,
		    api->h->where.url);
		return EXIT_REFUSED;
	}
	snprintf(api->code, sizeof(api->code), "%.*s",
	    (int)rep->error.code.n, (const char *)rep->error.code.p);
	keep_message(api, rep->error.message);
	if (rep->error.has_details) {
		api->details = rep->error.details;
		add_details(api, api->details);
	}
	if (quiet_code == NULL || strcmp(api->code, quiet_code) != 0)
		host_error(api->h, "%s", api->message);
	return strcmp(api->code, "invalid_token") == 0 &&
	    status == 401 && quiet_code == NULL ? EXIT_SIGNED_OUT :
	    EXIT_REFUSED;
}

static enum exit_status
take(struct api *api, const struct api_call *c, uint32_t status,
    const char *quiet_code)
{
	struct success_rep rep = { 0 };
	enum err e = shape_decode(&shape_success_rep, buf_span(&api->body),
	    &api->arena, &rep, NULL);

	if (e != OK || !rep.success || status >= 300)
		return refused(api, status, &rep, quiet_code);
	if (rep.has_message)
		keep_message(api, rep.message);
	if (c->rep == NULL)
		return EXIT_OK;
	if (!rep.has_data || shape_decode(c->rep_shape, rep.data,
	    &api->arena, c->rep, NULL) != OK) {
		host_error(api->h, "the server's answer is not understood; "
		    "it may be of another version");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

enum exit_status
api_call(struct api *api, const struct api_call *c, const char *quiet_code)
{
	enum exit_status st = EXIT_OK;
	struct span token = { NULL, 0 };
	struct buf request;
	uint32_t status = 0;
	enum err e = OK;

	buf_init(&request, REQUEST_MAX);
	api->message[0] = api->code[0] = '\0';
	if (c->is_signed_in)
		st = token_of(api, &token);
	if (st == EXIT_OK && c->req != NULL)
		e = shape_encode_buf(c->req_shape, c->req, &request);
	if (e != OK) {
		host_error(api->h, "the request could not be made (%s)",
		    err_text(e));
		st = EXIT_FAILED;
	}
	drop(&api->body);
	buf_init(&api->body, REMOTE_ANSWER_MAX);
	if (st == EXIT_OK)
		st = host_call(api->h, c->method, span_str(c->path), token,
		    buf_span(&request), &status, &api->body);
	drop(&request);
	return st == EXIT_OK ? take(api, c, status, quiet_code) : st;
}

enum exit_status
api_fetch(struct api *api, const char *path, int fd, uint64_t *bytes_out)
{
	const struct api_call none = { .rep = NULL };
	struct span token;
	uint32_t status = 0;
	enum exit_status st = token_of(api, &token);

	drop(&api->body);
	buf_init(&api->body, REMOTE_ANSWER_MAX);
	if (st == EXIT_OK)
		st = host_fetch(api->h, span_str(path), token, fd, &status,
		    &api->body, bytes_out);
	if (st == EXIT_OK && status != 200)
		st = take(api, &none, status, NULL);
	return st;
}

/* ---- what is printed ---- */

enum exit_status
api_print(struct api *api, const struct shape *shape, const void *rec)
{
	struct buf b;
	enum err e;

	buf_init(&b, API_ARENA);
	e = shape_encode_buf(shape, rec, &b);
	if (e == OK)
		e = show_line(&b);
	buf_fini(&b);
	if (e == OK)
		return EXIT_OK;
	host_error(api->h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

enum exit_status
api_done(struct api *api, const char *text)
{
	struct buf b;
	enum err e = OK;

	buf_init(&b, 4096);
	if (api->h->args->json) {
		e = buf_add_str(&b, "{");
		if (e == OK)
			e = show_json_bool(&b, "ok", true);
		if (e == OK)
			e = show_json_str(&b, "message", span_str(text));
		if (e == OK)
			e = buf_add_str(&b, "}");
	} else if (!api->h->args->quiet) {
		e = buf_add_str(&b, text);
	}
	if (e == OK && b.n > 0)
		e = show_line(&b);
	buf_fini(&b);
	return e == OK ? EXIT_OK : EXIT_FAILED;
}

/* ---- secrets ---- */

static bool
first_line(const char *path, char *out, size_t cap, size_t *n_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	size_t n = 0;

	if (fd < 0)
		return false;
	while (n < cap && (got = read(fd, out + n, cap - n)) > 0)
		n += (size_t)got;
	close(fd);
	*n_out = span_find(span_of(out, n), '\n');
	if (*n_out > 0 && out[*n_out - 1] == '\r')
		(*n_out)--;
	return got >= 0 && *n_out > 0;
}

enum exit_status
api_secret(struct host *h, const char *file, const char *variable,
    const char *question, bool is_new, char *out, size_t cap, size_t *n_out)
{
	const char *env = getenv(variable);
	char again[1024];
	size_t n = 0;
	bool same;

	if (file != NULL) {
		if (first_line(file, out, cap, n_out))
			return EXIT_OK;
		host_error(h, "nothing can be read from %s", file);
		return EXIT_USAGE;
	}
	if (env != NULL && strlen(env) <= cap) {
		*n_out = strlen(env);
		memcpy(out, env, *n_out);
		return EXIT_OK;
	}
	for (int i = 0; i < 5; i++) {
		if (tty_ask(question, false, out, cap, n_out) != OK) {
			host_error(h, "there is no terminal to ask at; give a "
			    "file by option or set %s", variable);
			return EXIT_USAGE;
		}
		if (!is_new)
			return EXIT_OK;
		same = tty_ask("The same again: ", false, again,
		    sizeof(again), &n) == OK &&
		    span_eq(span_of(out, *n_out), span_of(again, n));
		wipe(again, sizeof(again));
		if (same)
			return EXIT_OK;
		host_error(h, "the two differ; once more");
	}
	return EXIT_USAGE;
}
