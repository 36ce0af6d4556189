/* query_test.c: the rows of queries.def on SQLite, and how values travel. */
#include "store/harness.h"

#include "store/migrate.h"
#include "store/txn_private.h"

static struct link link_;
static struct arena arena;
static uint8_t mem[65536];

static int
setup(void **state)
{
	(void)state;
	harness_begin();
	arena_init(&arena, mem, sizeof(mem));
	if (link_open(&link_, &sqlite_driver, harness_path, DB_WRITE, NULL) !=
	    OK)
		return -1;
	return migrate_run(&sqlite_driver, link_.db, NULL, NULL, 1, NULL) ==
	    OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	link_close(&link_);
	harness_end();
	return 0;
}

static struct txn
new_txn(void)
{
	struct txn t = { .l = &link_, .can_write = true };

	txn_step_begin(&t, &arena);
	return t;
}

/* Every row prepares, and has exactly the parameters that its text names. */
static void
test_query_every_row_prepares(void **state)
{
	struct value v = { .kind = KIND_U64, .n = 1 };
	struct stmt *st;
	size_t n;

	(void)state;
	for (unsigned id = 0; id < query_count(); id++) {
		const struct query *q = query_row(id);

		if (sqlite_driver.prepare(link_.db, q->sql, &st) != OK)
			fail_msg("%s: %s", q->name, sqlite_driver.why(
			    link_.db));
		(void)q->in(&n);
		for (unsigned i = 0; i < n; i++)
			if (sqlite_driver.bind(st, i, &v) != OK)
				fail_msg("%s: no $%u", q->name, i + 1);
		if (sqlite_driver.bind(st, (unsigned)n, &v) == OK)
			fail_msg("%s: more than %zu parameters", q->name, n);
	}
}

static void
add_user(struct txn *t, unsigned n, const char *name)
{
	struct q_user_insert_in in = { .user = harness_user(n),
	    .username = span_str(name), .key = span_str(name),
	    .email = span_str(name), .password_hash = SPAN("x"), .now = 7 };

	assert_int_equal(q_user_insert(t, &in, NULL), OK);
}

static void
test_query_carries_values_both_ways(void **state)
{
	struct q_user_get_in in = { harness_user(1) };
	struct q_user_get_out out;
	struct txn t = new_txn();

	(void)state;
	add_user(&t, 1, "n\303\244me");
	assert_int_equal(q_user_get(&t, &in, &out), OK);
	assert_true(span_eq(out.username, SPAN("n\303\244me")));
	assert_true(out.created_at == 7);
	assert_true(out.last_login == 0);	/* NULL */
	assert_true(out.is_active);
	in.user = harness_user(2);
	assert_int_equal(q_user_get(&t, &in, &out), ERR_NOT_FOUND);
	assert_true(out.created_at == 7);	/* untouched */
	txn_rollback(&t);
}

static void
test_query_empty_is_not_null(void **state)
{
	struct q_session_insert_in in = { .session = { { 5 } },
	    .user = harness_user(1), .token_hash = SPAN("t"),
	    .refresh_hash = SPAN("r"), .name = SPAN(""), .now = 1,
	    .expires_at = 100 };
	struct q_session_list_in list = { harness_user(1), 1 };
	struct q_session_list_out row;
	struct cursor cu;
	struct txn t = new_txn();

	(void)state;
	add_user(&t, 1, "one");
	assert_int_equal(q_session_insert(&t, &in, NULL), OK);
	assert_int_equal(q_session_list_open(&t, &list, &cu), OK);
	assert_int_equal(q_session_list_next(&cu, &row), OK);
	assert_true(row.name.p != NULL && row.name.n == 0);
	assert_null(row.info.p);
	assert_int_equal(q_session_list_next(&cu, &row), ERR_NOT_FOUND);
	/* Closed by its end: it may be opened again, and left open. */
	assert_int_equal(q_session_list_open(&t, &list, &cu), OK);
	assert_int_equal(q_session_list_next(&cu, &row), OK);
	assert_int_equal(txn_step_end(&t, OK), OK);
	assert_int_equal(link_.open_n, 0);
	txn_rollback(&t);
}

static void
test_query_conflict_spoils_nothing(void **state)
{
	struct q_user_insert_in in = { .user = harness_user(2),
	    .username = SPAN("one"), .key = SPAN("one"), .email = SPAN("x"),
	    .password_hash = SPAN("x"), .now = 7 };
	struct txn t = new_txn();

	(void)state;
	add_user(&t, 1, "one");
	assert_int_equal(q_user_insert(&t, &in, NULL), ERR_CONFLICT);
	in.key = SPAN("two");
	assert_int_equal(q_user_insert(&t, &in, NULL), OK);
	assert_int_equal(txn_commit(&t), OK);
}

static void
test_query_a_full_arena_is_an_error(void **state)
{
	uint8_t little[8];
	struct q_user_get_in in = { harness_user(1) };
	struct q_user_get_out out;
	struct arena small;
	struct txn t = new_txn();

	(void)state;
	add_user(&t, 1, "a_rather_long_name");
	arena_init(&small, little, sizeof(little));
	t.arena = &small;
	assert_int_equal(q_user_get(&t, &in, &out), ERR_TOO_LARGE);
	t.arena = &arena;
	assert_int_equal(q_user_get(&t, &in, &out), OK);
	txn_rollback(&t);
}

static void
test_query_foreign_keys_hold(void **state)
{
	struct q_chat_member_insert_in in = { .chat = { { 9 } },
	    .user = harness_user(1), .role = SPAN("member"), .joined_at = 1 };
	struct txn t = new_txn();

	(void)state;
	add_user(&t, 1, "one");
	assert_int_equal(q_chat_member_insert(&t, &in, NULL), ERR_CONFLICT);
	txn_rollback(&t);
}

