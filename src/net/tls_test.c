/*
 * tls_test.c: contexts and certificates, and connections over a socket pair
 * without a stream: resumption, application protocol, old versions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "base/sys.h"
#include "net/tls.h"

static struct buf cert, key;
static struct tls_ctx *server;

static int
setup(void **state)
{
	(void)state;
	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_setup(), OK);
	assert_int_equal(tls_self_signed("localhost,127.0.0.1,::1", 365,
	    &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server), OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tls_ctx_unref(server);
	buf_fini(&cert);
	buf_fini(&key);
	return 0;
}

static void
test_tls_library_is_new_enough(void **state)
{
	(void)state;
	assert_true(OpenSSL_version_num() >= 0x30500000ul);
}

static void
test_tls_self_signed_texts(void **state)
{
	uint8_t sha[32], zero[32] = { 0 };

	(void)state;
	assert_true(span_starts(buf_span(&cert),
	    SPAN("-----BEGIN CERTIFICATE-----\n")));
	assert_true(span_starts(buf_span(&key),
	    SPAN("-----BEGIN PRIVATE KEY-----\n")));
	assert_int_equal(tls_fingerprint(buf_span(&cert), sha), OK);
	assert_memory_not_equal(sha, zero, 32);
}

static void
test_tls_self_signed_refuses_odd_names(void **state)
{
	static const char *const bad[] = { "", ",", "a,", ",a", "a b",
	    "a,URI:http", "x;y", "DNS\n" };
	struct buf c, k;

	(void)state;
	buf_init(&c, 16384);
	buf_init(&k, 16384);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(tls_self_signed(bad[i], 1, &c, &k), OK);
	assert_int_equal(tls_self_signed("a", 0, &c, &k), ERR_ARG);
	assert_int_equal(c.n, 0);
	assert_int_equal(k.n, 0);
}

static void
test_tls_server_refuses_bad_pem(void **state)
{
	struct tls_ctx *c = NULL;
	struct buf other, other_key;

	(void)state;
	assert_int_equal(tls_ctx_server(SPAN("no pem"), buf_span(&key), &c),
	    ERR_FORMAT);
	assert_int_equal(tls_ctx_server(buf_span(&cert), SPAN(""), &c),
	    ERR_FORMAT);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&cert), &c),
	    ERR_FORMAT);
	assert_int_equal(tls_ctx_server((struct span){ 0 }, buf_span(&key),
	    &c), ERR_FORMAT);
	assert_int_equal(tls_ctx_server(buf_span(&cert), (struct span){ 0 },
	    &c), ERR_FORMAT);
	buf_init(&other, 16384);
	buf_init(&other_key, 16384);
	assert_int_equal(tls_self_signed("x", 1, &other, &other_key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert),
	    buf_span(&other_key), &c), ERR_CONFLICT);
	assert_null(c);
	buf_fini(&other);
	buf_fini(&other_key);
}

static void
test_tls_fingerprint_refuses_bad_pem(void **state)
{
	uint8_t sha[32];

	(void)state;
	assert_int_equal(tls_fingerprint(SPAN("x"), sha), ERR_FORMAT);
	assert_int_equal(tls_fingerprint(buf_span(&key), sha), ERR_FORMAT);
}

static void
test_tls_client_refuses_bad_ca(void **state)
{
	struct tls_ctx *c = NULL;

	(void)state;
	assert_int_equal(tls_ctx_client(SPAN("no pem"), NULL, &c),
	    ERR_FORMAT);
	assert_null(c);
}

/* FIPS 180-4, example of one block: SHA-1("abc"). */
static void
test_tls_sha1(void **state)
{
	static const uint8_t want[20] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06,
	    0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c,
	    0xd0, 0xd8, 0x9d };
	uint8_t got[20];

	(void)state;
	assert_int_equal(tls_sha1(SPAN("abc"), got), OK);
	assert_memory_equal(got, want, 20);
}

/* ---- Against a client of OpenSSL's own, over a socket pair ---- */

struct raw {
	struct tls_conn *server;
	SSL *client;
	int fds[2];
};

static void
raw_open(struct raw *w, SSL_CTX *c, SSL_SESSION *session)
{
	assert_int_equal(sys_pair(w->fds), OK);
	assert_int_equal(tls_accept(server, w->fds[0], &w->server), OK);
	w->client = SSL_new(c);
	assert_non_null(w->client);
	assert_int_equal(SSL_set_fd(w->client, w->fds[1]), 1);
	if (session != NULL)
		assert_int_equal(SSL_set_session(w->client, session), 1);
}

/* 1: both sides are done; -1: one of them failed. */
static int
raw_shake(struct raw *w)
{
	int s = TLS_AGAIN, c = -1;

	for (int i = 0; i < 100; i++) {
		if (c != 1)
			c = SSL_connect(w->client);
		if (c != 1 && SSL_get_error(w->client, c) !=
		    SSL_ERROR_WANT_READ)
			return -1;
		if (s != 1)
			s = tls_handshake(w->server);
		if (s == TLS_ERROR)
			return -1;
		if (s == 1 && c == 1)
			return 1;
	}
	return -1;
}

