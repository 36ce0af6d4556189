/* msgid_test.c: message ids that carry their position. */
#include "store/harness.h"

static void
test_msgid_gives_its_position_back(void **state)
{
	static const uint64_t positions[] = { 1, 2, 4095, 1 << 20,
	    (UINT64_C(1) << 41) - 1, UINT64_C(1) << 41, MSGID_POSITION_MAX };
	struct message_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		id = msgid_make(1700000000000, positions[i], 0xffffffff);
		assert_true(msgid_position(&id) == positions[i]);
		id = msgid_make(1700000000000, positions[i], 0);
		assert_true(msgid_position(&id) == positions[i]);
	}
}

/* RFC 9562 5.7: version 7, variant 10, 48 bits of time in front. */
static void
test_msgid_is_a_uuid_of_version_7(void **state)
{
	struct message_id id = msgid_make(0x0123456789ab, MSGID_POSITION_MAX,
	    0xffffffff);

	(void)state;
	assert_int_equal(id.b[0], 0x01);
	assert_int_equal(id.b[5], 0xab);
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal(id.b[8] >> 6, 2);
	id = msgid_make(0x0123456789ab, 1, 0);
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal(id.b[8] >> 6, 2);
}

static void
test_msgid_sorts_by_position_within_a_millisecond(void **state)
{
	struct message_id a = msgid_make(5, 41, 0xffffffff);
	struct message_id b = msgid_make(5, 42, 0);

	(void)state;
	assert_true(memcmp(a.b, b.b, ID_LEN) < 0);
}

static void
test_msgid_refuses_ids_of_others(void **state)
{
	struct message_id id = msgid_make(5, 41, 7);

	(void)state;
	id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x40);	/* version 4 */
	assert_true(msgid_position(&id) == 0);
	id = msgid_make(5, 41, 7);
	id.b[8] |= 0xc0;				/* another variant */
	assert_true(msgid_position(&id) == 0);
	memset(&id, 0, sizeof(id));
	assert_true(msgid_position(&id) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msgid_gives_its_position_back),
		cmocka_unit_test(test_msgid_is_a_uuid_of_version_7),
		cmocka_unit_test(
		    test_msgid_sorts_by_position_within_a_millisecond),
		cmocka_unit_test(test_msgid_refuses_ids_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
