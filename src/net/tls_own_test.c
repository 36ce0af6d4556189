/*
 * tls_own_test.c: a server's connection whose records are ours against
 * OpenSSL's client: handshake by OpenSSL, then everything by us. The client
 * works on memory, so that its bytes can be cut, changed and held back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/sys.h"
#include "net/record.h"
#include "net/tls_private.h"

static struct buf cert, key;
static struct tls_ctx *server;
static struct record_engine *engine;
static SSL_CTX *ctx;
static SSL *client;
static BIO *to_client, *from_client;
static struct tls_conn *conn;
static int fds[2];
static size_t step;		/* bytes that the client's are cut to */
static uint8_t in[65536], scratch[TLS_SCRATCH], big[300000], got[300000];
static SSL_SESSION *session;

static int
setup(void **state)
{
	(void)state;
	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_setup(), OK);
	assert_int_equal(tls_self_signed("localhost", 365, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server), OK);
	assert_int_equal(record_engine_new(&engine), OK);
	ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	step = SIZE_MAX;
	session = NULL;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + (i >> 8));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	SSL_SESSION_free(session);
	SSL_free(client);
	client = NULL;
	tls_close(conn);
	conn = NULL;
	sys_close(fds[0]);
	sys_close(fds[1]);
	SSL_CTX_free(ctx);
	tls_ctx_unref(server);
	record_engine_free(engine);
	buf_fini(&cert);
	buf_fini(&key);
	return 0;
}

/* What the server has sent goes into the client. */
static void
pump_in(void)
{
	uint8_t b[20000];
	long n;

	while ((n = sys_recv(fds[1], b, sizeof(b))) > 0)
		assert_int_equal(BIO_write(to_client, b, (int)n), n);
}

/* One piece of what the client has sent goes to the server; false: none. */
static bool
pump_out(void)
{
	uint8_t b[20000];
	size_t want = step < sizeof(b) ? step : sizeof(b);
	int n = BIO_read(from_client, b, (int)want);
	const struct sys_iov iov = { b, n > 0 ? (size_t)n : 0 };

	if (n <= 0)
		return false;
	assert_int_equal(sys_sendv(fds[1], &iov, 1), n);
	return true;
}

static void
start(void)
{
	int c = 0, s = 0;

	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(tls_accept(server, fds[0], &conn), OK);
	tls_set_engine(conn, engine);
	client = SSL_new(ctx);
	to_client = BIO_new(BIO_s_mem());
	from_client = BIO_new(BIO_s_mem());
	SSL_set_bio(client, to_client, from_client);
	if (session != NULL)
		assert_int_equal(SSL_set_session(client, session), 1);
	for (int i = 0; i < 100000 && (c != 1 || s != 1); i++) {
		if (c != 1)
			c = SSL_connect(client);
		(void)pump_out();
		if (s != 1)
			s = tls_handshake(conn);
		assert_int_not_equal(s, TLS_ERROR);
		pump_in();
	}
	assert_int_equal(c, 1);
	assert_int_equal(s, 1);
	assert_true(tls_is_own(conn));
}

/* The server reads until it has n bytes, one piece of the client's a time. */
static void
server_reads(struct span want)
{
	size_t n = 0;

	while (n < want.n) {
		long k;

		(void)pump_out();
		while ((k = tls_read(conn, in, sizeof(in))) > 0) {
			assert_true((size_t)k <= want.n - n);
			assert_memory_equal(in, want.p + n, (size_t)k);
			n += (size_t)k;
		}
		assert_int_equal(k, TLS_AGAIN);
	}
}

static void
server_writes(struct span s)
{
	while (s.n > 0) {
		const struct sys_iov iov = { s.p, s.n };
		long k = tls_writev(conn, &iov, 1, scratch);

		assert_int_not_equal(k, TLS_ERROR);
		if (k > 0)
			s = span_sub(s, (size_t)k, s.n);
		pump_in();
	}
	while (tls_is_waiting(conn)) {
		assert_int_not_equal(tls_writev(conn, NULL, 0, scratch),
		    TLS_ERROR);
		pump_in();
	}
}

static void
client_reads(struct span want)
{
	size_t n = 0;

	while (n < want.n) {
		int k = SSL_read(client, got, sizeof(got));

		assert_true(k > 0);
		assert_true((size_t)k <= want.n - n);
		assert_memory_equal(got, want.p + n, (size_t)k);
		n += (size_t)k;
	}
}

static void
client_writes(struct span s)
{
	assert_int_equal(SSL_write(client, s.p, (int)s.n), s.n);
}

