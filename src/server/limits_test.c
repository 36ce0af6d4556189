/* limits_test.c: the configuration's limits as the edge gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/limits.h"

static struct edge_conf e;
static struct limits_nets nets;

static enum err
limits(const char *name, const char *value)
{
	struct conf_set set = { name, value };
	struct conf_source src = { .sets = &set, .sets_n = name != NULL };
	struct conf_error why;
	struct conf *c;
	enum err err;

	assert_int_equal(conf_load(&src, &c, &why), OK);
	err = limits_edge(c, &nets, &e);
	conf_free(c);
	return err;
}

static void
test_limits_of_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(limits(NULL, NULL), OK);
	assert_int_equal(e.conns_max, 20000);
	assert_int_equal(e.body_max, 1000000);
	assert_int_equal(e.message_max, 1000000);
	assert_int_equal(e.ping_interval_ms, 25000);
	assert_int_equal(e.trusted_n, 0);
	assert_false(e.eio_deflate);
	/* What no operation uses takes no memory. */
	assert_int_equal(e.rooms_max, 0);
	assert_int_equal(e.asks_max, 0);
	assert_int_equal(e.attachments_max, 0);
}

/* Key, value, where it has to arrive. */
static void
test_limits_arrive(void **state)
{
	const struct {
		const char *key, *value;
		const void *at;
		size_t size;
		uint64_t want;
	} rows[] = {
#define ROW(key, value, field, want) \
	{ key, value, &e.field, sizeof(e.field), want }
		ROW("edge.addr_conns_max", "7", addr_conns_max, 7),
		ROW("edge.addr_conns_max", "0", addr_conns_max, UINT32_MAX),
		ROW("edge.addr_polls_max", "8", addr_polls_max, 8),
		ROW("edge.addr_polls_max", "0", addr_polls_max, UINT32_MAX),
		ROW("edge.answer", "3s", answer_ms, 3000),
		ROW("edge.close", "0", close_ms, 0),
		ROW("edge.connect", "9s", connect_ms, 9000),
		ROW("edge.conns_max", "99", conns_max, 99),
		ROW("edge.deflate", "true", eio_deflate, 1),
		ROW("edge.deflate_bits", "15", deflate_bits, 15),
		ROW("edge.deflates_max", "5", deflates_max, 5),
		ROW("edge.fields_max", "50", fields_max, 50),
		ROW("edge.forwards_max", "55", forwards_max, 55),
		ROW("edge.handshake", "4s", tls_ms, 4000),
		ROW("edge.handshakes_max", "6", handshakes_max, 6),
		ROW("edge.head", "2s", head_ms, 2000),
		ROW("edge.head_max", "2048", head_max, 2048),
		ROW("edge.held_max", "1048577", held_max, 1048577),
		ROW("edge.idle", "11s", idle_ms, 11000),
		ROW("edge.join_max", "4096", join_max, 4096),
		ROW("edge.linger", "12s", linger_ms, 12000),
		ROW("edge.mem_max", "16777217", mem_max, 16777217),
		ROW("edge.payload_max", "5000", body_max, 5000),
		ROW("edge.payload_max", "5000", message_max, 5000),
		ROW("edge.payload_max", "5000", join_max, 5000),
		ROW("edge.ping_interval", "13s", ping_interval_ms, 13000),
		ROW("edge.ping_timeout", "14s", ping_timeout_ms, 14000),
		ROW("edge.polls_max", "15", polls_max, 15),
		ROW("edge.queue_max", "3145729", out_max, 3145729),
		ROW("edge.rate_min", "16", rate_min, 16),
		ROW("edge.request", "5s", body_ms, 5000),
		ROW("edge.request", "5s", head_ms, 5000),
		ROW("edge.requests_max", "17", requests_max, 17),
		ROW("edge.send", "18s", send_ms, 18000),
		ROW("edge.silence", "19s", silence_ms, 19000),
		ROW("edge.target_max", "300", target_max, 300),
		ROW("edge.trusted_field", "forwarded", forwarded,
		    EDGE_FORWARDED_RFC7239),
		ROW("edge.upgrade", "20s", upgrade_ms, 20000),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t got = 0;

		assert_int_equal(limits(rows[i].key, rows[i].value), OK);
		memcpy(&got, rows[i].at, rows[i].size);
		if (got != rows[i].want)
			fail_msg("%s=%s arrives as %llu", rows[i].key,
			    rows[i].value, (unsigned long long)got);
	}
}

static void
test_limits_trusted_proxies(void **state)
{
	(void)state;
	assert_int_equal(limits("edge.trusted",
	    "127.0.0.1, 10.0.0.0/8 ,::1,2001:db8::/32"), OK);
	assert_int_equal(e.trusted_n, 4);
	assert_ptr_equal(e.trusted, nets.all);
	assert_int_equal(nets.all[1].bits, 96 + 8);
	assert_int_equal(nets.all[3].bits, 32);
}

static void
test_limits_refuse_odd_proxies(void **state)
{
	static const char *const bad[] = { "x", "10.0.0.0/33", "10.0.0.0/",
	    "127.0.0.1,,::1", "1.2.3", "::1/129", "10.0.0.0/8;::1" };
	char many[40 * 8] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(limits("edge.trusted", bad[i]),
		    ERR_VALIDATION);
	for (size_t i = 0; i <= EDGE_NETS_MAX; i++)
		memcpy(many + i * 8, "1.1.1.1,", 9);
	many[(EDGE_NETS_MAX + 1) * 8 - 1] = '\0';
	assert_int_equal(limits("edge.trusted", many), ERR_VALIDATION);
	assert_int_equal(limits("edge.trusted_field", "forwardedfor"),
	    ERR_VALIDATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_of_the_defaults),
		cmocka_unit_test(test_limits_arrive),
		cmocka_unit_test(test_limits_trusted_proxies),
		cmocka_unit_test(test_limits_refuse_odd_proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
