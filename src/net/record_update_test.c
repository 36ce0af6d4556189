/*
 * record_update_test.c: what a client may send of the handshake's messages
 * once the handshake is over (RFC 8446 4.6): KeyUpdate, whole or in pieces,
 * and nothing else; and how long a key may be used.
 */
#include "net/record_rig.h"

/* ---- Handshake messages ---- */

#define NO_UPDATE SPAN("\x18\0\0\1\0")
#define DO_UPDATE SPAN("\x18\0\0\1\1")


/* RFC 8446 4.6.3, 7.2: both ways, many times, with data in between. */
static void
test_record_keys_change(void **state)
{
	(void)state;
	for (uint16_t suite = 0x1301; suite <= 0x1303; suite++) {
		start(suite);
		for (int i = 0; i < 100; i++) {
			uint8_t before[32];
			struct span s;
			size_t n;

			memcpy(before, them.out.key, 32);
			assert_int_equal(record_update(&them, engine, wire,
			    &n), OK);
			assert_true(n <= RECORD_SMALL);
			assert_memory_not_equal(before, them.out.key, 16);
			assert_int_equal(them.out.seq, 0);
			assert_int_equal(open_wire(n, &s), RECORD_IS_OURS);
			assert_int_equal(us.in.seq, 0);
			assert_memory_equal(us.in.key, them.out.key, 32);
			assert_false(record_wants_update(&us));
			accepts(seal(RECORD_DATA, SPAN("new")), SPAN("new"));
		}
	}
}

static void
test_record_answers_an_update_that_asks(void **state)
{
	struct span s;
	size_t n;

	(void)state;
	them.ask_update = true;
	assert_int_equal(record_update(&them, engine, wire, &n), OK);
	assert_int_equal(open_wire(n, &s), RECORD_IS_OURS);
	assert_true(record_wants_update(&us));
	assert_int_equal(record_update(&us, engine, wire, &n), OK);
	assert_false(record_wants_update(&us));
	assert_int_equal(record_open(&them, engine, wire, n, &s),
	    RECORD_IS_OURS);
	/* Our answer asks for nothing, so it ends there. */
	assert_false(record_wants_update(&them));
	assert_memory_equal(us.out.key, them.in.key, 32);
}

/* RFC 8446 5.5: before a key is used up, ours changes and theirs is asked. */
static void
test_record_limits_the_use_of_a_key(void **state)
{
	struct span s;
	size_t n;

	(void)state;
	assert_true(RECORD_KEY_USES < 23726566);	/* 2^24.5 */
	us.key_uses = them.key_uses = 10;
	for (int i = 0; i < 9; i++)
		accepts(seal(RECORD_DATA, SPAN("x")), SPAN("x"));
	assert_false(record_wants_update(&us));
	assert_false(record_wants_update(&them));
	accepts(seal(RECORD_DATA, SPAN("x")), SPAN("x"));
	assert_true(record_wants_update(&them));
	assert_true(record_wants_update(&us));
	/* Asked once, however long they take. */
	assert_int_equal(record_update(&us, engine, wire, &n), OK);
	assert_int_equal(record_open(&them, engine, wire, n, &s),
	    RECORD_IS_OURS);
	accepts(seal(RECORD_DATA, SPAN("y")), SPAN("y"));
	assert_false(record_wants_update(&us));
	assert_true(them.owe_update);
	assert_int_equal(record_update(&them, engine, wire, &n), OK);
	assert_int_equal(open_wire(n, &s), RECORD_IS_OURS);
	assert_false(record_wants_update(&them));
	assert_false(us.asked);
}

/* RFC 8446 5.3: a sequence number does not wrap. */
static void
test_record_numbers_do_not_wrap(void **state)
{
	const struct sys_iov iov = { "x", 1 };
	size_t n = 1234;

	(void)state;
	us.out.seq = UINT64_MAX;
	assert_int_equal(record_seal(&us, engine, RECORD_DATA, &iov, 1, wire,
	    &n), ERR_PROVIDER);
	assert_int_equal(n, 1234);
	us.in.seq = them.out.seq = UINT64_MAX;
	refuses(seal_raw(SPAN("x\x17")), ALERT_BAD_RECORD_MAC);
}

