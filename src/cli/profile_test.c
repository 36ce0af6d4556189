/*
 * profile_test.c: what is stored comes back; what was changed, moved, rolled
 * back or belongs to another key is refused; two processes work at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/profile.h"
#include "crypto/host.h"
#include "crypto/openssl.h"

static struct provider pv;
static char home[64];
static struct profile_paths at;
static uint8_t mem[1 << 16];

static int
start_all(void **state)
{
	(void)state;
	return host_init() == OK && openssl_provider_open(&pv) == OK ? 0 : -1;
}

static int
start(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/nightjar-test-XXXXXX");
	assert_non_null(mkdtemp(home));
	assert_int_equal(profile_find("one", home, NULL, NULL, &at), OK);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	char dir[256];
	assert_int_equal(profile_erase(&at), OK);
	static const char *const dirs[] = { ".local/share/nightjar",
	    ".local/share", ".local/state/nightjar", ".local/state",
	    ".local", "" };
	for (size_t i = 0; i < 6; i++) {
		snprintf(dir, sizeof(dir), "%s/%s", home, dirs[i]);
		rmdir(dir);
	}
	return access(home, F_OK) == 0 ? -1 : 0;	/* nothing is left */
}

static void
make_and_open(struct profile *p)
{
	assert_int_equal(profile_make(&pv, &at, (struct span){ 0 }), OK);
	assert_int_equal(profile_open(p, &pv, &at, NULL, NULL), OK);
}

static void
put(struct profile *p, uint8_t kind, struct span key, struct span value)
{
	assert_int_equal(profile_begin(p), OK);
	assert_int_equal(profile_put(p, kind, key, value), OK);
	assert_int_equal(profile_commit(p), OK);
}

static enum err
load(struct profile *p, uint8_t kind, struct span key, struct span *out)
{
	static struct arena a;
	arena_init(&a, mem, sizeof(mem));
	assert_int_equal(profile_begin_read(p), OK);
	enum err e = profile_load(p, kind, key, &a, out);
	profile_rollback(p);
	return e;
}

static void
expect(struct profile *p, uint8_t kind, struct span key, struct span want)
{
	struct span got;
	assert_int_equal(load(p, kind, key, &got), OK);
	assert_true(span_eq(got, want));
}

