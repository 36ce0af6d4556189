/* migrate_test.c: schema migrations. */
#include "store/harness.h"

#include "store/migrate.h"

static const struct migrate_file two[] = {
	{ "001_first", "", "CREATE TABLE a (id @ID, n @INT, b @BOOL);" },
	{ "001_first", "pg", "this is not for SQLite;" },
	{ "001_first", "sqlite", "CREATE INDEX a_n ON a (n);" },
	{ "002_more", "", "CREATE TABLE b (id @ID, t @TIME, j @JSON);" },
	{ NULL, NULL, NULL },
};
static const struct migrate_file broken[] = {
	{ "001_first", "", "CREATE TABLE a (id @ID, n @INT, b @BOOL);" },
	{ "002_more", "", "CREATE TABLE b (id @ID); CREATE TABLE nonsense;" },
	{ NULL, NULL, NULL },
};

static int
setup(void **state)
{
	struct db *db;

	harness_begin();
	if (sqlite_driver.open(harness_path, DB_WRITE, &db, NULL) != OK)
		return -1;
	*state = db;
	return 0;
}

static int
teardown(void **state)
{
	sqlite_driver.close(*state);
	harness_end();
	return 0;
}

static enum err
run(struct db *db, const struct migrate_file *files, const char *last,
    struct store_error *why)
{
	return migrate_run(&sqlite_driver, db, files, last, 1, why);
}

static void
test_migrate_runs_each_once(void **state)
{
	struct store_error why;

	assert_int_equal(run(*state, two, "001_first", &why), OK);
	assert_int_equal(sqlite_driver.run(*state, "SELECT n FROM a"), OK);
	assert_int_not_equal(sqlite_driver.run(*state, "SELECT id FROM b"),
	    OK);
	assert_int_equal(run(*state, two, NULL, &why), OK);
	assert_int_equal(sqlite_driver.run(*state, "SELECT id FROM b"), OK);
	assert_int_equal(run(*state, two, NULL, &why), OK);
}

static void
test_migrate_runs_the_schema_twice(void **state)
{
	struct store_error why;

	assert_int_equal(run(*state, NULL, NULL, &why), OK);
	assert_int_equal(run(*state, NULL, NULL, &why), OK);
}

/* The first value of the first row of a statement, as a number. */
static uint64_t
number(struct db *db, const char *sql)
{
	struct stmt *st;
	struct value v = { .n = 0 };
	bool row = false;

	assert_int_equal(sqlite_driver.prepare(db, sql, &st), OK);
	assert_int_equal(sqlite_driver.step(st, &row), OK);
	assert_true(row);
	sqlite_driver.column(st, 0, KIND_U64, &v);
	(void)sqlite_driver.reset(st);
	return v.n;
}

/*
 * 003_direct: names that are there can be sought by their parts, and marks
 * stay shown; from then on triggers follow the names.
 */
static void
test_migrate_direct_takes_what_is_there(void **state)
{
	struct store_error why;

	assert_int_equal(run(*state, NULL, "002_views", &why), OK);
	assert_int_equal(sqlite_driver.run(*state,
	    "INSERT INTO users (id, username, username_key, email,"
	    " password_hash, created_at, updated_at)"
	    " VALUES (x'01', 'Anna', 'anna', 'a', 'x', 1, 1),"
	    " (x'02', 'aaaaa', 'aaaaa', 'b', 'x', 1, 1);"
	    "INSERT INTO chats (id, type, created_at, updated_at)"
	    " VALUES (x'03', 'direct', 1, 1);"
	    "INSERT INTO chat_members (chat_id, user_id, joined_at,"
	    " last_read_position, delivered_position)"
	    " VALUES (x'03', x'01', 1, 7, 9);"), OK);
	assert_int_equal(run(*state, NULL, NULL, &why), OK);
	assert_int_equal(number(*state, "SELECT COUNT(*) FROM user_trigrams"
	    " WHERE user_id = x'01' AND trigram IN ('ann', 'nna')"), 2);
	assert_int_equal(number(*state, "SELECT COUNT(*) FROM user_trigrams"),
	    3);		/* aaa once */
	assert_int_equal(number(*state, "SELECT shown_read * 100 +"
	    " shown_delivered FROM chat_members"), 709);
	assert_int_equal(sqlite_driver.run(*state,
	    "UPDATE users SET username_key = 'hann' WHERE id = x'01'"), OK);
	assert_int_equal(number(*state, "SELECT COUNT(*) FROM user_trigrams"
	    " WHERE user_id = x'01' AND trigram IN ('han', 'ann')"), 2);
	assert_int_equal(sqlite_driver.run(*state,
	    "DELETE FROM users WHERE id = x'02'"), OK);
	assert_int_equal(number(*state, "SELECT COUNT(*) FROM user_trigrams"),
	    2);
}

static void
test_migrate_leaves_no_trace_of_a_failure(void **state)
{
	struct store_error why;

	assert_int_not_equal(run(*state, broken, NULL, &why), OK);
	assert_non_null(strstr(why.text, "002_more"));
	/* The first stands, of the second there is nothing. */
	assert_int_equal(sqlite_driver.run(*state, "SELECT n FROM a"), OK);
	assert_int_not_equal(sqlite_driver.run(*state, "SELECT id FROM b"),
	    OK);
	assert_int_equal(run(*state, two, NULL, &why), OK);
}

static void
test_migrate_refuses_a_newer_database(void **state)
{
	struct store_error why;

	assert_int_equal(run(*state, two, NULL, &why), OK);
	assert_int_equal(sqlite_driver.run(*state, "INSERT INTO migrations "
	    "VALUES (9, '009_later', 1)"), OK);
	assert_int_equal(run(*state, two, NULL, &why), ERR_VERSION);
	assert_non_null(strstr(why.text, "newer"));
}

static void
test_migrate_spells_type_words(void **state)
{
	struct driver_words w = { "I", "B", "T", "J", "P", "L", "N" };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(migrate_spell(&w,
	    "@ID @BYTES @TIME,@JSON @IP(@BOOL) @INT", &b), OK);
	assert_string_equal((const char *)b.p, "I B T,J P(L) N");
	buf_clear(&b);
	assert_int_equal(migrate_spell(&w, "x @WORD", &b), ERR_FORMAT);
	buf_clear(&b);
	assert_int_equal(migrate_spell(&w, "x @", &b), ERR_FORMAT);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_migrate_runs_each_once),
		TEST(test_migrate_runs_the_schema_twice),
		TEST(test_migrate_direct_takes_what_is_there),
		TEST(test_migrate_leaves_no_trace_of_a_failure),
		TEST(test_migrate_refuses_a_newer_database),
		TEST(test_migrate_spells_type_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
