/*
 * tls_ticket_test.c: keys of tickets by time, and tickets under them: over a
 * change of the certificate, over contexts, and when their time is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "base/sys.h"
#include "net/thread.h"
#include "net/tls.h"

static struct tls_tickets *tickets;

static void
open_tickets(uint64_t period_ms)
{
	assert_int_equal(tls_tickets_new(period_ms, &tickets), OK);
}

static int
teardown(void **state)
{
	(void)state;
	tls_tickets_unref(tickets);
	tickets = NULL;
	return 0;
}

static struct tls_ctx *
server_new(void)
{
	struct buf cert, key;
	struct tls_ctx *c;

	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("localhost", 30, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key), &c),
	    OK);
	assert_int_equal(tls_ctx_set_tickets(c, tickets), OK);
	buf_fini(&cert);
	buf_fini(&key);
	return c;
}

/* Connects with the session of before; was it resumed? The new one in *s. */
static bool
visit(struct tls_ctx *server, SSL_SESSION **s)
{
	static uint8_t scratch[TLS_SCRATCH];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(ctx);
	struct tls_conn *conn;
	int fds[2], a = 0, b = 0;
	bool resumed;
	char byte;

	SSL_set_verify(client, SSL_VERIFY_NONE, NULL);
	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(tls_accept(server, fds[0], &conn), OK);
	assert_int_equal(SSL_set_fd(client, fds[1]), 1);
	if (*s != NULL)
		assert_int_equal(SSL_set_session(client, *s), 1);
	for (int i = 0; i < 100 && (a != 1 || b != 1); i++) {
		if (a != 1)
			a = SSL_connect(client);
		if (b != 1)
			b = tls_handshake(conn);
	}
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	assert_int_equal(tls_writev(conn, &(struct sys_iov){ "x", 1 }, 1,
	    scratch), 1);
	assert_int_equal(SSL_read(client, &byte, 1), 1);
	resumed = tls_resumed(conn);
	assert_int_equal(resumed, SSL_session_reused(client));
	SSL_SESSION_free(*s);
	*s = SSL_get1_session(client);
	(void)SSL_shutdown(client);
	tls_close(conn);
	SSL_free(client);
	SSL_CTX_free(ctx);
	sys_close(fds[0]);
	sys_close(fds[1]);
	return resumed;
}

/* For a period a key makes tickets, for another it opens them. */
static void
test_tickets_rotate_by_time(void **state)
{
	struct tls_ticket_key first, second, third, k;

	(void)state;
	open_tickets(300);
	tls_tickets_current(tickets, &first);
	tls_tickets_current(tickets, &k);
	assert_memory_equal(&first, &k, sizeof(k));
	thread_sleep_ms(310);
	tls_tickets_current(tickets, &second);
	assert_memory_not_equal(first.name, second.name, TLS_TICKET_NAME);
	assert_memory_not_equal(first.cipher, second.cipher, 32);
	assert_memory_not_equal(first.mac, second.mac, 32);
	assert_true(tls_tickets_find(tickets, first.name, &k));
	assert_memory_equal(&first, &k, sizeof(k));
	assert_true(tls_tickets_find(tickets, second.name, &k));
	assert_memory_equal(&second, &k, sizeof(k));
	thread_sleep_ms(310);
	tls_tickets_current(tickets, &third);
	assert_false(tls_tickets_find(tickets, first.name, &k));
	assert_true(tls_tickets_find(tickets, second.name, &k));
}

/* Nobody came for two periods: what was before is over, too. */
static void
test_tickets_age_while_nobody_comes(void **state)
{
	struct tls_ticket_key k, other;

	(void)state;
	open_tickets(20);
	tls_tickets_current(tickets, &k);
	thread_sleep_ms(60);
	assert_false(tls_tickets_find(tickets, k.name, &other));
}

/* Late by whoever came next, the key before still ends when it is due. */
static void
test_tickets_end_in_time(void **state)
{
	struct tls_ticket_key first, k;

	(void)state;
	open_tickets(1000);
	tls_tickets_current(tickets, &first);
	thread_sleep_ms(1600);
	assert_true(tls_tickets_find(tickets, first.name, &k));
	tls_tickets_current(tickets, &k);
	assert_memory_not_equal(first.name, k.name, TLS_TICKET_NAME);
	thread_sleep_ms(500);
	assert_false(tls_tickets_find(tickets, first.name, &k));
}