/* Runs SQL on the file behind the profile's back. */
static void
meddle(const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(at.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
test_profile_finds_its_place(void **state)
{
	(void)state;
	struct profile_paths w;
	assert_int_equal(profile_find("a", "/h", "/d", "/s", &w), OK);
	assert_string_equal(w.db, "/d/nightjar/a/profile.db");
	assert_string_equal(w.state, "/s/nightjar/a.generation");
	/* A relative XDG path is ignored. */
	assert_int_equal(profile_find("a", "/h", "d", "", &w), OK);
	assert_string_equal(w.key, "/h/.local/share/nightjar/a/key");
	assert_int_equal(profile_find("a", NULL, NULL, "/s", &w),
	    ERR_NOT_FOUND);
}

static void
test_profile_refuses_names_that_leave_the_folder(void **state)
{
	(void)state;
	static const char *const bad[] = { "", ".", "..", "../x", "a/b",
	    "a b", "\xc3\xa4", ".hidden" };
	struct profile_paths w;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(profile_find(bad[i], "/h", NULL, NULL, &w),
		    ERR_VALIDATION);
	assert_true(profile_name_ok("A-b_c.9"));
}

static void
test_profile_keeps_values(void **state)
{
	(void)state;
	struct profile p;
	struct span got;
	make_and_open(&p);
	put(&p, 1, SPAN("k"), SPAN("v"));
	put(&p, 1, SPAN("k"), SPAN("w"));	/* again: replaced */
	put(&p, 2, SPAN("k"), SPAN(""));
	expect(&p, 1, SPAN("k"), SPAN("w"));
	expect(&p, 2, SPAN("k"), SPAN(""));
	profile_close(&p);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	expect(&p, 1, SPAN("k"), SPAN("w"));
	assert_int_equal(load(&p, 1, SPAN("x"), &got), ERR_NOT_FOUND);
	assert_int_equal(profile_begin(&p), OK);
	assert_int_equal(profile_del(&p, 1, SPAN("k")), OK);
	assert_int_equal(profile_commit(&p), OK);
	assert_int_equal(load(&p, 1, SPAN("k"), &got), ERR_NOT_FOUND);
	profile_close(&p);
}

static void
test_profile_rolls_a_step_back(void **state)
{
	(void)state;
	struct profile p;
	make_and_open(&p);
	put(&p, 1, SPAN("k"), SPAN("old"));
	assert_int_equal(profile_begin(&p), OK);
	assert_int_equal(profile_put(&p, 1, SPAN("k"), SPAN("new")), OK);
	profile_rollback(&p);
	expect(&p, 1, SPAN("k"), SPAN("old"));
	profile_close(&p);
}

static void
expect_seek(struct profile *p, const char *prefix, const char *from,
    bool back, const char *want)
{
	struct arena a;
	struct span key, value;
	arena_init(&a, mem, sizeof(mem));
	enum err e = profile_seek(p, 3, span_str(prefix), span_str(from),
	    back, &a, &key, &value);
	if (want == NULL) {
		assert_int_equal(e, ERR_NOT_FOUND);
		return;
	}
	assert_int_equal(e, OK);
	assert_true(span_eq(key, span_str(want)));
	assert_true(span_eq(value, span_str(want)));
}

static void
test_profile_seeks_in_order(void **state)
{
	(void)state;
	static const char *const keys[] = { "a", "b1", "b2", "b\xff\xff", "c",
	    "\xff" };
	struct profile p;
	make_and_open(&p);
	for (size_t i = 0; i < 6; i++)
		put(&p, 3, span_str(keys[i]), span_str(keys[i]));
	put(&p, 2, SPAN("b0"), SPAN("other kind"));
	put(&p, 4, SPAN("b3"), SPAN("other kind"));
	expect_seek(&p, "b", "", false, "b1");
	expect_seek(&p, "b", "b1", false, "b2");
	expect_seek(&p, "b", "b2", false, "b\xff\xff");
	expect_seek(&p, "b", "b\xff\xff", false, NULL);
	expect_seek(&p, "b", "", true, "b\xff\xff");
	expect_seek(&p, "b", "b2", true, "b1");
	expect_seek(&p, "b", "b1", true, NULL);
	expect_seek(&p, "", "", false, "a");
	expect_seek(&p, "", "", true, "\xff");
	expect_seek(&p, "\xff", "", true, "\xff");
	expect_seek(&p, "x", "", false, NULL);
	expect_seek(&p, "x", "", true, NULL);
	profile_close(&p);
}

static void
test_profile_holds_no_plaintext(void **state)
{
	(void)state;
	static const char canary[] = "canary-4711-canary";
	static char file[1 << 20];
	struct profile p;
	make_and_open(&p);
	put(&p, 1, SPAN("k"), span_str(canary));
	int fd = open(at.db, O_RDONLY), wal;
	char path[PROFILE_PATH_MAX + 8];
	snprintf(path, sizeof(path), "%s-wal", at.db);
	wal = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(wal >= 0);
	ssize_t n = read(fd, file, sizeof(file));
	assert_true(n >= 0);
	ssize_t m = read(wal, file + n, sizeof(file) - (size_t)n);
	assert_true(m > 0);
	assert_null(memmem(file, (size_t)(n + m), canary, strlen(canary)));
	assert_non_null(memmem(file, (size_t)(n + m), "record", 6));
	close(fd);
	close(wal);
	profile_close(&p);
}

static void
expect_damage(const char *sql, struct span key)
{
	struct profile p;
	struct span got;
	make_and_open(&p);
	put(&p, 1, SPAN("a"), SPAN("first"));
	put(&p, 1, SPAN("b"), SPAN("other"));
	meddle(sql);
	assert_int_equal(load(&p, 1, key, &got), ERR_STORE);
	assert_int_equal(p.damage, ERR_AUTH);
	profile_close(&p);
}

static void
test_profile_refuses_a_changed_value(void **state)
{
	(void)state;
	expect_damage("UPDATE record SET value=zeroblob(length(value)) "
	    "WHERE key=x'61' AND kind=1", SPAN("a"));
}

static void
test_profile_refuses_a_cut_value(void **state)
{
	(void)state;
	expect_damage("UPDATE record SET value=substr(value,1,40) "
	    "WHERE key=x'61' AND kind=1", SPAN("a"));
}

static void
test_profile_refuses_a_moved_value(void **state)
{
	(void)state;
	/* Both names and generations are bound: neither can be exchanged. */
	expect_damage("UPDATE record SET value=(SELECT value FROM record WHERE "
	    "key=x'62'), generation=(SELECT generation FROM record WHERE "
	    "key=x'62') WHERE key=x'61' AND kind=1", SPAN("a"));
}

static void
test_profile_refuses_a_moved_kind(void **state)
{
	(void)state;
	expect_damage("UPDATE record SET kind=1,key=x'63' WHERE kind=0",
	    SPAN("c"));
}

static void
test_profile_refuses_another_generation(void **state)
{
	(void)state;
	expect_damage("UPDATE record SET generation=generation+1 "
	    "WHERE key=x'61'", SPAN("a"));
}

static void
test_profile_refuses_another_key(void **state)
{
	(void)state;
	struct profile p;
	struct seal_key k;
	make_and_open(&p);
	profile_close(&p);
	unlink(at.key);
	assert_int_equal(keyfile_make(&pv, at.key, (struct span){ 0 }, &k),
	    OK);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), ERR_AUTH);
}

