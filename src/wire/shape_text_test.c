/*
 * shape_text_test.c: every row of the table can be said in words that fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/shapes.h"

static char text[128];

static const char *
words(const struct shape *s, const char *member, bool item)
{
	struct wr w = wr_init(text, sizeof text - 1);

	memset(text, 0, sizeof text);
	for (uint32_t i = 0; i < s->rows_n; i++)
		if (strcmp(s->rows[i].name, member) == 0) {
			if (item)
				shape_text_item(&s->rows[i], &w);
			else
				shape_text_row(&s->rows[i], &w);
		}
	assert_true(wr_ok(&w));
	return text;
}

static void
test_shape_text_says_each_kind(void **state)
{
	(void)state;
	assert_string_equal(words(&shape_register_req, "email", false),
	    "must be a string of 3 to 254 characters that is an e-mail "
	    "address");
	assert_string_equal(words(&shape_msg_send_req, "sentAt", false),
	    "must be a time in UTC, such as 2026-01-31T12:00:00.000Z");
	assert_string_equal(words(&shape_metadata_rec, "hybrid", false),
	    "must be JSON of at most 4096 bytes");
	assert_string_equal(words(&shape_devices_changed_rec, "missing",
	    true), "must be a string of 36 to 47 characters");
	assert_string_equal(words(&shape_sync_rep, "events", true),
	    "must be an object");
	assert_string_equal(words(&shape_chat_create_req, "memberIds", true),
	    "must be a UUID");
	assert_string_equal(words(&shape_prekey_bundles_req, "deviceIds",
	    true), "must be an integer from 0 to 4294967295");
}

static void
test_shape_text_fits(void **state)
{
	const struct shape *s;

	(void)state;
	for (size_t i = 0; (s = shape_at(i)) != NULL; i++)
		for (uint32_t k = 0; k < s->rows_n; k++) {
			const char *t = words(s, s->rows[k].name, false);

			assert_int_equal(strncmp(t, "must be ", 8), 0);
			assert_true(strlen(t) < sizeof(
			    ((struct shape_fault *)0)->message));
			t = words(s, s->rows[k].name, true);
			assert_int_equal(strncmp(t, "must be ", 8), 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape_text_says_each_kind),
		cmocka_unit_test(test_shape_text_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
