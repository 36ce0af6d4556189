/*
 * openapi.c: paths, parameters, bodies and answers of the document.
 */
#include "server/openapi.h"

#include <assert.h>
#include <stdio.h>

#include "server/conf.h"
#include "server/ops.h"
#include "server/rate.h"
#include "server/route.h"
#include "wire/json.h"

#ifndef NIGHTJAR_VERSION
#define NIGHTJAR_VERSION "0.1.0"
#endif

/* A row of names.def. */
struct name {
	struct span method, path;	/* "GET", "/api/users/:id" */
	const char *text, *summary, *op_name;
	enum op_id op;
	enum dialect dialect;
};

static const struct {
	const char *text, *summary, *op_name;
	enum op_id op;
	enum dialect dialect;
} https[] = {
#define HTTP(dialect, text, op, summary) { text, summary, #op, OP_##op, \
	DIALECT_##dialect },
#define EVENT(...)
#include "server/names.def"
#undef EVENT
#undef HTTP
};
#define HTTPS_N (sizeof(https) / sizeof(https[0]))

static const struct {
	const char *name, *fail_event;
	enum op_id op;
} events[] = {
#define HTTP(...)
#define EVENT(dialect, name, op, fail) { name, fail, OP_##op },
#include "server/names.def"
#undef EVENT
#undef HTTP
};

static const struct {
	const char *c_key, *per;
} rates[] = {
#define SCOPE_TEXT_ADDRESS "address"
#define SCOPE_TEXT_SESSION "session"
#define SCOPE_TEXT_USER "user"
#define RATE(name, scope, key) { #key, SCOPE_TEXT_##scope },
#include "server/rates.def"
#undef RATE
};

static const struct {
	const char *c_key, *name, *value;
} keys[] = {
#define CONF(c_name, name, type, value, ...) { #c_name, name, value },
#include "server/conf.def"
#undef CONF
};

/* What operations answer that is no record. */
static const struct {
	enum op_id op;
	const char *type;
} raws[] = {
	{ OP_jwks, "application/jwk-set+json" },
	{ OP_metrics, "text/plain" },
	{ OP_openapi, "application/json" },
	{ OP_page, "text/html" },
	{ OP_export, "application/zip" },
};

static struct name
name_at(size_t i)
{
	struct span text = span_str(https[i].text);
	size_t at = span_find(text, ' ');

	return (struct name){ .method = span_sub(text, 0, at),
	    .path = span_sub(text, at + 1, text.n), .text = https[i].text,
	    .summary = https[i].summary, .op_name = https[i].op_name,
	    .op = https[i].op, .dialect = https[i].dialect };
}

/* ---- parameters ---- */

/* Is the member a ":name" of the path? */
static bool
in_path(const void *path, const struct shape_row *r)
{
	struct span left = *(const struct span *)path;

	while (left.n > 0) {
		size_t end = span_find(left, '/');
		struct span part = span_sub(left, 0, end);

		if (part.n > 1 && part.p[0] == ':' &&
		    span_eq(span_sub(part, 1, part.n), span_str(r->name)))
			return true;
		left = span_sub(left, end + 1, left.n);
	}
	return false;
}

/*
 * Where does what is not in the path stand? In a body, but for GET, and for a
 * DELETE that does not need a password or a signed object.
 */
static bool
has_body(const struct name *n, const struct shape *req)
{
	if (!span_eq(n->method, SPAN("DELETE")))
		return !span_eq(n->method, SPAN("GET"));
	for (uint32_t i = 0; i < req->rows_n; i++)
		if (req->rows[i].kind == SHAPE_STRB ||
		    req->rows[i].kind == SHAPE_B64)
			return true;
	return false;
}

