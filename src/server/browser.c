/*
 * browser.c: cookies, CSRF tokens, origins.
 * exports browser_*, and cookie_* of call.h
 *
 * Implementation notes: a browser that asks for it keeps its refresh token in
 * a cookie that no script can read and that goes to /api/auth alone. Cookies
 * are sent by themselves, so a request that relies on this one has to prove
 * that it comes from a page of ours: SameSite keeps others' requests without
 * it, Origin is looked at, and X-CSRF-Token repeats the readable cookie
 * nj_csrf. That is a MAC of the session's id, so that who can set cookies (a
 * neighbour in the domain) can not make one that fits.
 */
#include "server/browser.h"

#include <stdio.h>

#include "base/text.h"
#include "crypto/host.h"

#define COOKIE_REFRESH "nj_refresh"
#define COOKIE_CSRF "nj_csrf"
#define CSRF_TEXT_MAX 48
#define COOKIE_MAX (JWT_MAX + 160)
#define ATTR_REFRESH "; Path=/api/auth; Secure; HttpOnly; SameSite=Strict"
#define ATTR_CSRF "; Path=/; Secure; SameSite=Strict"

/* ---- origins ---- */

bool
browser_is_own(struct span origin, struct span host, bool tls)
{
	struct span scheme = tls ? SPAN("https://") : SPAN("http://");

	return host.n > 0 && span_starts(origin, scheme) &&
	    span_eq_nocase(span_sub(origin, scheme.n, origin.n), host);
}

bool
browser_is_listed(const struct conf *conf, struct span origin)
{
	struct span list = span_str(conf->edge_origins);

	while (list.n > 0) {
		size_t end = span_find(list, ',');
		struct span item = span_sub(list, 0, end);

		while (item.n > 0 && item.p[0] == ' ')
			item = span_sub(item, 1, item.n);
		if (item.n > 0 && span_eq_nocase(origin, item))
			return true;
		list = span_sub(list, end + 1, list.n);
	}
	return false;
}

/* ---- requests ---- */

struct span
browser_cookie(struct span all, struct span name)
{
	while (all.n > 0) {
		size_t end = span_find(all, ';');
		struct span pair = span_sub(all, 0, end);
		size_t eq;

		while (pair.n > 0 && pair.p[0] == ' ')
			pair = span_sub(pair, 1, pair.n);
		eq = span_find(pair, '=');
		if (eq < pair.n && span_eq(span_sub(pair, 0, eq), name))
			return span_sub(pair, eq + 1, pair.n);
		all = span_sub(all, end + 1, all.n);
	}
	return SPAN("");
}

enum err
browser_take(struct frame *f, const struct edge_request *req)
{
	struct arena *a = &f->call.arena;
	struct span origin = http_find(req->head, "Origin"), cookie;
	bool own;

	if (origin.n > 0) {
		own = http_count(req->head, "Origin") == 1 &&
		    browser_is_own(origin, req->host, req->tls);
		f->is_foreign = !own;
		if (!own && http_count(req->head, "Origin") == 1 &&
		    browser_is_listed(f->call.conf, origin)) {
			f->is_foreign = false;
			TRY(arena_dup(a, origin, &f->cors));
		}
	}
	cookie = browser_cookie(http_find(req->head, "Cookie"),
	    SPAN(COOKIE_REFRESH));
	if (cookie.n == 0)
		return OK;
	TRY(arena_dup(a, cookie, &f->cookie));
	return arena_dup(a, http_find(req->head, "X-CSRF-Token"), &f->csrf);
}

/* ---- cookies, for steps (call.h) ---- */

enum err
cookie_may(struct call *c)
{
	return !frame_of(c)->is_foreign ? OK : call_fail(c, ERR_FORBIDDEN,
	    "This origin is not allowed");
}

/* The token that goes with a session's cookie. */
static enum err
csrf_make(struct call *c, const struct session_id *session,
    char out[static CSRF_TEXT_MAX], size_t *n_out)
{
	uint8_t text[sizeof(COOKIE_CSRF) + ID_LEN], mac[SHA256_LEN];

	memcpy(text, COOKIE_CSRF, sizeof(COOKIE_CSRF));
	memcpy(text + sizeof(COOKIE_CSRF), session->b, ID_LEN);
	TRY(host_hmac_sha256(SPAN_OF(frame_of(c)->home->server->keys->secret.b),
	    SPAN_OF(text), mac));
	*n_out = base64url_encode(SPAN_OF(mac), out);
	return OK;
}

