/* known_test.c: what makes a device known, and that nobody else can make it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "crypto/host.h"
#include "server/known.h"

static void
test_known_is_of_key_and_user(void **state)
{
	const uint8_t key[32] = { 1 }, other[32] = { 2 };
	const struct user_id ann = { { 7 } };
	uint8_t id[KNOWN_ID_LEN], again[KNOWN_ID_LEN];
	char text[KNOWN_LEN + 1], more[KNOWN_LEN + 1];
	struct user_id user;

	(void)state;
	assert_int_equal(known_make(key, &ann, text), OK);
	assert_int_equal(strlen(text), KNOWN_LEN);
	assert_true(known_read(key, span_str(text), &user, id));
	assert_true(ID_EQ(user, ann));
	assert_false(known_read(other, span_str(text), &user, id));
	assert_int_equal(known_make(key, &ann, more), OK);
	assert_true(known_read(key, span_str(more), &user, again));
	assert_memory_not_equal(id, again, sizeof(id));
}

/* One character other, or fewer: none of ours. */
static void
test_known_refuses_what_is_forged(void **state)
{
	const uint8_t key[32] = { 1 };
	const struct user_id ann = { { 7 } };
	uint8_t id[KNOWN_ID_LEN];
	char text[KNOWN_LEN + 1], bad[KNOWN_LEN + 1];
	struct user_id user;

	(void)state;
	assert_int_equal(known_make(key, &ann, text), OK);
	for (size_t i = 0; i < KNOWN_LEN; i++) {
		memcpy(bad, text, sizeof(bad));
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		assert_false(known_read(key, span_str(bad), &user, id));
		assert_false(known_read(key, span_of(text, i), &user, id));
	}
	assert_false(known_read(key, SPAN(""), &user, id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_is_of_key_and_user),
		cmocka_unit_test(test_known_refuses_what_is_forged),
	};

	return host_init() != OK ? 1 :
	    cmocka_run_group_tests(tests, NULL, NULL);
}
