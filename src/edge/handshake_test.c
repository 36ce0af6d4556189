/*
 * handshake_test.c: requests for the Engine.IO paths: their ids, and who may
 * read the answers.
 */
#include "edge/poll_rig.h"

/* Engine.IO protocol, revision 4, "Handshake"; codes as of engine.io. */
static void
test_handshake_errors(void **state)
{
	static const struct {
		const char *method, *query, *body;
	} rows[] = {
		{ "GET", "", "{\"code\":0,\"message\":\"Transport unknown\"}" },
		{ "GET", "?EIO=4", "\"code\":0" },
		{ "GET", "?EIO=4&transport=x&sid=y", "\"code\":0" },
		{ "GET", "?EIO=4&transport=polling&sid=y", "\"code\":1" },
		{ "GET", "?EIO=4&transport=polling&sid=AAMAAAAAAAAAAAAAAAAAAAAA",
		    "{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ "GET", "?EIO=4&transport=polling&sid=____AAAAAAAAAAAAAAAAAAAA",
		    "\"code\":1" },
		{ "GET", "?EIO=4&transport=polling&sid=.AMAAAAAAAAAAAAAAAAAAAAA",
		    "\"code\":1" },
		{ "PUT", "?EIO=4&transport=polling",
		    "{\"code\":2,\"message\":\"Bad handshake method\"}" },
		{ "GET", "?EIO=4&transport=websocket",
		    "{\"code\":3,\"message\":\"Bad request\"}" },
		{ "GET", "?%zz", "\"code\":0" },
		{ "GET", "?EIO=4&transport=polling&transport=websocket",
		    "\"code\":3" },
		{ "GET", "?EIO=4&transport=polling&%zz=%ff&EIO=3",
		    "\"code\":5" },
		{ "GET", "?EIO=3&transport=polling", "{\"code\":5,\"message\":"
		    "\"Unsupported protocol version\"}" },
		{ "GET", "?transport=polling", "\"code\":5" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd = rig_client();
		int n = snprintf(text, sizeof text, "%s /engine.io/%s HTTP/1.1"
		    "\r\nHost: h\r\n\r\n", rows[i].method, rows[i].query);
		const char *got;

		rig_send(fd, span_of(text, (size_t)n));
		got = rig_text(fd, NULL);
		if (strncmp(got, "HTTP/1.1 400 ", 13) != 0 ||
		    strstr(got, rows[i].body) == NULL)
			fail_msg("%s for %s", got, text);
		sys_close(fd);
		rig_run(3);
	}
	assert_int_equal(bare.begun, 0);
	assert_int_equal(edge_stats(rig.edge)->bad_handshakes,
	    sizeof rows / sizeof rows[0]);
}

/* An id is all of its characters, and its path. */
static void
test_handshake_ids(void **state)
{
	struct poll_request q = { .path = 0 };

	(void)state;
	begin();
	memcpy(q.sid, sid, EDGE_SID);
	assert_non_null(edge_handshake_find(rig.edge, &q));
	for (size_t i = 0; i < EDGE_SID; i++) {
		q.sid[i] = sid[i] == 'A' ? 'B' : 'A';
		assert_null(edge_handshake_find(rig.edge, &q));
		q.sid[i] = sid[i];
	}
	q.path = 1;
	assert_null(edge_handshake_find(rig.edge, &q));
}

static void
test_handshake_app_may_refuse(void **state)
{
	int fd = rig_client();

	(void)state;
	rig.handshake_status = 403;
	sid[0] = '\0';
	ask(fd, "GET", POLL_PATH, "");
	expect(fd, 403, "{\"code\":4,\"message\":\"Forbidden\"}");
	assert_int_equal(bare.ended, 0);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
}

/* Who knows the id is still asked where his page is from. */
static void
test_handshake_pages_that_may_not_speak(void **state)
{
	static const struct { const char *start, *rest; } requests[] = {
		{ "GET " POLL_PATH, "\r\n" },
		{ "POST " POLL_PATH, "Content-Length: 2\r\n\r\n4x" },
		{ "GET /engine.io/?EIO=4&transport=websocket",
		    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
		    "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" },
	};
	char text[512];

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int fd = rig_client(), n = snprintf(text, sizeof text,
		    "%s&sid=%s HTTP/1.1\r\nHost: h\r\nOrigin: "
		    "https://evil.example\r\n%s", requests[i].start, sid,
		    requests[i].rest);

		rig_send(fd, span_of(text, (size_t)n));
		expect(fd, 403, "{\"code\":4,\"message\":\"Forbidden\"}");
		sys_close(fd);
		rig_run(3);
	}
	assert_int_equal(bare.ended, 0);
	post("4alive");			/* and nothing was disturbed */
	expect_call("GET", "", 200, "4alive");
}

/* ---- CORS ---- */

static const char *
cors(const char *method, const char *origin)
{
	static char text[512];
	int fd = rig_client();
	int n = snprintf(text, sizeof text, "%s " POLL_PATH " HTTP/1.1\r\n"
	    "Host: h\r\nOrigin: %s\r\nAccess-Control-Request-Method: POST\r\n"
	    "Access-Control-Request-Headers: x-a\r\n\r\n", method, origin);
	const char *got;

	rig_send(fd, span_of(text, (size_t)n));
	got = rig_text(fd, NULL);
	sys_close(fd);
	rig_run(3);
	return got;
}

/* Fetch standard, "CORS protocol". */
static void
test_cors_for_listed_origins(void **state)
{
	struct edge_conf c = conf();
	const char *got;

	(void)state;
	c.cors = EDGE_CORS_APP;
	restart(&c);
	got = cors("GET", "https://good.example");
	assert_non_null(strstr(got, "Access-Control-Allow-Origin: "
	    "https://good.example\r\n"));
	assert_non_null(strstr(got, "Vary: Origin\r\n"));
	got = cors("OPTIONS", "https://good.example");
	assert_non_null(strstr(got, "HTTP/1.1 204 "));
	assert_non_null(strstr(got, "Access-Control-Allow-Headers: x-a\r\n"));
	got = cors("GET", "https://evil.example");
	assert_null(strstr(got, "Access-Control-Allow-Origin"));
	assert_non_null(strstr(got, "Vary: Origin\r\n"));
	got = cors("OPTIONS", "https://evil.example");
	assert_null(strstr(got, "Access-Control-Allow"));
}

static void
test_cors_for_all(void **state)
{
	struct edge_conf c = conf();

	(void)state;
	c.cors = EDGE_CORS_ANY;
	restart(&c);
	assert_non_null(strstr(cors("GET", "https://evil.example"),
	    "Access-Control-Allow-Origin: *\r\n"));
	assert_non_null(strstr(cors("POST", "https://evil.example"),
	    "Access-Control-Allow-Origin: *\r\n"));
	assert_non_null(strstr(cors("OPTIONS", "https://evil.example"),
	    "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
}

static void
test_cors_for_none(void **state)
{
	(void)state;
	assert_null(strstr(cors("GET", "https://good.example"),
	    "Access-Control"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handshake_errors),
		TEST(test_handshake_ids),
		TEST(test_handshake_app_may_refuse),
		TEST(test_handshake_pages_that_may_not_speak),
		TEST(test_cors_for_listed_origins),
		TEST(test_cors_for_all),
		TEST(test_cors_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