static void
test_profile_refuses_what_is_no_key(void **state)
{
	(void)state;
	struct profile p;
	make_and_open(&p);
	profile_close(&p);
	assert_int_equal(truncate(at.key, 20), 0);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), ERR_FORMAT);
	assert_int_equal(truncate(at.key, 0), 0);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), ERR_FORMAT);
	unlink(at.key);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL),
	    ERR_NOT_FOUND);
}

static void
test_profile_refuses_what_is_no_database(void **state)
{
	(void)state;
	struct profile p;
	assert_int_equal(profile_make(&pv, &at, (struct span){ 0 }), OK);
	int fd = open(at.db, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, "not a database at all.", 22), 22);
	close(fd);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), ERR_FORMAT);
}

static void
test_profile_refuses_a_newer_form(void **state)
{
	(void)state;
	struct profile p;
	make_and_open(&p);
	profile_close(&p);
	meddle("PRAGMA user_version=2");
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), ERR_VERSION);
}

static void
test_profile_refuses_a_key_that_others_can_read(void **state)
{
	(void)state;
	struct profile p;
	struct stat st;
	make_and_open(&p);
	profile_close(&p);
	assert_int_equal(stat(at.key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(at.key, 0644), 0);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL),
	    ERR_UNTRUSTED);
}

static void
test_profile_is_not_made_twice(void **state)
{
	(void)state;
	struct profile p;
	make_and_open(&p);
	profile_close(&p);
	assert_int_equal(profile_make(&pv, &at, (struct span){ 0 }),
	    ERR_CONFLICT);
}

static enum err
answer(void *ctx, char *out, size_t *n_out)
{
	const char *phrase = ctx;
	*n_out = strlen(phrase);
	memcpy(out, phrase, *n_out);
	return OK;
}

static void
test_profile_wants_its_passphrase(void **state)
{
	(void)state;
	struct profile p;
	char right[] = "correct horse", wrong[] = "battery staple";
	assert_int_equal(profile_make(&pv, &at, span_str(right)), OK);
	assert_int_equal(profile_open(&p, &pv, &at, answer, right), OK);
	profile_close(&p);
	assert_int_equal(profile_open(&p, &pv, &at, answer, wrong),
	    ERR_INVALID_CREDENTIALS);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL),
	    ERR_FORBIDDEN);
}

static void
test_profile_refuses_a_key_file_that_would_take_for_ever(void **state)
{
	(void)state;
	struct profile p;
	char right[] = "x";
	/* Magic, form 1, salt, m = 2^32 - 1 KiB, t, p, wrapped key. */
	uint8_t file[5 + 1 + 16 + 12 + 48] = "NJPK\001\001";
	memset(file + 22, 0xff, 4);
	file[29] = 3;
	file[33] = 4;
	assert_int_equal(profile_make(&pv, &at, (struct span){ 0 }), OK);
	int fd = open(at.key, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
	close(fd);
	assert_int_equal(profile_open(&p, &pv, &at, answer, right),
	    ERR_FORMAT);
}

static void
test_profile_remembers_the_highest_generation(void **state)
{
	(void)state;
	struct profile p;
	uint64_t seen = 77;
	make_and_open(&p);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 0);
	assert_int_equal(profile_saw(&p, 9), OK);
	assert_int_equal(profile_saw(&p, 7), OK);	/* lower: ignored */
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 9);
	profile_close(&p);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 9);
	profile_close(&p);
}

static void
test_profile_notices_a_copy_without_the_second_place(void **state)
{
	(void)state;
	struct profile p;
	uint64_t seen;
	make_and_open(&p);
	profile_close(&p);
	unlink(at.state);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	assert_int_equal(profile_seen(&p, &seen), ERR_NOT_FOUND);
	assert_int_equal(profile_saw(&p, 5), OK);
	profile_close(&p);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 5);
	profile_close(&p);
}

/* `rm -r` of a profile and a new one under its name is no rollback. */
static void
test_profile_of_the_same_name_begins_at_zero(void **state)
{
	(void)state;
	struct profile p;
	uint64_t seen = 77;
	make_and_open(&p);
	assert_int_equal(profile_saw(&p, 900), OK);
	profile_close(&p);
	assert_int_equal(unlink(at.key), 0);
	assert_int_equal(unlink(at.db), 0);
	assert_int_equal(profile_make(&pv, &at, (struct span){ 0 }), OK);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 0);
	assert_int_equal(profile_saw(&p, 3), OK);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 3);
	profile_close(&p);
}

