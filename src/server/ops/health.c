/*
 * health.c: is the process there, can it do its work, what has it done; and
 * the pages that are the same for everybody.
 */
#include "server/ops.h"

#define PAGE_TYPE "text/html; charset=utf-8"

static const char page[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Nightjar</title>\n</head>\n<body>\n"
    "<h1>Nightjar</h1>\n"
    "<p>This is a Nightjar server: it relays end-to-end encrypted messages "
    "and cannot read them.</p>\n"
    "<p>Connect with the command line client:</p>\n"
    "<pre>nightjar --profile me register\nnightjar --profile me chat NAME"
    "</pre>\n"
    "<p>Programs find a REST interface under <code>/api</code> and Socket.IO "
    "under <code>/socket.io/</code>; <a href=\"/api/health\">/api/health</a> "
    "tells how this server is.</p>\n"
    "</body>\n</html>\n";

static void
health_fill(struct call *c, struct health_rep *out, enum err store)
{
	out->status = store == OK ? SPAN("ok") : SPAN("down");
	out->timestamp = c->now_ms;
	out->services.database = store == OK ? SPAN("ok") : SPAN("down");
}

enum err
health_live_check(struct call *c)
{
	struct health_rep *out = c->rep;
	enum err store = call_store_health(c);

	health_fill(c, out, store);
	out->status = SPAN("ok");	/* of the process */
	return OK;
}

enum err
health_ready_check(struct call *c)
{
	enum err store = call_store_health(c);

	health_fill(c, c->rep, store);
	return store == OK ? OK : call_fail(c, ERR_UNAVAILABLE,
	    "The database does not take writes");
}

enum err
health_api_check(struct call *c)
{
	struct health_rep *out = c->rep;
	enum err store = call_store_health(c);

	health_fill(c, out, store);
	if (store != OK)
		out->status = SPAN("degraded");
	out->uptime = call_uptime_ms(c) / 1000;
	out->has_uptime = true;
	return OK;
}

/* Of whom they tell (how many, when, how fast) is nobody else's business. */
enum err
health_metrics_check(struct call *c)
{
	return call_is_local(c) ? OK : call_fail(c, ERR_FORBIDDEN,
	    "Only for this machine");
}

void
health_metrics_emit(struct call *c)
{
	shard_metrics(c);
}

enum err
health_page_check(struct call *c)
{
	call_reply_raw(c, PAGE_TYPE, span_of(page, sizeof(page) - 1));
	return OK;
}

enum err
health_jwks_check(struct call *c)
{
	call_reply_page(c, CALL_PAGE_JWKS);
	return OK;
}

enum err
health_openapi_check(struct call *c)
{
	call_reply_page(c, CALL_PAGE_OPENAPI);
	return OK;
}
