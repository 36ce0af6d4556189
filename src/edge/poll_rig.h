/*
 * poll_rig.h: for the tests of polling: the edge of rig.h with a path for
 * bare Engine.IO, whose application echoes, and clients that poll.
 */
#ifndef EDGE_POLL_RIG_H
#define EDGE_POLL_RIG_H

#include "edge/poll.h"
#include "edge/rig.h"
#include "net/thread.h"

#define POLL_PATH "/engine.io/?EIO=4&transport=polling"
#define SEP "\x1e"

/* What the bare sessions of these tests do. */
static struct {
	struct edge_ref session;
	unsigned begun, ended;
	enum edge_end why;
	void *user;
} bare;

static struct edge_app bare_app;
static const struct edge_path bare_paths[] = {
	{ { (const uint8_t *)"/engine.io/", 11 }, EDGE_ENGINE_IO },
	{ { (const uint8_t *)"/socket.io/", 11 }, EDGE_SOCKET_IO },
};

RIG int
bare_handshake(void *arg, struct edge_handshake *h)
{
	(void)arg;
	bare.begun++;
	bare.session = h->session;
	h->user = &bare;
	/* There is nothing yet that could be sent to or ended. */
	assert_false(edge_send(h->session, SPAN("early"), false));
	edge_end_session(h->session);
	assert_true(sys_addr_decode("203.0.113.7", 0, h->addr));
	return rig.handshake_status;
}

RIG void
bare_end(void *arg, void *user, enum edge_end why)
{
	(void)arg;
	bare.ended++;
	bare.user = user;
	bare.why = why;
}

/* Echoes, but for what is told to it. */
RIG void
bare_message(void *arg, struct edge_ref session, struct span message,
    bool binary)
{
	(void)arg;
	if (span_eq(message, SPAN("close"))) {
		(void)edge_send(session, SPAN("last words"), false);
		edge_end_session(session);
		assert_false(edge_send(session, SPAN("unheard"), false));
	} else {
		assert_ptr_equal(edge_session_user(session), &bare);
		(void)edge_send(session, message, binary);
	}
}

RIG bool
bare_origin(void *arg, struct span origin)
{
	(void)arg;
	return span_eq(origin, SPAN("https://good.example"));
}

RIG bool
bare_page(void *arg, const struct edge_request *req)
{
	(void)arg;
	return !span_eq(http_find(req->head, "Origin"),
	    SPAN("https://evil.example"));
}

RIG struct edge_conf
conf(void)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.paths = bare_paths;
	c.paths_n = 2;
	return c;
}

RIG void
start(const struct edge_conf *c)
{
	bare_app = rig_app;
	bare_app.on_handshake = bare_handshake;
	bare_app.on_session_end = bare_end;
	bare_app.on_message = bare_message;
	bare_app.on_origin = bare_origin;
	bare_app.on_page = bare_page;
	memset(&bare, 0, sizeof bare);
	buf_init(&rig.log, RIG_OUT_MAX);
	assert_int_equal(reactor_open(3, &rig.reactor), OK);
	reactor_adopt(rig.reactor);
	assert_int_equal(edge_open(rig.reactor, c, &bare_app, &rig.edge), OK);
}

RIG int
setup(void **state)
{
	struct edge_conf c = conf();

	(void)state;
	memset(&rig, 0, sizeof rig);
	start(&c);
	return 0;
}

RIG void
restart(const struct edge_conf *c)
{
	rig_teardown(NULL);
	start(c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_fini)

/* ---- Clients ---- */

static char sid[EDGE_SID + 1];

RIG void
ask(int fd, const char *method, const char *path, const char *body)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%s %s%s%s HTTP/1.1\r\nHost: h"
	    "\r\nContent-Length: %zu\r\n\r\n", method, path,
	    sid[0] == '\0' ? "" : "&sid=", sid, strlen(body));

	rig_send(fd, span_of(text, (size_t)n));
	rig_send(fd, span_str(body));
}

/* The body of the answer with that status; NULL: none came yet. */
RIG const char *
answered(int fd, int status)
{
	const char *got = rig_text(fd, NULL), *body;
	char want[32];

	if (got[0] == '\0')
		return NULL;
	snprintf(want, sizeof want, "HTTP/1.1 %d ", status);
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("%s, not %s", got, want);
	body = strstr(got, "\r\n\r\n");
	assert_non_null(body);
	return body + 4;
}

RIG void
expect(int fd, int status, const char *want)
{
	const char *got = answered(fd, status);

	if (got == NULL || strcmp(got, want) != 0)
		fail_msg("%s, not %s", got == NULL ? "nothing" : got, want);
}

/* A session over polling; its id in sid. */
RIG void
begin(void)
{
	int fd = rig_client();
	const char *got, *at;

	sid[0] = '\0';
	ask(fd, "GET", POLL_PATH, "");
	got = answered(fd, 200);
	assert_non_null(got);
	at = strstr(got, "0{\"sid\":\"");
	assert_ptr_equal(at, got);
	assert_non_null(strstr(got, "\"upgrades\":[\"websocket\"]"));
	memcpy(sid, at + 9, EDGE_SID);
	sid[EDGE_SID] = '\0';
	sys_close(fd);
	rig_run(3);
}

RIG void
expect_call(const char *method, const char *body, int status,
    const char *want)
{
	int fd = rig_client();

	ask(fd, method, POLL_PATH, body);
	expect(fd, status, want);
	sys_close(fd);
	rig_run(3);
}

RIG void
post(const char *body)
{
	expect_call("POST", body, 200, "ok");
}

RIG void
expect_gone(void)
{
	expect_call("GET", "", 400,
	    "{\"code\":1,\"message\":\"Session ID unknown\"}");
}

RIG int
wait_get(void)
{
	int fd = rig_client();

	ask(fd, "GET", POLL_PATH, "");
	assert_null(answered(fd, 200));
	return fd;
}

RIG int
probe(void)
{
	int fd = rig_client();
	char text[512];
	int n = snprintf(text, sizeof text, "GET /engine.io/?EIO=4&transport="
	    "websocket&sid=%s HTTP/1.1\r\n" RIG_UPGRADE "\r\n", sid);

	rig_send(fd, span_of(text, (size_t)n));
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 101 "));
	return fd;
}

#endif