static void
raw_close(struct raw *w)
{
	SSL_free(w->client);
	tls_close(w->server);
	sys_close(w->fds[0]);
	sys_close(w->fds[1]);
}

static long
write_to(struct tls_conn *t, const void *p, size_t n)
{
	static uint8_t scratch[TLS_SCRATCH];
	const struct sys_iov iov = { p, n };

	return tls_writev(t, &iov, 1, scratch);
}

static SSL_CTX *
raw_ctx(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	assert_non_null(c);
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	return c;
}

static void
test_tls_resumes_by_ticket(void **state)
{
	SSL_CTX *c = raw_ctx();
	SSL_SESSION *session;
	struct raw w;
	char byte;

	(void)state;
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), 1);
	assert_false(tls_resumed(w.server));
	assert_int_equal(write_to(w.server, "x", 1), 1);
	assert_int_equal(SSL_read(w.client, &byte, 1), 1);
	session = SSL_get1_session(w.client);
	assert_true(SSL_SESSION_is_resumable(session));
	tls_end(w.server);
	assert_int_equal(SSL_read(w.client, &byte, 1), 0);
	assert_int_equal(SSL_get_error(w.client, 0), SSL_ERROR_ZERO_RETURN);
	(void)SSL_shutdown(w.client);
	assert_int_equal(tls_read(w.server, &byte, 1), 0);
	raw_close(&w);
	raw_open(&w, c, session);
	assert_int_equal(raw_shake(&w), 1);
	assert_true(tls_resumed(w.server));
	/* Resumed too, the key exchange is done anew. */
	assert_string_equal(tls_group(w.server), "X25519MLKEM768");
	raw_close(&w);
	SSL_SESSION_free(session);
	SSL_CTX_free(c);
}

static void
test_tls_old_versions_are_refused(void **state)
{
	SSL_CTX *c = raw_ctx();
	struct raw w;

	(void)state;
	assert_int_equal(SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION), 1);
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), -1);
	raw_close(&w);
	SSL_CTX_free(c);
}

static void
test_tls_classical_group_is_the_fallback(void **state)
{
	SSL_CTX *c = raw_ctx();
	char groups[] = "X25519";
	struct raw w;

	(void)state;
	assert_int_equal(SSL_CTX_set1_groups_list(c, groups), 1);
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), 1);
	assert_string_equal(tls_group(w.server), "x25519");
	raw_close(&w);
	SSL_CTX_free(c);
}

static void
test_tls_other_groups_are_refused(void **state)
{
	SSL_CTX *c = raw_ctx();
	char groups[] = "P-256:P-384";
	struct raw w;

	(void)state;
	assert_int_equal(SSL_CTX_set1_groups_list(c, groups), 1);
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), -1);
	raw_close(&w);
	SSL_CTX_free(c);
}

/* RFC 7301 3.2: http/1.1 when offered, refused when only others are. */
static void
test_tls_application_protocol(void **state)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	static const unsigned char h2[] = "\x02h2";
	const unsigned char *got;
	unsigned n;
	SSL_CTX *c = raw_ctx();
	struct raw w;

	(void)state;
	assert_int_equal(SSL_CTX_set_alpn_protos(c, both, sizeof both - 1),
	    0);
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), 1);
	SSL_get0_alpn_selected(w.client, &got, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(got, "http/1.1", 8);
	raw_close(&w);
	assert_int_equal(SSL_CTX_set_alpn_protos(c, h2, sizeof h2 - 1), 0);
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), -1);
	raw_close(&w);
	SSL_CTX_free(c);
}

/* A connection that is cut without close_notify is an error, not an end. */
static void
test_tls_truncation_is_an_error(void **state)
{
	SSL_CTX *c = raw_ctx();
	struct raw w;
	char byte;

	(void)state;
	raw_open(&w, c, NULL);
	assert_int_equal(raw_shake(&w), 1);
	sys_shutdown_write(w.fds[1]);
	assert_int_equal(tls_read(w.server, &byte, 1), TLS_ERROR);
	assert_int_equal(tls_read(w.server, &byte, 1), TLS_ERROR);
	assert_int_equal(write_to(w.server, "x", 1), TLS_ERROR);
	tls_end(w.server);
	raw_close(&w);
	SSL_CTX_free(c);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tls_library_is_new_enough),
		T(test_tls_self_signed_texts),
		T(test_tls_self_signed_refuses_odd_names),
		T(test_tls_server_refuses_bad_pem),
		T(test_tls_fingerprint_refuses_bad_pem),
		T(test_tls_client_refuses_bad_ca),
		T(test_tls_sha1),
		T(test_tls_resumes_by_ticket),
		T(test_tls_old_versions_are_refused),
		T(test_tls_classical_group_is_the_fallback),
		T(test_tls_other_groups_are_refused),
		T(test_tls_application_protocol),
		T(test_tls_truncation_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