static void
echo(struct span s)
{
	client_writes(s);
	server_reads(s);
	server_writes(s);
	client_reads(s);
}

/* RFC 8446 9.1 and B.4: every suite that is on. */
static void
test_own_every_suite(void **state)
{
	static const char *const names[] = { "TLS_AES_128_GCM_SHA256",
	    "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(SSL_CTX_set_ciphersuites(ctx, names[i]), 1);
		start();
		assert_string_equal(SSL_get_cipher_name(client), names[i]);
		for (int k = 0; k < 50; k++)
			echo(span_of(big, (size_t)k * 97 + 1));
		echo(SPAN_OF(big));
		if (i == 2)
			break;
		SSL_free(client);
		tls_close(conn);
		sys_close(fds[0]);
		sys_close(fds[1]);
	}
}

static void
test_own_both_groups(void **state)
{
	char x25519[] = "X25519";

	(void)state;
	start();
	assert_string_equal(tls_group(conn), "X25519MLKEM768");
	assert_string_equal(tls_version(conn), "TLSv1.3");
	SSL_free(client);
	tls_close(conn);
	sys_close(fds[0]);
	sys_close(fds[1]);
	assert_int_equal(SSL_CTX_set1_groups_list(ctx, x25519), 1);
	start();
	assert_string_equal(tls_group(conn), "x25519");
	echo(SPAN("classical"));
}

/* The client's bytes come in pieces of any size. */
static void
test_own_any_split_reads_the_same(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 4, 5, 6, 7, 21, 22, 23, 100,
	    1000, 4096, 16384, 19999 };

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		size_t n = steps[i] < 100 ? 3000 : 60000;

		step = steps[i];
		client_writes(span_of(big, 1));
		client_writes(span_of(big + 1, n));
		client_writes(span_of(big + 1 + n, 1));
		server_reads(span_of(big, n + 2));
		assert_int_equal(conn->part.n, 0);
		assert_null(conn->part.p);
	}
}

/* Many small records arrive by one read, together. */
static void
test_own_reads_many_records_at_once(void **state)
{
	(void)state;
	start();
	for (size_t i = 0; i < 500; i++)
		client_writes(span_of(big + i, 1));
	while (pump_out())
		continue;
	assert_int_equal(tls_read(conn, in, sizeof(in)), 500);
	assert_memory_equal(in, big, 500);
	assert_true(tls_is_drained(conn));
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_AGAIN);
}

/* One record of many pieces. */
static void
test_own_gathers(void **state)
{
	struct sys_iov iov[SYS_IOV_MAX];

	(void)state;
	start();
	for (size_t i = 0; i < SYS_IOV_MAX; i++)
		iov[i] = (struct sys_iov){ big + i * 10, 10 };
	assert_int_equal(tls_writev(conn, iov, SYS_IOV_MAX, scratch),
	    SYS_IOV_MAX * 10);
	pump_in();
	assert_int_equal(SSL_read(client, got, sizeof(got)),
	    SYS_IOV_MAX * 10);
	assert_memory_equal(got, big, SYS_IOV_MAX * 10);
	/* Cut at the size of a record. */
	iov[0] = (struct sys_iov){ big, 10000 };
	iov[1] = (struct sys_iov){ big + 10000, 10000 };
	assert_int_equal(tls_writev(conn, iov, 2, scratch), 16384);
	pump_in();
	client_reads(span_of(big, 16384));
}

/* A peer that does not read: sealed bytes wait and go out in order. */
static void
test_own_writes_wait_for_the_kernel(void **state)
{
	size_t taken = 0, read = 0;
	long k;

	(void)state;
	start();
	for (;;) {
		const struct sys_iov iov = { big + taken % 200000, 50000 };

		k = tls_writev(conn, &iov, 1, scratch);
		if (k == TLS_AGAIN)
			break;
		assert_int_equal(k, 16384);
		taken += 16384;
		if (taken % 200000 + 50000 > sizeof(big))
			break;
	}
	while (k != TLS_AGAIN) {
		const struct sys_iov iov = { big + taken % 200000, 16384 };

		k = tls_writev(conn, &iov, 1, scratch);
		taken += k > 0 ? (size_t)k : 0;
	}
	assert_true(tls_is_waiting(conn));
	assert_int_equal(tls_writev(conn, NULL, 0, scratch), TLS_AGAIN);
	while (read < taken) {
		int n;

		pump_in();
		assert_int_not_equal(tls_writev(conn, NULL, 0, scratch),
		    TLS_ERROR);
		while ((n = SSL_read(client, got, 16384)) > 0) {
			assert_memory_equal(got, big + read % 200000,
			    (size_t)n);
			read += (size_t)n;
		}
	}
	assert_int_equal(read, taken);
	assert_false(tls_is_waiting(conn));
	assert_null(conn->left.p);
	assert_int_equal(record_engine_held(engine), 0);
}