/* RFC 8446 5.1: a message may come in pieces, of one byte each even. */
static void
test_record_update_in_pieces(void **state)
{
	struct span s;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(open_wire(seal(RECORD_HANDSHAKE,
		    span_sub(DO_UPDATE, i, 1)), &s), RECORD_IS_OURS);
		assert_int_equal(us.owe_update, i == 4);
	}
	assert_int_equal(us.in.seq, 0);
}

/* RFC 8446 5.1: nothing in between; and none may be empty. */
static void
test_record_refuses_interruptions(void **state)
{
	struct span s;

	(void)state;
	for (int with = 0; with < 2; with++) {
		start(RECORD_AES_128_GCM_SHA256);
		assert_int_equal(open_wire(seal(RECORD_HANDSHAKE,
		    SPAN("\x18\0")), &s), RECORD_IS_OURS);
		refuses(with ? seal(RECORD_DATA, SPAN("data")) :
		    seal(RECORD_ALERT, SPAN("\1\0")),
		    ALERT_UNEXPECTED_MESSAGE);
	}
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal(RECORD_HANDSHAKE, SPAN("")), ALERT_UNEXPECTED_MESSAGE);
}

/* RFC 8446 5.1: keys change at the end of a record. */
static void
test_record_refuses_bytes_after_an_update(void **state)
{
	(void)state;
	refuses(seal(RECORD_HANDSHAKE, SPAN("\x18\0\0\1\0\x18")),
	    ALERT_UNEXPECTED_MESSAGE);
}

/* RFC 8446 4.6.3: other values of request_update: illegal_parameter. */
static void
test_record_refuses_odd_updates(void **state)
{
	(void)state;
	for (unsigned v = 2; v < 256; v++) {
		const uint8_t m[5] = { 24, 0, 0, 1, (uint8_t)v };

		start(RECORD_AES_128_GCM_SHA256);
		refuses(seal(RECORD_HANDSHAKE, SPAN_OF(m)),
		    ALERT_ILLEGAL_PARAMETER);
	}
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal(RECORD_HANDSHAKE, SPAN("\x18\0\0\2\0\0")),
	    ALERT_DECODE_ERROR);
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal(RECORD_HANDSHAKE, SPAN("\x18\0\1\0")),
	    ALERT_DECODE_ERROR);
}

/* RFC 8446 4.6: tickets, requests, certificates, a new hello. */
static void
test_record_refuses_other_messages(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		const uint8_t m[5] = { (uint8_t)type, 0, 0, 1, 0 };

		if (type == 24)
			continue;
		start(RECORD_AES_128_GCM_SHA256);
		refuses(seal(RECORD_HANDSHAKE, SPAN_OF(m)),
		    ALERT_UNEXPECTED_MESSAGE);
	}
}

/* Records that say nothing come to an end; data makes up for them. */
static void
test_record_refuses_a_flood_of_nothing(void **state)
{
	struct span s;
	size_t n;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < RECORD_IDLE_MAX; i++)
			accepts(seal(RECORD_DATA, SPAN("")), SPAN(""));
		accepts(seal(RECORD_DATA, SPAN("x")), SPAN("x"));
	}
	for (int i = 0; i < RECORD_IDLE_MAX; i++) {
		assert_int_equal(record_update(&them, engine, wire, &n), OK);
		assert_int_equal(open_wire(n, &s), RECORD_IS_OURS);
	}
	refuses(seal(RECORD_HANDSHAKE, NO_UPDATE), ALERT_UNEXPECTED_MESSAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_record_keys_change),
		T(test_record_answers_an_update_that_asks),
		T(test_record_limits_the_use_of_a_key),
		T(test_record_numbers_do_not_wrap),
		T(test_record_update_in_pieces),
		T(test_record_refuses_interruptions),
		T(test_record_refuses_bytes_after_an_update),
		T(test_record_refuses_odd_updates),
		T(test_record_refuses_other_messages),
		T(test_record_refuses_a_flood_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
