/*
 * stored_test.c: the tables of stored.def fit their queries, and rows become
 * JSON by their columns' names.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/stored.h"
#include "store/query.h"
#include "wire/json.h"

static const struct stored_field *
field_of(const struct stored_table *t, const char *name)
{
	for (size_t i = 0; i < t->fields_n; i++)
		if (strcmp(t->fields[i].name, name) == 0)
			return &t->fields[i];
	return NULL;
}

/* Every field is in the archive or a secret, and nothing else is there. */
static void
test_stored_tables_fit_their_queries(void **state)
{
	const struct stored_table *t;
	size_t n, cols;

	(void)state;
	t = stored_tables(&n);
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++) {
		const struct query_field *f =
		    query_row(t[i].query)->out(&cols);
		size_t open = 0;

		for (size_t j = 0; j < t[i].fields_n; j++)
			open += !t[i].fields[j].is_secret;
		assert_int_equal(open, cols);
		for (size_t j = 0; j < cols; j++) {
			const struct stored_field *d = field_of(&t[i],
			    f[j].name);

			assert_true(d != NULL && !d->is_secret);
		}
		if (t[i].is_keyed)
			assert_int_equal(f[0].row, KIND_ROW_U64);
	}
}

/* Hashes of what people type, and tokens, are never handed out. */
static void
test_stored_secrets_stay(void **state)
{
	static const char *const secrets[][2] = {
		{ "users", "password_hash" }, { "sessions", "token_hash" },
		{ "sessions", "refresh_token_hash" },
		{ "account_tokens", "token_hash" },
		{ "invites", "code_hash" }, { "link_mailboxes", "secret_hash" },
	};
	const struct stored_table *t;
	size_t n, found = 0;

	(void)state;
	t = stored_tables(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < 6; j++)
			if (strcmp(t[i].name, secrets[j][0]) == 0) {
				const struct stored_field *d = field_of(&t[i],
				    secrets[j][1]);

				found++;
				assert_true(d != NULL && d->is_secret);
			}
	assert_int_equal(found, 6);
}

static const struct stored_table *
table_of(const char *name)
{
	const struct stored_table *t;
	size_t n;

	t = stored_tables(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].name, name) == 0)
			return &t[i];
	return NULL;
}

static void
test_stored_row_as_json(void **state)
{
	struct q_stored_messages_out row = { .position = 5,
	    .suite = SPAN("ratchet"), .message_type = SPAN("te\"xt"),
	    .encrypted_keys = SPAN("{\"a\":1}"), .created_at = 1000,
	    .is_partial = true };
	char text[2048];
	struct wr w = wr_init(text, sizeof(text)), small = wr_init(text, 20);

	(void)state;
	assert_int_equal(stored_key(table_of("messages"), &row), 5);
	assert_int_equal(stored_row(table_of("messages"), &row, &small),
	    ERR_SPACE);
	assert_int_equal(stored_row(table_of("messages"), &row, &w), OK);
	text[w.n] = '\0';
	assert_ptr_equal(strstr(text, "{\"position\":5,"), text);
	assert_non_null(strstr(text, "\"encrypted_keys\":{\"a\":1}"));
	assert_non_null(strstr(text, "\"message_type\":\"te\\\"xt\""));
	assert_non_null(strstr(text, "\"encrypted_content\":null"));
	assert_non_null(strstr(text,
	    "\"created_at\":\"1970-01-01T00:00:01.000Z\""));
	assert_non_null(strstr(text, "\"deleted_at\":null"));
	assert_non_null(strstr(text, "\"is_partial\":true"));
	assert_int_equal(text[w.n - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stored_tables_fit_their_queries),
		cmocka_unit_test(test_stored_secrets_stay),
		cmocka_unit_test(test_stored_row_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