/* ---- Keys change (RFC 8446 4.6.3) ---- */

static void
test_own_client_changes_keys(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 40; i++) {
		assert_int_equal(SSL_key_update(client, i % 2 ?
		    SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED),
		    1);
		step = i % 3 == 0 ? 7 : SIZE_MAX;
		echo(span_of(big, 1000));
	}
}

/* Asked for new keys, we send them though we have nothing to say. */
static void
test_own_answers_a_key_update(void **state)
{
	uint8_t before[32];

	(void)state;
	start();
	memcpy(before, conn->rec.out.key, sizeof(before));
	assert_int_equal(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(client), 1);
	while (pump_out())
		continue;
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_AGAIN);
	assert_true(tls_is_waiting(conn));
	assert_int_equal(tls_writev(conn, NULL, 0, scratch), 0);
	assert_false(tls_is_waiting(conn));
	assert_memory_not_equal(before, conn->rec.out.key, sizeof(before));
	pump_in();
	echo(SPAN("after"));
}

/* RFC 8446 5.5: we change ours and ask for theirs before they are used up. */
static void
test_own_changes_keys_by_itself(void **state)
{
	(void)state;
	start();
	conn->rec.key_uses = 16;
	for (int i = 0; i < 100; i++) {
		echo(span_of(big, 100));
		assert_true(conn->rec.out.seq <= 16);
		assert_true(conn->rec.in.seq <= 20);
	}
}

/* ---- The end ---- */

static void
test_own_close_notify_both_ways(void **state)
{
	(void)state;
	start();
	client_writes(SPAN("last words"));
	assert_int_equal(SSL_shutdown(client), 0);
	while (pump_out())
		continue;
	assert_int_equal(tls_read(conn, in, sizeof(in)), 10);
	assert_int_equal(tls_read(conn, in, sizeof(in)), 0);
	assert_int_equal(tls_read(conn, in, sizeof(in)), 0);
	/* RFC 8446 6.1: it closes the peer's half only. */
	server_writes(SPAN("good bye"));
	client_reads(SPAN("good bye"));
	tls_end(conn);
	tls_end(conn);
	pump_in();
	assert_int_equal(SSL_read(client, got, 10), 0);
	assert_int_equal(SSL_get_error(client, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(BIO_ctrl_pending(to_client), 0);
}

/* Data and close_notify in one piece: the data first. */
static void
test_own_data_before_the_end(void **state)
{
	(void)state;
	start();
	client_writes(SPAN("data"));
	(void)SSL_shutdown(client);
	while (pump_out())
		continue;
	assert_int_equal(tls_read(conn, in, sizeof(in)), 4);
	assert_false(tls_is_drained(conn));
	assert_int_equal(tls_read(conn, in, sizeof(in)), 0);
}

static void
test_own_truncation_is_an_error(void **state)
{
	(void)state;
	start();
	client_writes(SPAN("some"));
	server_reads(SPAN("some"));
	sys_shutdown_write(fds[1]);
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_ERROR);
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_ERROR);
	assert_int_equal(tls_writev(conn, &(struct sys_iov){ "x", 1 }, 1,
	    scratch), TLS_ERROR);
	tls_end(conn);
}

/* The client, reading on, is told why; the server is through. */
static void
refused_with(int reason)
{
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_ERROR);
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_ERROR);
	assert_int_equal(tls_writev(conn, &(struct sys_iov){ "x", 1 }, 1,
	    scratch), TLS_ERROR);
	assert_false(tls_is_waiting(conn));
	pump_in();
	ERR_clear_error();
	assert_true(SSL_read(client, got, 10) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), reason);
	ERR_clear_error();
}

static void
raw(const void *p, size_t n)
{
	const struct sys_iov iov = { p, n };

	assert_int_equal(sys_sendv(fds[1], &iov, 1), n);
}