/* A message moves its chat's marks; an event for some devices does not. */
static void
test_query_messages_move_the_chat(void **state)
{
	struct q_chat_insert_in chat = { .chat = { { 3 } },
	    .type = SPAN("direct"), .created_by = harness_user(1),
	    .created_at = 1 };
	struct q_chat_member_insert_in member = { .chat = { { 3 } },
	    .user = harness_user(1), .role = SPAN("member"), .joined_at = 1 };
	struct q_message_insert_in m = { .chat = { { 3 } },
	    .sender = harness_user(1), .suite = SPAN("other"),
	    .type = SPAN("text"), .content = SPAN("x"), .position = 5,
	    .created_at = 50, .client_message = { { 1 } } };
	struct q_chat_get_in get = { { { 3 } }, harness_user(1) };
	struct q_chat_get_out out;
	struct txn t = new_txn();
	uint64_t rows;

	(void)state;
	add_user(&t, 1, "one");
	assert_int_equal(q_chat_insert(&t, &chat, NULL), OK);
	assert_int_equal(q_chat_member_insert(&t, &member, NULL), OK);
	assert_int_equal(q_message_insert(&t, &m, &rows), OK);
	assert_true(rows == 1);
	assert_int_equal(q_chat_get(&t, &get, &out), OK);
	assert_true(out.last_message_at == 50 && out.last_position == 5 &&
	    out.newest_position == 5);
	m.position = 6;
	assert_int_equal(q_message_insert(&t, &m, &rows), OK);
	assert_true(rows == 0);		/* the same clientMessageId */
	m.client_message.b[0] = 2;
	m.type = SPAN("event");
	m.is_partial = true;
	m.created_at = 60;
	assert_int_equal(q_message_insert(&t, &m, &rows), OK);
	assert_true(rows == 1);
	assert_int_equal(q_chat_get(&t, &get, &out), OK);
	assert_true(out.last_message_at == 50 && out.last_position == 5 &&
	    out.newest_position == 6);
	txn_rollback(&t);
}

/* Does a line of the engine's plan walk a whole table, by index or not? */
static bool
is_scan(const char *sql, struct span line)
{
	static const char *const tables[] = { "messages", "events",
	    "message_receipts", "users", "sessions", "chat_members",
	    "device_prekeys", "audit_logs", "user_trigrams", "chats",
	    "blocks", "archives", "archive_parts", "message_edits",
	    "message_hides", "security_verifications", "user_devices" };
	char text[200], want[64];

	snprintf(text, sizeof(text), "%.*s ", (int)line.n,
	    (const char *)line.p);
	/* Of children without an index, in case that a deferred foreign key is
	 * broken (https://www.sqlite.org/foreignkeys.html, 4.2): none is. */
	if (strncmp(sql, "INSERT INTO users ", 18) == 0)
		return false;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		snprintf(want, sizeof(want), "SCAN %s ", tables[i]);
		if (strncmp(text, want, strlen(want)) == 0)
			return true;
	}
	/* Other names of one letter are tables; not that of a subselect. */
	if (strncmp(text, "SCAN ", 5) != 0 || text[6] != ' ')
		return false;
	snprintf(want, sizeof(want), ") AS %c", text[5]);
	return strstr(sql, want) == NULL;
}

/*
 * Lines of its plan that walk a table, each printed with the name of the
 * query. https://www.sqlite.org/eqp.html: SCAN is each row, SEARCH a part.
 */
static unsigned
count_scans(const char *name, const char *text, unsigned *lines)
{
	char sql[8192];
	struct stmt *st;
	struct value v;
	unsigned n = 0;
	bool row;

	assert_true((size_t)snprintf(sql, sizeof(sql),
	    "EXPLAIN QUERY PLAN %s", text) < sizeof(sql));
	assert_int_equal(sqlite_driver.prepare(link_.db, sql, &st), OK);
	while (sqlite_driver.step(st, &row) == OK && row) {
		sqlite_driver.column(st, 3, KIND_TEXT, &v);
		(*lines)++;
		if (!is_scan(text, v.s))
			continue;
		n++;
		if (name != NULL)
			print_error("%s: %.*s\n", name, (int)v.s.n,
			    (const char *)v.s.p);
	}
	(void)sqlite_driver.reset(st);
	return n;
}

static void
test_query_none_walks_a_whole_table(void **state)
{
	unsigned lines = 0, bad = 0;

	(void)state;
	for (unsigned id = 0; id < query_count(); id++)
		bad += count_scans(query_row(id)->name, query_row(id)->sql,
		    &lines);
	assert_int_equal(bad, 0);
	assert_true(lines > query_count() / 2);
	/* That a scan is seen at all, by table, by index and by alias. */
	assert_true(count_scans(NULL, "SELECT id FROM users WHERE role = 'x'",
	    &lines) == 1);
	assert_true(count_scans(NULL, "SELECT x.id FROM (SELECT id FROM users"
	    " ORDER BY username_key LIMIT 9) AS x", &lines) == 1);
	assert_true(count_scans(NULL, "SELECT r.id FROM reports r"
	    " WHERE r.reason = 'x'", &lines) == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_query_every_row_prepares),
		TEST(test_query_carries_values_both_ways),
		TEST(test_query_empty_is_not_null),
		TEST(test_query_conflict_spoils_nothing),
		TEST(test_query_a_full_arena_is_an_error),
		TEST(test_query_foreign_keys_hold),
		TEST(test_query_messages_move_the_chat),
		TEST(test_query_none_walks_a_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
