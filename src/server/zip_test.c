/*
 * zip_test.c: archives in bytes (APPNOTE 4.3), limits, and beginning again from
 * a copy. That others read them: tests/scenario/64_account.py (Python's).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/sys.h"
#include "server/zip.h"

static int fd = -1;

static int
setup(void **state)
{
	(void)state;
	return sys_spool_open("/tmp", &fd) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	sys_close(fd);
	return 0;
}

static void
test_zip_of_two_files(void **state)
{
	/* 2025-11-21 15:00:00; CRC-32 of "hello" is 3610a686. */
	static const uint8_t want[] = "PK\3\4\x14\0\0\x08\0\0\0\x78\x75\x5b"
	    "\x86\xa6\x10\x36\5\0\0\0\5\0\0\0\1\0\0\0" "a" "hello"
	    "PK\3\4\x14\0\0\x08\0\0\0\x78\x75\x5b"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0" "b";
	uint8_t got[512];
	struct zip z;
	uint64_t n;

	(void)state;
	zip_begin(&z, fd, 1763737200000);
	assert_int_equal(zip_open(&z, "a"), OK);
	assert_int_equal(zip_write(&z, SPAN("hel")), OK);
	assert_int_equal(zip_write(&z, SPAN("lo")), OK);
	assert_int_equal(zip_close(&z), OK);
	assert_int_equal(zip_open(&z, "b"), OK);
	assert_int_equal(zip_close(&z), OK);
	assert_int_equal(zip_end(&z, &n), OK);
	assert_int_equal(n, sizeof(want) - 1 + 2 * 47 + 22);
	assert_int_equal(sys_file_pread(fd, got, sizeof(got), 0), n);
	assert_memory_equal(got, want, sizeof(want) - 1);
	assert_memory_equal(got + sizeof(want) - 1, "PK\1\2", 4);
	assert_memory_equal(got + n - 22, "PK\5\6\0\0\0\0\2\0\2\0", 12);
}

static void
test_zip_begins_again_from_a_copy(void **state)
{
	uint8_t a[512], b[512];
	struct zip z, copy;
	uint64_t n, m;

	(void)state;
	zip_begin(&z, fd, 0);
	assert_int_equal(zip_open(&z, "x"), OK);
	assert_int_equal(zip_write(&z, SPAN("one")), OK);
	copy = z;
	assert_int_equal(zip_write(&copy, SPAN("lost")), OK);
	copy = z;
	assert_int_equal(zip_write(&copy, SPAN("two")), OK);
	assert_int_equal(zip_close(&copy), OK);
	assert_int_equal(zip_end(&copy, &n), OK);
	assert_int_equal(sys_file_pread(fd, a, n, 0), n);
	zip_begin(&z, fd, 0);
	assert_int_equal(zip_open(&z, "x"), OK);
	assert_int_equal(zip_write(&z, SPAN("onetwo")), OK);
	assert_int_equal(zip_close(&z), OK);
	assert_int_equal(zip_end(&z, &m), OK);
	assert_int_equal(n, m);
	assert_int_equal(sys_file_pread(fd, b, m, 0), m);
	assert_memory_equal(a, b, n);
}

static void
test_zip_refuses(void **state)
{
	static char name[ZIP_NAME_MAX + 2];
	struct zip z;
	uint64_t n;

	(void)state;
	memset(name, 'n', ZIP_NAME_MAX);
	zip_begin(&z, fd, 0);
	assert_int_equal(zip_open(&z, name), ERR_LIMIT);
	assert_int_equal(zip_open(&z, "a"), OK);
	assert_int_equal(zip_open(&z, "b"), ERR_LIMIT);
	assert_int_equal(zip_end(&z, &n), ERR_ARG);
	z.at = ZIP_MAX - 2;
	assert_int_equal(zip_write(&z, SPAN("abc")), ERR_TOO_LARGE);
	assert_int_equal(zip_close(&z), OK);
	assert_int_equal(zip_write(&z, SPAN("a")), ERR_ARG);
	zip_begin(&z, fd, 0);
	for (size_t i = 0; i < ZIP_ENTRIES_MAX; i++) {
		assert_int_equal(zip_open(&z, "e"), OK);
		assert_int_equal(zip_close(&z), OK);
	}
	assert_int_equal(zip_open(&z, "e"), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zip_of_two_files, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_zip_begins_again_from_a_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zip_refuses, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