/* RFC 8446 5.2: one bit that is not as it was. */
static void
test_own_refuses_a_changed_record(void **state)
{
	uint8_t b[200];
	int n;

	(void)state;
	start();
	client_writes(SPAN("honest"));
	n = BIO_read(from_client, b, sizeof(b));
	assert_true(n > 20);
	b[n - 1] ^= 1;
	raw(b, (size_t)n);
	refused_with(SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
}

/* What came before it counts. */
static void
test_own_data_before_a_bad_record(void **state)
{
	uint8_t b[200];
	int n;

	(void)state;
	start();
	client_writes(SPAN("honest"));
	client_writes(SPAN("bent"));
	n = BIO_read(from_client, b, sizeof(b));
	b[n - 1] ^= 0x80;
	raw(b, (size_t)n);
	assert_int_equal(tls_read(conn, in, sizeof(in)), 6);
	assert_memory_equal(in, "honest", 6);
	refused_with(SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
}

/* RFC 8446 5: no change_cipher_spec after Finished; nor anything open. */
static void
test_own_refuses_open_records(void **state)
{
	const struct span bad[] = { SPAN("\x14\3\3\0\1\1"),
	    SPAN("\x15\3\3\0\2\1\0"), SPAN("\x16\3\3\0\1\1"),
	    SPAN("GET / HTTP/1.1\r\n\r\n"),
	    SPAN("\0\0\0\0\0\0\0\0") };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		start();
		raw(bad[i].p, bad[i].n);
		refused_with(SSL_R_SSLV3_ALERT_UNEXPECTED_MESSAGE);
		SSL_free(client);
		client = NULL;
		tls_close(conn);
		conn = NULL;
		sys_close(fds[0]);
		sys_close(fds[1]);
	}
	start();
}

/* RFC 8446 5.2. */
static void
test_own_refuses_a_long_record(void **state)
{
	(void)state;
	start();
	raw("\x17\3\3\x41\1", 5);
	refused_with(SSL_R_TLSV1_ALERT_RECORD_OVERFLOW);
}

/* What is said to hold little is held little: a head alone takes nothing. */
static void
test_own_holds_what_has_come(void **state)
{
	(void)state;
	start();
	raw("\x17\3\3\x40\x0", 5);
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_AGAIN);
	assert_int_equal(conn->part.n, 5);
	assert_true(conn->part.cap <= 256);
	assert_int_equal(record_engine_held(engine), 5);
	/* It goes along to another thread's engine. */
	tls_set_engine(conn, NULL);
	assert_int_equal(record_engine_held(engine), 0);
	tls_set_engine(conn, engine);
	assert_int_equal(record_engine_held(engine), 5);
	tls_close(conn);
	conn = NULL;
	assert_int_equal(record_engine_held(engine), 0);
}

