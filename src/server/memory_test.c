/* memory_test.c: what the kernel's files say, and what is made of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/memory.h"

#define MIB ((uint64_t)1 << 20)

static void
test_memory_hashes_take_a_quarter(void **state)
{
	(void)state;
	assert_int_equal(memory_hashers(4, 64 * 1024 * MIB), 4);
	assert_int_equal(memory_hashers(4, 1024 * MIB), 4);
	assert_int_equal(memory_hashers(4, 1023 * MIB), 3);
	assert_int_equal(memory_hashers(4, 512 * MIB), 2);
	assert_int_equal(memory_hashers(4, 256 * MIB), 1);
	assert_int_equal(memory_hashers(4, 1), 1);
	assert_int_equal(memory_hashers(1, 1024 * MIB), 1);
	assert_int_equal(memory_hashers(64, 0), 64);	/* not known */
}

static void
test_memory_reads_the_kernels_files(void **state)
{
	(void)state;
	assert_int_equal(memory_of_machine(SPAN("MemTotal:         512 kB\n"
	    "MemFree:  9 kB\n")), 512 * 1024);
	assert_int_equal(memory_of_machine(SPAN("MemFree: 9 kB\n"
	    "MemTotal: 7 kB")), 7 * 1024);
	assert_int_equal(memory_of_machine(SPAN("MemFree: 9 kB\n")), 0);
	assert_int_equal(memory_of_machine(SPAN("MemTotal: x kB\n")), 0);
	assert_int_equal(memory_of_machine(SPAN("")), 0);
	assert_int_equal(memory_of_group(SPAN("268435456\n")), 256 * MIB);
	assert_int_equal(memory_of_group(SPAN("max\n")), 0);
	assert_int_equal(memory_of_group(SPAN("")), 0);
}

static void
test_memory_of_this_machine(void **state)
{
	(void)state;
	assert_true(memory_bytes() > 64 * MIB);
	assert_true(memory_bytes() < (uint64_t)1 << 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_hashes_take_a_quarter),
		cmocka_unit_test(test_memory_reads_the_kernels_files),
		cmocka_unit_test(test_memory_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