static enum err
put_cookie(struct call *c, const char *name, struct span value,
    const char *attributes, struct span *out)
{
	uint8_t *p = arena_bytes(&c->arena, COOKIE_MAX);
	struct wr w = wr_init(p, p == NULL ? 0 : COOKIE_MAX);

	wr_str(&w, name);
	wr_u8(&w, '=');
	wr_span(&w, value);
	wr_str(&w, "; Max-Age=");
	wr_dec(&w, c->conf->accounts_refresh_ms / 1000);
	wr_str(&w, attributes);
	if (p == NULL || !wr_ok(&w))
		return ERR_TOO_LARGE;
	*out = wr_done(&w);
	return OK;
}

enum err
cookie_set(struct call *c, const struct session_id *session,
    struct span refresh)
{
	struct frame *f = frame_of(c);
	char csrf[CSRF_TEXT_MAX];
	size_t n;

	TRY(csrf_make(c, session, csrf, &n));
	TRY(put_cookie(c, COOKIE_REFRESH, refresh, ATTR_REFRESH,
	    &f->set_refresh));
	return put_cookie(c, COOKIE_CSRF, span_of(csrf, n), ATTR_CSRF,
	    &f->set_csrf);
}

void
cookie_clear(struct call *c)
{
	struct frame *f = frame_of(c);

	f->clears = f->cookie.n > 0;
}

struct span
cookie_get(struct call *c)
{
	return frame_of(c)->cookie;
}

enum err
cookie_check(struct call *c, const struct session_id *session)
{
	struct frame *f = frame_of(c);
	char csrf[CSRF_TEXT_MAX];
	size_t n;

	TRY(cookie_may(c));
	TRY(csrf_make(c, session, csrf, &n));
	if (f->csrf.n != n || !ct_eq(f->csrf.p, csrf, n))
		return call_fail(c, ERR_FORBIDDEN,
		    "X-CSRF-Token must repeat the cookie " COOKIE_CSRF);
	return OK;
}

/* ---- answers ---- */

static void
add(struct http_field *out, size_t *n, const char *name, struct span value)
{
	out[(*n)++] = (struct http_field){ span_str(name), value };
}

size_t
browser_headers(const struct frame *f, struct http_field *out)
{
	size_t n = 0;

	if (f->err == OK && f->set_refresh.n > 0) {
		add(out, &n, "Set-Cookie", f->set_refresh);
		add(out, &n, "Set-Cookie", f->set_csrf);
	} else if (f->clears && (f->err == OK || err_status(f->err) == 401)) {
		add(out, &n, "Set-Cookie", SPAN(COOKIE_REFRESH
		    "=; Max-Age=0" ATTR_REFRESH));
		add(out, &n, "Set-Cookie", SPAN(COOKIE_CSRF
		    "=; Max-Age=0" ATTR_CSRF));
	}
	if (f->call.conf->edge_origins[0] != '\0')
		add(out, &n, "Vary", SPAN("Origin"));
	if (f->cors.n > 0) {
		add(out, &n, "Access-Control-Allow-Origin", f->cors);
		add(out, &n, "Access-Control-Allow-Credentials",
		    SPAN("true"));
		add(out, &n, "Access-Control-Expose-Headers",
		    SPAN("RateLimit-Limit, RateLimit-Remaining, "
		    "RateLimit-Reset, Retry-After, X-Request-Id"));
	}
	return n;
}

bool
browser_preflight(struct shard *s, struct edge_ref ref,
    const struct edge_request *req, const char *allow,
    struct span request_id)
{
	const struct conf *conf = atomic_load_explicit(&s->server->conf,
	    memory_order_acquire);
	struct span origin = http_find(req->head, "Origin");
	struct http_field h[8];
	size_t n = 0;

	if (!span_eq(req->head->method_text, SPAN("OPTIONS")) ||
	    origin.n == 0 || http_count(req->head, "Origin") != 1 ||
	    http_find(req->head, "Access-Control-Request-Method").n == 0)
		return false;
	if (!browser_is_listed(conf, origin)) {
		answer_refuse(s, ref, ERR_FORBIDDEN, 403, request_id, NULL,
		    "this origin is not among edge.origins");
		return true;
	}
	add(h, &n, "Access-Control-Allow-Origin", origin);
	add(h, &n, "Access-Control-Allow-Credentials", SPAN("true"));
	add(h, &n, "Access-Control-Allow-Methods", span_str(allow));
	add(h, &n, "Access-Control-Allow-Headers",
	    SPAN("Authorization, Content-Type, X-CSRF-Token, X-Request-Id"));
	add(h, &n, "Access-Control-Max-Age", SPAN("600"));
	add(h, &n, "Vary", SPAN("Origin"));
	add(h, &n, "X-Request-Id", request_id);
	edge_answer(ref, &(struct edge_answer){ .status = 204, .headers = h,
	    .headers_n = n });
	return true;
}