/* All connections together may not hold more: then this one ends. */
static void
test_own_holds_within_a_limit(void **state)
{
	(void)state;
	start();
	record_engine_join(engine, RECORD_HELD_MAX - 4);
	raw("\x17\3\3\x40\x0", 5);
	refused_with(SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
	tls_close(conn);
	conn = NULL;
	record_engine_drop(engine, RECORD_HELD_MAX - 4);
	assert_int_equal(record_engine_held(engine), 0);
}

/* RFC 6066 4: what OpenSSL has agreed on holds for our records as well. */
static void
test_own_keeps_max_fragment_length(void **state)
{
	static const size_t want[] = { RECORD_PLAIN_MAX, 512, 1024, 2048,
	    4096 };

	(void)state;
	for (uint8_t mode = 0; mode < 5; mode++) {
		assert_int_equal(SSL_CTX_set_tlsext_max_fragment_length(ctx,
		    mode), 1);
		start();
		assert_int_equal(conn->rec.plain_max, want[mode]);
		echo(SPAN_OF(big));
		if (mode == 4)
			break;
		SSL_free(client);
		tls_close(conn);
		sys_close(fds[0]);
		sys_close(fds[1]);
	}
}

/* What the client is told at the end: the reason of the alert, or 0. */
static int
client_is_told(void)
{
	int reason;

	pump_in();
	ERR_clear_error();
	assert_true(SSL_read(client, got, 10) <= 0);
	reason = ERR_GET_REASON(ERR_peek_error());
	if (reason == 0 && BIO_ctrl_pending(to_client) == 0 &&
	    (SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN) == 0)
		reason = -1;	/* nothing */
	ERR_clear_error();
	return reason;
}

/* RFC 8446 6.1: close_notify says that all was said. */
static void
test_own_cut_is_no_close_notify(void **state)
{
	(void)state;
	start();
	server_writes(SPAN("half of"));
	client_reads(SPAN("half of"));
	tls_cut(conn);
	tls_cut(conn);
	tls_end(conn);
	assert_int_equal(tls_read(conn, in, sizeof(in)), TLS_ERROR);
	assert_int_equal(client_is_told(), SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
}

static void
test_own_cut_after_the_end_adds_nothing(void **state)
{
	(void)state;
	start();
	tls_end(conn);
	tls_cut(conn);
	assert_int_equal(client_is_told(), 0);
	assert_int_equal(BIO_ctrl_pending(to_client), 0);
}

/* RFC 8446 5.2: an end before the bad record was told of is no good end. */
static void
test_own_end_tells_what_has_failed(void **state)
{
	uint8_t b[200];
	int n;

	(void)state;
	start();
	client_writes(SPAN("honest"));
	client_writes(SPAN("bent"));
	n = BIO_read(from_client, b, sizeof(b));
	b[n - 1] ^= 0x80;
	raw(b, (size_t)n);
	assert_int_equal(tls_read(conn, in, sizeof(in)), 6);
	tls_end(conn);
	assert_int_equal(client_is_told(), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
}

/* RFC 8446 6.2: the peer's fatal alert is answered by nothing. */
static void
test_own_end_is_silent_after_an_alert(void **state)
{
	const uint8_t alert[2] = { 2, 40 };
	const struct sys_iov iov = { alert, 2 };
	struct record them;
	uint8_t b[RECORD_SMALL];
	size_t n;

	(void)state;
	start();
	client_writes(SPAN("last"));
	while (pump_out())
		continue;
	/* As the client would: its keys are the ones that we read by. */
	them = conn->rec;
	them.out = conn->rec.in;
	them.out.seq = 1;
	assert_int_equal(record_seal(&them, engine, RECORD_ALERT, &iov, 1, b,
	    &n), OK);
	raw(b, n);
	record_fini(&them, NULL);
	assert_int_equal(tls_read(conn, in, sizeof(in)), 4);
	assert_true(conn->failed);
	tls_end(conn);
	assert_int_equal(client_is_told(), -1);
}

/* ---- Resumption ---- */

/* RFC 8446 2.2, 4.6.1: by the ticket, with a new key exchange. */
static void
test_own_resumes(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		start();
		assert_int_equal(tls_resumed(conn), i > 0);
		assert_int_equal(SSL_session_reused(client), i > 0);
		assert_string_equal(tls_group(conn), "X25519MLKEM768");
		echo(SPAN("the ticket comes first"));
		SSL_SESSION_free(session);
		session = SSL_get1_session(client);
		assert_true(SSL_SESSION_is_resumable(session));
		/* RFC 8446 4.2.10: no early data. */
		assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
		(void)SSL_shutdown(client);
		if (i == 2)
			break;
		SSL_free(client);
		tls_close(conn);
		sys_close(fds[0]);
		sys_close(fds[1]);
	}
}

/* Without an engine OpenSSL goes on, and all works as well. */
static void
test_own_is_not_needed(void **state)
{
	int c = 0, s = 0;

	(void)state;
	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(tls_accept(server, fds[0], &conn), OK);
	client = SSL_new(ctx);
	to_client = BIO_new(BIO_s_mem());
	from_client = BIO_new(BIO_s_mem());
	SSL_set_bio(client, to_client, from_client);
	while (c != 1 || s != 1) {
		if (c != 1)
			c = SSL_connect(client);
		(void)pump_out();
		if (s != 1)
			s = tls_handshake(conn);
		pump_in();
	}
	assert_false(tls_is_own(conn));
	echo(SPAN_OF(big));
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_own_every_suite),
		T(test_own_both_groups),
		T(test_own_any_split_reads_the_same),
		T(test_own_reads_many_records_at_once),
		T(test_own_gathers),
		T(test_own_writes_wait_for_the_kernel),
		T(test_own_client_changes_keys),
		T(test_own_answers_a_key_update),
		T(test_own_changes_keys_by_itself),
		T(test_own_close_notify_both_ways),
		T(test_own_data_before_the_end),
		T(test_own_truncation_is_an_error),
		T(test_own_refuses_a_changed_record),
		T(test_own_data_before_a_bad_record),
		T(test_own_refuses_open_records),
		T(test_own_refuses_a_long_record),
		T(test_own_holds_what_has_come),
		T(test_own_holds_within_a_limit),
		T(test_own_keeps_max_fragment_length),
		T(test_own_cut_is_no_close_notify),
		T(test_own_cut_after_the_end_adds_nothing),
		T(test_own_end_tells_what_has_failed),
		T(test_own_end_is_silent_after_an_alert),
		T(test_own_resumes),
		T(test_own_is_not_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