/* The database alone was removed: the key names the profile, so it shows. */
static void
test_profile_with_an_emptied_database_keeps_its_generation(void **state)
{
	(void)state;
	struct profile p;
	uint64_t seen = 0;
	make_and_open(&p);
	assert_int_equal(profile_saw(&p, 900), OK);
	profile_close(&p);
	assert_int_equal(unlink(at.db), 0);
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 900);
	profile_close(&p);
}

#define STEPS 60

/* Adds one to a number, STEPS times, each a step of its own. */
static void
count_up(void)
{
	struct profile p;
	struct arena a;
	struct span v;
	uint8_t text[8];
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	for (int i = 0; i < STEPS; i++) {
		struct wr w = wr_init(text, sizeof(text));
		arena_init(&a, mem, sizeof(mem));
		assert_int_equal(profile_begin(&p), OK);
		uint64_t n = 0;
		if (profile_load(&p, 1, SPAN("n"), &a, &v) == OK) {
			struct rd r = rd_init(v);
			n = rd_u64(&r);
		}
		wr_u64(&w, n + 1);
		assert_int_equal(profile_put(&p, 1, SPAN("n"), wr_done(&w)),
		    OK);
		assert_int_equal(profile_commit(&p), OK);
		assert_int_equal(profile_saw(&p, n + 1), OK);
	}
	profile_close(&p);
}

static void
test_profile_serves_processes_at_once(void **state)
{
	(void)state;
	struct profile p;
	struct span v;
	uint64_t seen, before, after;
	pid_t kids[3];
	make_and_open(&p);
	assert_int_equal(profile_version(&p, &before), OK);
	for (size_t i = 0; i < 3; i++) {
		kids[i] = fork();
		assert_true(kids[i] >= 0);
		if (kids[i] == 0) {
			count_up();
			_exit(0);
		}
	}
	for (size_t i = 0; i < 3; i++) {
		int status;
		assert_int_equal(waitpid(kids[i], &status, 0), kids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(profile_version(&p, &after), OK);
	assert_true(before != after);	/* this process notices */
	assert_int_equal(load(&p, 1, SPAN("n"), &v), OK);
	struct rd r = rd_init(v);
	assert_int_equal(rd_u64(&r), 3 * STEPS);
	assert_int_equal(profile_seen(&p, &seen), OK);
	assert_int_equal(seen, 3 * STEPS);
	profile_close(&p);
}

static void
test_profile_keeps_committed_steps_of_a_killed_process(void **state)
{
	(void)state;
	struct profile p;
	make_and_open(&p);
	profile_close(&p);
	pid_t kid = fork();
	assert_true(kid >= 0);
	if (kid == 0) {
		assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
		put(&p, 1, SPAN("k"), SPAN("durable"));
		assert_int_equal(profile_begin(&p), OK);
		assert_int_equal(profile_put(&p, 1, SPAN("k"), SPAN("no")),
		    OK);
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(kid, &status, 0), kid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(profile_open(&p, &pv, &at, NULL, NULL), OK);
	expect(&p, 1, SPAN("k"), SPAN("durable"));
	profile_close(&p);
}

static int
stop_all(void **state)
{
	(void)state;
	openssl_provider_close(&pv);
	return 0;
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		T(test_profile_finds_its_place),
		T(test_profile_refuses_names_that_leave_the_folder),
		T(test_profile_keeps_values),
		T(test_profile_rolls_a_step_back),
		T(test_profile_seeks_in_order),
		T(test_profile_holds_no_plaintext),
		T(test_profile_refuses_a_changed_value),
		T(test_profile_refuses_a_cut_value),
		T(test_profile_refuses_a_moved_value),
		T(test_profile_refuses_a_moved_kind),
		T(test_profile_refuses_another_generation),
		T(test_profile_refuses_another_key),
		T(test_profile_refuses_what_is_no_key),
		T(test_profile_refuses_what_is_no_database),
		T(test_profile_refuses_a_newer_form),
		T(test_profile_refuses_a_key_that_others_can_read),
		T(test_profile_is_not_made_twice),
		T(test_profile_wants_its_passphrase),
		T(test_profile_refuses_a_key_file_that_would_take_for_ever),
		T(test_profile_remembers_the_highest_generation),
		T(test_profile_notices_a_copy_without_the_second_place),
		T(test_profile_of_the_same_name_begins_at_zero),
		T(test_profile_with_an_emptied_database_keeps_its_generation),
		T(test_profile_serves_processes_at_once),
		T(test_profile_keeps_committed_steps_of_a_killed_process),
	};
#undef T
	return cmocka_run_group_tests(tests, start_all, stop_all);
}
