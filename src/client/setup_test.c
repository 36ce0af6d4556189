/*
 * setup_test.c: what age makes necessary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/test_world.h"

#define DAY_MS (24ull * 3600 * 1000)

static void
send_text(struct fake *f, int from, int to, const char *text)
{
	struct client_input in = { .type = CLIENT_SEND, .cmd = 7 };

	in.u.send.to.user = f->node[to].user;
	in.u.send.text = span_str(text);
	fake_step(f, from, &in);
	fake_run(f, 20000);
}

/* docs/protocol.md, Keys: lists weekly, batches weekly, certificates after 90
 * days; what is sent afterwards arrives. */
static void
test_setup_renews_by_age(void **state)
{
	struct fake *f = fake_new(9);
	struct span cert, list, header;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	assert_int_equal(f->msgs, 1);
	cert = f->node[0].cert;
	list = f->node[0].list;
	header = f->node[0].header;
	f->now += 8 * DAY_MS;
	fake_run(f, 120000);
	assert_false(span_eq(list, f->node[0].list));
	assert_false(span_eq(header, f->node[0].header));
	assert_true(span_eq(cert, f->node[0].cert));
	header = f->node[0].header;
	f->now += 83 * DAY_MS;
	fake_run(f, 300000);
	assert_false(span_eq(cert, f->node[0].cert));
	assert_false(span_eq(header, f->node[0].header));
	send_text(f, 0, 1, "two");
	send_text(f, 1, 0, "three");
	assert_int_equal(f->node[0].refused + f->node[1].refused, 0);
	fake_close(f);
}

static void
keys_low(struct fake *f, int i, uint32_t device, uint32_t left)
{
	struct keys_low_ev ev = { .device_id = device, .left = left };
	static uint8_t mem[4096];
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	fake_send_event(f, i, "keys:low", fake_json(&a, &shape_keys_low_ev,
	    &ev), 1);
	fake_run(f, 5000);
}

/* docs/protocol.md, Prekey batches: a new one when fewer than 16 are left; the
 * server's word for that counts once a while, and says nothing of others. */
static void
test_setup_refills_prekeys(void **state)
{
	struct fake *f = fake_new(13);
	struct span header;
	unsigned warnings;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	f->now += DAY_MS / 2;
	fake_run(f, 5000);
	header = f->node[0].header;
	keys_low(f, 0, 1, 16);
	assert_true(span_eq(header, f->node[0].header));
	keys_low(f, 0, 2, 3);		/* of another device */
	assert_true(span_eq(header, f->node[0].header));
	keys_low(f, 0, 1, 15);
	assert_false(span_eq(header, f->node[0].header));
	assert_int_equal(f->node[0].leaves_n, FAKE_LEAVES);
	/* Said again at once: that batch is new. */
	header = f->node[0].header;
	keys_low(f, 0, 1, 15);
	assert_true(span_eq(header, f->node[0].header));
	/* None left: the owner is told. */
	warnings = f->node[0].warnings;
	f->now += DAY_MS;
	fake_run(f, 5000);
	keys_low(f, 0, 1, 0);
	assert_false(span_eq(header, f->node[0].header));
	assert_int_equal(f->node[0].warnings, warnings + 1);
	send_text(f, 1, 0, "hello");
	assert_int_equal(f->node[0].refused, 0);
	fake_close(f);
}

/* Without a one-time pair left sessions begin on the last-resort key. */
static void
test_setup_last_resort(void **state)
{
	struct fake *f = fake_new(14);
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	f->node[1].next_leaf = f->node[1].leaves_n;
	send_text(f, 0, 1, "hello");
	send_text(f, 2, 1, "hello");
	send_text(f, 1, 0, "hello");
	assert_int_equal(f->msgs, 3);
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(f->node[i].refused, 0);
	fake_close(f);
}

static uint64_t
list_version(const struct fake *f, int i)
{
	struct devlist l;

	assert_int_equal(devlist_decode(f->node[i].list, &l, NULL), OK);
	return l.version;
}

/* A list that the server will not have is no version: the next one follows
 * from what the server has. */
static void
test_setup_goes_on_after_a_refused_list(void **state)
{
	struct fake *f = fake_new(10);
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(list_version(f, i), 1);
	f->refuse_lists = FAKE_NODES;
	f->now += 8 * DAY_MS;
	fake_run(f, 120000);
	assert_int_equal(f->refuse_lists, 0);
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(list_version(f, i), 1);
	f->now += 3600 * 1000;
	fake_run(f, 120000);
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(list_version(f, i), 2);
	f->now += 8 * DAY_MS;
	fake_run(f, 120000);
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(list_version(f, i), 3);
	send_text(f, 0, 1, "two");
	send_text(f, 1, 0, "three");
	for (i = 0; i < FAKE_NODES; i++)
		assert_int_equal(f->node[i].refused + f->node[i].warnings, 0);
	fake_close(f);
}

/* The certificate that a refused list brought comes with the next one. */
static void
test_setup_goes_on_after_a_refused_certificate(void **state)
{
	struct fake *f = fake_new(11);
	struct span cert;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	for (i = 0; i < 12; i++) {
		f->now += 7 * DAY_MS;
		fake_run(f, 120000);
	}
	cert = f->node[0].cert;
	f->now += 6 * DAY_MS + DAY_MS / 2;
	f->refuse_lists = FAKE_NODES;
	fake_run(f, 300000);
	assert_int_equal(f->refuse_lists, 0);
	assert_true(span_eq(cert, f->node[0].cert));
	f->now += 3600 * 1000;
	fake_run(f, 300000);
	assert_false(span_eq(cert, f->node[0].cert));
	send_text(f, 0, 1, "two");
	send_text(f, 1, 0, "three");
	assert_int_equal(f->node[0].refused + f->node[1].refused, 0);
	fake_close(f);
}

/* A profile that an earlier version wrote is read: it had no alarm_ms. */
static void
test_setup_reads_a_meta_record_of_version_1(void **state)
{
	struct meta m = { .flags = META_KEYS, .over_cmd = 5, .alarm_ms = 6,
	    .name = SPAN("name") }, got;
	uint8_t mem[META_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	size_t tail = 4 * 2 + 4;	/* the texts, one of them of 4 bytes */

	(void)state;
	assert_int_equal(meta_encode(&m, &w), OK);
	assert_int_equal(meta_decode(wr_done(&w), &got), OK);
	assert_int_equal(got.alarm_ms, 6);
	memmove(&mem[w.n - tail - 24], &mem[w.n - tail], tail);
	assert_int_equal(meta_decode(span_of(mem, w.n - 24), &got),
	    ERR_FORMAT);
	mem[0] = 1;
	assert_int_equal(meta_decode(span_of(mem, w.n - 24), &got), OK);
	assert_int_equal(got.over_cmd, 5);
	assert_int_equal(got.alarm_ms, 0);
	assert_true(span_eq(got.name, SPAN("name")));
	assert_int_equal(meta_decode(wr_done(&w), &got), ERR_FORMAT);
	mem[0] = 5;
	assert_int_equal(meta_decode(wr_done(&w), &got), ERR_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setup_renews_by_age),
		cmocka_unit_test(test_setup_refills_prekeys),
		cmocka_unit_test(test_setup_last_resort),
		cmocka_unit_test(test_setup_reads_a_meta_record_of_version_1),
		cmocka_unit_test(test_setup_goes_on_after_a_refused_list),
		cmocka_unit_test(
		    test_setup_goes_on_after_a_refused_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