static void
put_parameter(struct wr *w, const struct shape_row *r, bool path)
{
	bool list = r->kind == SHAPE_LIST || r->kind == SHAPE_STRS ||
	    r->kind == SHAPE_B64S || r->kind == SHAPE_UUIDS ||
	    r->kind == SHAPE_U32S;

	wr_str(w, "{\"name\":");
	json_put_str(w, span_str(r->name));
	wr_str(w, path ? ",\"in\":\"path\"" : ",\"in\":\"query\"");
	wr_str(w, path || r->need == SHAPE_REQ ? ",\"required\":true" :
	    ",\"required\":false");
	if (list)	/* separated by commas */
		wr_str(w, ",\"style\":\"form\",\"explode\":false");
	wr_str(w, ",\"schema\":");
	openapi_schema_row(r, false, w);
	wr_u8(w, '}');
}

static void
put_parameters(struct wr *w, const struct name *n, const struct shape *req)
{
	size_t count = 0;

	for (uint32_t i = 0; i < req->rows_n; i++) {
		bool path = in_path(&n->path, &req->rows[i]);

		if (!path && has_body(n, req))
			continue;
		wr_str(w, count++ > 0 ? "," : ",\"parameters\":[");
		put_parameter(w, &req->rows[i], path);
	}
	if (count > 0)
		wr_u8(w, ']');
}

static void
put_body(struct wr *w, const struct name *n, const struct shape *req)
{
	size_t count = 0, path = 0;
	bool needed = false;

	for (uint32_t i = 0; i < req->rows_n; i++) {
		if (in_path(&n->path, &req->rows[i])) {
			path++;
			continue;
		}
		count++;
		needed = needed || req->rows[i].need != SHAPE_OPT;
	}
	if (!has_body(n, req) || count == 0)
		return;
	wr_str(w, ",\"requestBody\":{\"required\":");
	json_put_bool(w, needed);
	wr_str(w, ",\"content\":{\"application/json\":{\"schema\":");
	if (path == 0)
		openapi_ref(req, w);
	else
		openapi_schema(req, in_path, &n->path, w);
	wr_str(w, "}}}");
}

/* ---- answers ---- */

static const char *
raw_type(enum op_id op)
{
	size_t i = 0;

	while (i < sizeof(raws) / sizeof(raws[0]) && raws[i].op != op)
		i++;
	assert(i < sizeof(raws) / sizeof(raws[0]));
	return raws[i].type;
}

/* The schema of a success in its envelope. */
static void
put_success(struct wr *w, const struct name *n, const struct op *op)
{
	const struct shape *rep = op->rep;

	if (n->dialect == DIALECT_bare && rep != &shape_none) {
		openapi_ref(rep, w);
		return;
	}
	wr_str(w, "{\"type\":\"object\",\"properties\":{\"success\":"
	    "{\"type\":\"boolean\",\"const\":true},");
	if (rep == &shape_none) {
		wr_str(w, "\"message\":{\"type\":\"string\"}},"
		    "\"required\":[\"success\",\"message\"]}");
		return;
	}
	wr_str(w, "\"data\":");
	if (n->dialect == DIALECT_list)
		openapi_schema_row(&rep->rows[0], false, w);
	else
		openapi_ref(rep, w);
	wr_str(w, "},\"required\":[\"success\",\"data\"]}");
}

static void
put_answer(struct wr *w, const struct name *n, const struct op *op,
    unsigned status)
{
	wr_u8(w, '"');
	wr_dec(w, status);
	wr_str(w, "\":{\"description\":");
	json_put_str(w, span_str(status == 201 ? "Made" : op->message != NULL ?
	    op->message : "Success"));
	wr_str(w, ",\"headers\":{\"X-Request-Id\":{\"$ref\":"
	    "\"#/components/headers/X-Request-Id\"}");
	if (op->rate != RATE_FREE)
		for (const char *const *h = (const char *const[]){ "Limit",
		    "Remaining", "Reset", NULL }; *h != NULL; h++) {
			wr_str(w, ",\"RateLimit-");
			wr_str(w, *h);
			wr_str(w, "\":{\"$ref\":"
			    "\"#/components/headers/RateLimit-");
			wr_str(w, *h);
			wr_str(w, "\"}");
		}
	wr_str(w, "},\"content\":{");
	json_put_str(w, span_str(n->dialect == DIALECT_raw ?
	    raw_type(n->op) : "application/json"));
	wr_str(w, ":{\"schema\":");
	if (n->dialect != DIALECT_raw)
		put_success(w, n, op);
	else if (n->op == OP_jwks || n->op == OP_openapi)
		wr_str(w, "{\"type\":\"object\"}");
	else
		wr_str(w, "{\"type\":\"string\"}");
	wr_str(w, "}}}");
}

