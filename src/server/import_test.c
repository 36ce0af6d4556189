/* import_test.c: files of accounts from elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/import.h"

#define HASH "$2b$12$LQv3c1yqBWVHxkd0LHAkCOYz6TtxMQJqhN8/LewdBPj4J/HS.iK8i"
#define WEAK "$2b$09$LQv3c1yqBWVHxkd0LHAkCOYz6TtxMQJqhN8/LewdBPj4J/HS.iK8i"

static uint8_t mem[1 << 18];
static struct import im;

static enum err
read_text(const char *text)
{
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	return import_read(span_str(text), &a, &im);
}

static void
assert_row(size_t i, const char *name, const char *key, const char *email,
    size_t line)
{
	assert_true(i < im.rows_n);
	assert_true(span_eq(im.rows[i].username, span_str(name)));
	assert_true(span_eq(im.rows[i].key, span_str(key)));
	assert_true(span_eq(im.rows[i].email, span_str(email)));
	assert_true(span_eq(im.rows[i].hash, SPAN(HASH)));
	assert_int_equal(im.rows[i].line, line);
}

static void
assert_fault(size_t line, const char *field)
{
	assert_true(im.faults_n > 0);
	assert_int_equal(im.faults[0].line, line);
	assert_string_equal(im.faults[0].field, field);
	assert_true(im.faults[0].message[0] != '\0');
}

#define JSON(name, mail, hash) "{\"username\":\"" name "\",\"email\":\"" \
	mail "\",\"password_hash\":\"" hash "\"}\n"

static void
test_import_json_lines(void **state)
{
	(void)state;
	assert_int_equal(read_text(JSON("Alice", "A@Example.org", HASH) "\r\n"
	    "{ \"email\" : \"b@example.org\", \"password_hash\":\"" HASH
	    "\", \"username\":\"b\\u006fb\" }"), OK);
	assert_int_equal(im.rows_n, 2);
	assert_row(0, "Alice", "alice", "a@example.org", 1);
	assert_row(1, "bob", "bob", "b@example.org", 3);
}

/* RFC 4180 2 */
static void
test_import_csv(void **state)
{
	(void)state;
	assert_int_equal(read_text("\xef\xbb\xbf" "email,username,password_hash\r\n"
	    "A@example.org,Alice," HASH "\r\n"
	    "\r\n"
	    "\"b@example.org\",\"bob\",\"" HASH "\"\n"
	    "c@example.org,carol," HASH), OK);
	assert_int_equal(im.rows_n, 3);
	assert_row(0, "Alice", "alice", "a@example.org", 2);
	assert_row(1, "bob", "bob", "b@example.org", 4);
	assert_row(2, "carol", "carol", "c@example.org", 5);
}

static void
test_import_lines_behind_a_quoted_line_break(void **state)
{
	(void)state;
	assert_int_equal(read_text("username,email,password_hash\n"
	    "\"al\nice\",a@example.org," HASH "\n"
	    "b\"\"ob,b@example.org," HASH "\n"
	    "\"d\"\"ave\",d@example.org," HASH "\n"), ERR_VALIDATION);
	assert_int_equal(im.faults_n, 3);
	assert_fault(2, "username");
	assert_int_equal(im.faults[1].line, 4);
	assert_int_equal(im.faults[2].line, 5);
}

static void
test_import_names_the_line(void **state)
{
	static const struct {
		const char *text;
		size_t line;
		const char *field;
	} bad[] = {
		{ "", 0, "" }, { " \n\n", 0, "" },
		{ "username,email,password_hash\n", 0, "" },
		{ JSON("al", "a@example.org", HASH), 1, "username" },
		{ JSON("al-ice", "a@example.org", HASH), 1, "username" },
		{ JSON("alice", "nobody", HASH), 1, "email" },
		{ JSON("alice", "a@example.org", WEAK), 1, "password_hash" },
		{ JSON("alice", "a@example.org", "secret"), 1,
		    "password_hash" },
		{ "\n" JSON("alice", "a@example.org", HASH)
		    JSON("bob", "b@example.org", WEAK), 3, "password_hash" },
		{ JSON("alice", "a@example.org", HASH)
		    JSON("ALICE", "b@example.org", HASH), 2, "username" },
		{ JSON("alice", "a@example.org", HASH)
		    JSON("bob", "A@example.org", HASH), 2, "email" },
		{ "{\"username\":\"alice\"", 1, "" },
		{ "{\"username\":\"alice\"}", 1, "email" },
		{ "{}\n", 1, "username" },
		{ JSON("alice", "a@example.org", HASH) "x", 2, "" },
		{ JSON("alice", "a@example.org", HASH) "[]", 2, "" },
		{ "username,email\nalice,a@example.org\n", 2,
		    "password_hash" },
		{ "username,email,password_hash,role\n"
		    "alice,a@example.org," HASH ",admin\n", 2, "role" },
		{ "username,email,password_hash\nalice,a@example.org\n", 2,
		    "" },
		{ "username,email,password_hash\n\"alice,a@example.org\n", 2,
		    "" },
		{ "username,email,password_hash\n\"alice\"x,a@example.org,"
		    HASH "\n", 2, "" },
		{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n", 1, "" },
		{ "username,email,email,password_hash\nalice,a@example.org,"
		    "a@example.org," HASH "\n", 2, "email" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_text(bad[i].text) != ERR_VALIDATION)
			fail_msg("accepted: %s", bad[i].text);
		if (im.faults[0].line != bad[i].line ||
		    strcmp(im.faults[0].field, bad[i].field) != 0)
			fail_msg("%s: line %zu, field %s (%s)", bad[i].text,
			    im.faults[0].line, im.faults[0].field,
			    im.faults[0].message);
	}
}

static void
test_import_all_kinds_of_bcrypt(void **state)
{
	static const char *const heads[] = { "$2a$10", "$2b$16", "$2y$12" };
	static const char *const bad[] = { "$2x$12", "$2$$12", "$2b$17",
		"$2b$04", "$1b$12" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), JSON("alice", "a@example.org",
		    "%s%s"), heads[i], &HASH[6]);
		assert_int_equal(read_text(text), OK);
	}
	for (size_t i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), JSON("alice", "a@example.org",
		    "%s%s"), bad[i], &HASH[6]);
		assert_int_equal(read_text(text), ERR_VALIDATION);
		assert_fault(1, "password_hash");
	}
}

static void
test_import_faults_have_a_limit(void **state)
{
	char text[8192];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "{\"username\":\"x\"}\n");
	assert_int_equal(read_text(text), ERR_VALIDATION);
	assert_int_equal(im.faults_n, IMPORT_FAULTS_MAX);
}

static void
test_import_a_full_arena_is_an_error(void **state)
{
	static uint8_t small[64];
	struct arena a;

	(void)state;
	arena_init(&a, small, sizeof(small));
	assert_int_equal(import_read(SPAN(JSON("alice", "a@example.org",
	    HASH)), &a, &im), ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import_json_lines),
		cmocka_unit_test(test_import_csv),
		cmocka_unit_test(test_import_lines_behind_a_quoted_line_break),
		cmocka_unit_test(test_import_names_the_line),
		cmocka_unit_test(test_import_all_kinds_of_bcrypt),
		cmocka_unit_test(test_import_faults_have_a_limit),
		cmocka_unit_test(test_import_a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