/* RFC 8446 C.4: who resumes gets another ticket for the next time. */
static void
test_tickets_are_renewed(void **state)
{
	uint8_t before[2048];
	const unsigned char *t;
	struct tls_ctx *c;
	SSL_SESSION *s = NULL;
	size_t n, m;

	(void)state;
	open_tickets(TLS_TICKETS_PERIOD_MS);
	c = server_new();
	assert_false(visit(c, &s));
	for (int i = 0; i < 3; i++) {
		SSL_SESSION_get0_ticket(s, &t, &n);
		assert_true(n > 0);
		assert_true(n <= sizeof(before));
		memcpy(before, t, n);
		assert_true(visit(c, &s));
		SSL_SESSION_get0_ticket(s, &t, &m);
		assert_true(m != n || memcmp(before, t, n) != 0);
	}
	SSL_SESSION_free(s);
	tls_ctx_unref(c);
}

static void
test_tickets_of_others_are_unknown(void **state)
{
	static const uint8_t name[TLS_TICKET_NAME];
	struct tls_ticket_key k;

	(void)state;
	open_tickets(1000);
	assert_false(tls_tickets_find(tickets, name, &k));
}

/* Another certificate, another context: the ticket is good. */
static void
test_tickets_outlive_a_certificate(void **state)
{
	struct tls_ctx *one, *two;
	SSL_SESSION *s = NULL;

	(void)state;
	open_tickets(TLS_TICKETS_PERIOD_MS);
	one = server_new();
	two = server_new();
	assert_false(visit(one, &s));
	assert_true(visit(one, &s));
	assert_true(visit(two, &s));
	tls_ctx_unref(one);
	assert_true(visit(two, &s));
	/* RFC 8446 4.6.1: seconds, at most seven days. */
	assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(s),
	    TLS_TICKETS_PERIOD_MS / 1000);
	assert_int_equal(SSL_SESSION_get_max_early_data(s), 0);
	SSL_SESSION_free(s);
	tls_ctx_unref(two);
}

/* With other keys the handshake is a full one and succeeds. */
static void
test_tickets_of_another_process(void **state)
{
	struct tls_ctx *one, *two;
	SSL_SESSION *s = NULL;

	(void)state;
	open_tickets(TLS_TICKETS_PERIOD_MS);
	one = server_new();
	assert_false(visit(one, &s));
	tls_ctx_unref(one);
	tls_tickets_unref(tickets);
	open_tickets(TLS_TICKETS_PERIOD_MS);
	two = server_new();
	assert_false(visit(two, &s));
	assert_true(visit(two, &s));
	SSL_SESSION_free(s);
	tls_ctx_unref(two);
}

static void
test_tickets_under_the_last_key_still_resume(void **state)
{
	SSL_SESSION *s = NULL;
	struct tls_ctx *c;

	(void)state;
	open_tickets(2000);
	c = server_new();
	assert_false(visit(c, &s));
	thread_sleep_ms(2050);
	assert_true(visit(c, &s));
	SSL_SESSION_free(s);
	tls_ctx_unref(c);
}

static void
test_tickets_too_old_are_not_resumed(void **state)
{
	SSL_SESSION *s = NULL;
	struct tls_ctx *c;

	(void)state;
	open_tickets(100);
	c = server_new();
	assert_false(visit(c, &s));
	thread_sleep_ms(250);
	assert_false(visit(c, &s));
	SSL_SESSION_free(s);
	tls_ctx_unref(c);
}

#define T(t) cmocka_unit_test_teardown(t, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tickets_rotate_by_time),
		T(test_tickets_age_while_nobody_comes),
		T(test_tickets_end_in_time),
		T(test_tickets_are_renewed),
		T(test_tickets_of_others_are_unknown),
		T(test_tickets_outlive_a_certificate),
		T(test_tickets_of_another_process),
		T(test_tickets_under_the_last_key_still_resume),
		T(test_tickets_too_old_are_not_resumed),
	};

	return tls_setup() == OK ?
	    cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