static void
put_error(struct wr *w, unsigned status)
{
	wr_str(w, ",\"");
	wr_dec(w, status);
	wr_str(w, "\":{\"$ref\":\"#/components/responses/E");
	wr_dec(w, status);
	wr_str(w, "\"}");
}

/* Is there something that may not be there, or not for the caller? */
static bool
may_miss(const struct name *n, const struct op *op)
{
	bool is_one = n->op == OP_keybackup_get || n->op == OP_keybackup_delete;

	for (uint32_t i = 0; i < op->req->rows_n; i++)
		is_one = is_one || in_path(&n->path, &op->req->rows[i]);
	return is_one || (op->who != WHO_ANYONE && op->req != &shape_none);
}

static void
put_answers(struct wr *w, const struct name *n, const struct op *op)
{
	wr_str(w, ",\"responses\":{");
	if (op->creates != CREATES_ALWAYS)
		put_answer(w, n, op, 200);
	if (op->creates == CREATES_MAYBE)
		wr_u8(w, ',');
	if (op->creates != CREATES_NEVER)
		put_answer(w, n, op, 201);
	if (n->op == OP_jwks || n->op == OP_openapi)
		wr_str(w, ",\"304\":{\"description\":\"As If-None-Match "
		    "names it\"}");
	if (op->req != &shape_none)
		put_error(w, 400);
	if (op->who != WHO_ANYONE || op->rate == RATE_LOGIN ||
	    op->rate == RATE_REFRESH)
		put_error(w, 401);
	if (op->who != WHO_ANYONE || op->rate == RATE_REGISTER ||
	    op->rate == RATE_REFRESH)
		put_error(w, 403);
	if (may_miss(n, op))
		put_error(w, 404);
	if (has_body(n, op->req) || span_eq(n->method, SPAN("DELETE")))
		put_error(w, 409);
	if (has_body(n, op->req)) {
		put_error(w, 413);
		put_error(w, 415);
	}
	if (op->rate != RATE_FREE)
		put_error(w, 429);
	put_error(w, 500);
	put_error(w, 503);
	wr_u8(w, '}');
}

/* ---- operations ---- */

static void
put_rate(struct wr *w, const struct op *op)
{
	const char *key = rates[op->rate].c_key;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].c_key, key) != 0)
			continue;
		wr_str(w, ",\"x-rate-limit\":{\"key\":");
		json_put_str(w, span_str(keys[i].name));
		wr_str(w, ",\"default\":");
		json_put_str(w, span_str(keys[i].value));
		wr_str(w, ",\"per\":");
		json_put_str(w, span_str(rates[op->rate].per));
		wr_u8(w, '}');
	}
}

/* Operations have one id each: a second path of one is told by a number. */
static void
put_id(struct wr *w, size_t i)
{
	unsigned before = 0;

	for (size_t k = 0; k < i; k++)
		before += https[k].op == https[i].op;
	wr_str(w, "\"operationId\":\"");
	wr_str(w, https[i].op_name);
	if (before > 0) {
		wr_u8(w, '_');
		wr_dec(w, before + 1);
	}
	wr_u8(w, '"');
}

/* "/api/chats/:chatId" is of "chats", "/auth/login" of "auth". */
static struct span
tag_of(struct span path)
{
	struct span rest = span_sub(path, 1, path.n);
	struct span one = span_sub(rest, 0, span_find(rest, '/'));

	if (span_eq(one, SPAN("api")) && rest.n > one.n) {
		rest = span_sub(rest, one.n + 1, rest.n);
		one = span_sub(rest, 0, span_find(rest, '/'));
	}
	return one.n > 0 ? one : SPAN("page");
}

static void
put_operation(struct wr *w, size_t i)
{
	const struct name n = name_at(i);
	const struct op *op = ops_get(n.op);

	wr_u8(w, '"');
	for (size_t k = 0; k < n.method.n; k++)
		wr_u8(w, (uint8_t)(n.method.p[k] | 0x20));	/* lower case */
	wr_str(w, "\":{");
	put_id(w, i);
	wr_str(w, ",\"summary\":");
	json_put_str(w, span_str(n.summary));
	wr_str(w, ",\"tags\":[");
	json_put_str(w, tag_of(n.path));
	wr_u8(w, ']');
	if (n.op == OP_refresh)
		wr_str(w, ",\"security\":[{},{\"cookie\":[],\"csrf\":[]}]");
	else
		wr_str(w, op->who == WHO_ANYONE ? ",\"security\":[]" :
		    ",\"security\":[{\"bearer\":[]}]");
	if (op->who == WHO_DEVICE)
		wr_str(w, ",\"x-device\":true");
	put_parameters(w, &n, op->req);
	put_body(w, &n, op->req);
	put_answers(w, &n, op);
	put_rate(w, op);
	wr_u8(w, '}');
}

/* ":chatId" is "{chatId}" here. */
static void
put_path(struct wr *w, struct span path)
{
	bool open = false;

	wr_u8(w, '"');
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '/' && open)
			wr_u8(w, '}');
		open = path.p[i] == ':' || (open && path.p[i] != '/');
		wr_u8(w, path.p[i] == ':' ? '{' : path.p[i]);
	}
	wr_str(w, open ? "}\":{" : "\":{");
}

static void
put_paths(struct wr *w)
{
	wr_str(w, ",\"paths\":{");
	for (size_t i = 0, paths = 0; i < HTTPS_N; i++) {
		const struct name n = name_at(i);
		size_t k = 0, ops = 0;

		/* Where its path stands first; all of its methods. */
		while (!span_eq(name_at(k).path, n.path))
			k++;
		if (k != i)
			continue;
		if (paths++ > 0)
			wr_u8(w, ',');
		put_path(w, n.path);
		for (k = i; k < HTTPS_N; k++) {
			if (!span_eq(name_at(k).path, n.path))
				continue;
			if (ops++ > 0)
				wr_u8(w, ',');
			put_operation(w, k);
		}
		wr_u8(w, '}');
	}
	wr_u8(w, '}');
}

/* ---- Socket.IO: the same operations by events ---- */

static void
put_shape(struct wr *w, const char *name, const struct shape *s)
{
	if (s == &shape_none)
		return;
	wr_u8(w, ',');
	json_put_name(w, name);
	openapi_ref(s, w);
}

static void
put_events(struct wr *w)
{
	wr_str(w, ",\"x-socketio\":{\"path\":\"/socket.io/\","
	    "\"namespace\":\"/\",\"events\":[");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct op *op = ops_get(events[i].op);

		wr_str(w, i > 0 ? ",{\"event\":" : "{\"event\":");
		json_put_str(w, span_str(events[i].name));
		put_shape(w, "payload", op->req);
		put_shape(w, "acknowledgement", op->rep);
		if (events[i].fail_event != NULL) {
			wr_str(w, ",\"failure\":");
			json_put_str(w, span_str(events[i].fail_event));
		}
		put_rate(w, op);
		wr_u8(w, '}');
	}
	wr_str(w, "]}");
}

/* ---- components ---- */

/* The codes of a status, each once. */
static void
put_codes(struct wr *w, int status)
{
	size_t n = 0;

	for (int e = 1; e < ERR_MAX; e++) {
		const char *code = err_code((enum err)e);
		bool seen = err_status((enum err)e) != status;

		for (int k = 1; k < e && !seen; k++)
			seen = err_status((enum err)k) == status &&
			    strcmp(err_code((enum err)k), code) == 0;
		if (seen)
			continue;
		wr_str(w, n++ > 0 ? ", " : "");
		wr_str(w, code);
	}
}

static void
put_responses(struct wr *w)
{
	static const unsigned all[] = { 400, 401, 403, 404, 409, 413, 415,
	    429, 500, 503 };

	wr_str(w, ",\"responses\":{");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		wr_str(w, i > 0 ? ",\"E" : "\"E");
		wr_dec(w, all[i]);
		wr_str(w, "\":{\"description\":\"");
		put_codes(w, (int)all[i]);
		wr_str(w, "\",\"content\":{\"application/json\":{\"schema\":"
		    "{\"$ref\":\"#/components/schemas/error_rep\"}}}}");
	}
	wr_u8(w, '}');
}

static void
put_headers(struct wr *w)
{
	static const char *const all[][2] = {
		{ "X-Request-Id", "of this request" },
		{ "RateLimit-Limit", "requests that the limit allows" },
		{ "RateLimit-Remaining", "of these left" },
		{ "RateLimit-Reset", "seconds until all are there again" },
	};

	wr_str(w, ",\"headers\":{");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (i > 0)
			wr_u8(w, ',');
		json_put_name(w, all[i][0]);
		wr_str(w, "{\"description\":");
		json_put_str(w, span_str(all[i][1]));
		wr_str(w, i == 0 ? ",\"schema\":{\"type\":\"string\"}}" :
		    ",\"schema\":{\"type\":\"integer\"}}");
	}
	wr_u8(w, '}');
}

/* Records that an operation's row refers to; others stand in it in full. */
static void
use_of_name(struct openapi_used *used, size_t i)
{
	const struct name n = name_at(i);
	const struct op *op = ops_get(n.op);
	bool path = false;

	for (uint32_t k = 0; k < op->req->rows_n; k++) {
		path = path || in_path(&n.path, &op->req->rows[k]);
		if (op->req->rows[k].shape != NULL)
			openapi_use(used, op->req->rows[k].shape);
	}
	if (has_body(&n, op->req) && !path)
		openapi_use(used, op->req);
	openapi_use(used, n.dialect == DIALECT_list ?
	    op->rep->rows[0].shape : op->rep);
}

static void
put_components(struct wr *w)
{
	struct openapi_used used = { .all = { false } };

	openapi_use(&used, &shape_error_rep);
	for (size_t i = 0; i < HTTPS_N; i++)
		use_of_name(&used, i);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		openapi_use(&used, ops_get(events[i].op)->req);
		openapi_use(&used, ops_get(events[i].op)->rep);
	}
	wr_str(w, ",\"components\":{\"schemas\":{");
	openapi_schemas(&used, w);
	wr_u8(w, '}');
	put_responses(w);
	put_headers(w);
	wr_str(w, ",\"securitySchemes\":{"
	    "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
	    "\"bearerFormat\":\"JWT\",\"description\":\"an access token\"},"
	    "\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\","
	    "\"name\":\"nj_refresh\",\"description\":\"a refresh token\"},"
	    "\"csrf\":{\"type\":\"apiKey\",\"in\":\"header\","
	    "\"name\":\"X-CSRF-Token\",\"description\":"
	    "\"repeats the cookie nj_csrf\"}}}");
}

void
openapi_write(struct wr *w)
{
	wr_str(w, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Nightjar\","
	    "\"version\":\"" NIGHTJAR_VERSION "\",\"summary\":"
	    "\"A self-hosted end-to-end encrypted messenger\","
	    "\"description\":\"Made from the tables that this server runs "
	    "on. What is encrypted passes through it unread.\"},"
	    "\"servers\":[{\"url\":\"/\"}]");
	put_paths(w);
	put_events(w);
	put_components(w);
	wr_u8(w, '}');
}
