/*
 * Tests of arena.c: limits, alignment, going back to a mark.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"

static int chunks_out;

static void *
grow(void *p, size_t n)
{
	if (p == NULL) {
		chunks_out++;
		return malloc(n);
	}
	chunks_out--;
	free(p);
	return NULL;
}

static void *
grow_never(void *p, size_t n)
{
	(void)p;
	(void)n;
	return NULL;
}

static void
test_arena_gives_zeroed_aligned_memory(void **state)
{
	_Alignas(16) uint8_t mem[256];
	struct arena a;
	uint8_t *p, *q;
	size_t i;

	(void)state;
	memset(mem, 0xaa, sizeof(mem));
	arena_init(&a, mem, sizeof(mem));
	p = arena_bytes(&a, 1);
	assert_ptr_equal(p, mem);
	q = (uint8_t *)arena_alloc(&a, 24);
	assert_non_null(q);
	assert_int_equal((uintptr_t)q % 16, 0);
	for (i = 0; i < 24; i++)
		assert_int_equal(q[i], 0);
}

static void
test_arena_fixed_ends_at_its_memory(void **state)
{
	_Alignas(16) uint8_t mem[64];
	struct arena a;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	assert_non_null(arena_bytes(&a, 64));
	assert_null(arena_bytes(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	arena_init(&a, NULL, 0);
	assert_null(arena_bytes(&a, 1));
	assert_null(arena_alloc(&a, 1));
}

static void
test_arena_grows_up_to_max(void **state)
{
	uint64_t mem[4];
	struct arena a;
	size_t i;

	(void)state;
	chunks_out = 0;
	arena_init_growing(&a, mem, sizeof(mem), 100000, grow);
	for (i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 1000));
	assert_null(arena_bytes(&a, 1));
	assert_true(chunks_out > 0);
	arena_fini(&a);
	assert_int_equal(chunks_out, 0);
	arena_fini(&a);
	arena_init_growing(&a, NULL, 0, 100000, grow_never);
	assert_null(arena_bytes(&a, 1));
}

static void
test_arena_one_large_allocation_gets_a_chunk(void **state)
{
	uint64_t mem[4];
	struct arena a;
	uint8_t *p;

	(void)state;
	chunks_out = 0;
	arena_init_growing(&a, mem, sizeof(mem), (size_t)1 << 20, grow);
	p = (uint8_t *)arena_alloc(&a, 500000);
	assert_non_null(p);
	memset(p, 1, 500000);
	assert_null(arena_alloc(&a, 600000));
	arena_fini(&a);
	assert_int_equal(chunks_out, 0);
}

static void
test_arena_reset_goes_back_exactly(void **state)
{
	uint64_t mem[16];
	struct arena a;
	struct arena_mark start, mark;
	uint8_t *p;

	(void)state;
	chunks_out = 0;
	arena_init_growing(&a, mem, sizeof(mem), (size_t)1 << 20, grow);
	start = arena_mark(&a);
	(void)arena_bytes(&a, 10);
	mark = arena_mark(&a);
	p = arena_bytes(&a, 5);
	assert_non_null(arena_alloc(&a, 50000));
	assert_non_null(arena_alloc(&a, 50000));
	assert_int_equal(chunks_out, 2);
	arena_reset(&a, mark);
	assert_int_equal(chunks_out, 0);
	assert_ptr_equal(arena_bytes(&a, 5), p);
	arena_reset(&a, start);
	assert_int_equal(a.total, 0);
	assert_ptr_equal(arena_bytes(&a, 1), mem);
	arena_fini(&a);
}

static void
test_arena_wipe_leaves_nothing_behind_the_mark(void **state)
{
	uint8_t mem[64];
	struct arena a;
	struct arena_mark mark;
	uint8_t *kept, *p;
	size_t i;

	(void)state;
	memset(mem, 0, sizeof(mem));
	arena_init(&a, mem, sizeof(mem));
	kept = arena_bytes(&a, 4);
	memset(kept, 'k', 4);
	mark = arena_mark(&a);
	p = arena_bytes(&a, 40);
	memset(p, 's', 40);
	arena_wipe(&a, mark);
	for (i = 0; i < sizeof(mem); i++)
		assert_int_equal(mem[i], i < 4 ? 'k' : 0);
	assert_ptr_equal(arena_bytes(&a, 1), p);
}

/* What a plain reset let go is still wiped later, also below a grown chunk. */
static void
test_arena_wipe_reaches_what_was_reset(void **state)
{
	uint8_t mem[64] = { 0 };
	struct arena a;
	struct arena_mark start, inner;

	(void)state;
	arena_init_growing(&a, mem, sizeof(mem), 1 << 20, grow);
	start = arena_mark(&a);
	memset(arena_bytes(&a, 50), 's', 50);
	inner = arena_mark(&a);
	assert_non_null(arena_alloc(&a, 30000));
	arena_reset(&a, inner);
	arena_reset(&a, start);
	memset(arena_bytes(&a, 5), 't', 5);
	arena_wipe(&a, start);
	for (size_t i = 0; i < sizeof(mem); i++)
		assert_int_equal(mem[i], 0);
	arena_fini(&a);
}

static void
test_arena_grow_keeps_what_is_there(void **state)
{
	uint8_t mem[4096];
	struct arena a;
	uint32_t *p = NULL, *q;
	size_t n = 0, cap = 0;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	while ((q = arena_grow(&a, p, n, &cap, sizeof(*q))) != NULL) {
		p = q;
		p[n] = (uint32_t)n;
		n++;
	}
	assert_true(n >= 100);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], i);
	assert_int_equal(n, cap);
}

static void
test_arena_dup_copies(void **state)
{
	uint8_t mem[8], text[] = "hello";
	struct arena a;
	struct span out;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	assert_int_equal(arena_dup(&a, span_of(text, 5), &out), OK);
	text[0] = 'x';
	assert_true(span_eq(out, SPAN("hello")));
	assert_int_equal(arena_dup(&a, span_of(text, 5), &out), ERR_TOO_LARGE);
	assert_int_equal(out.n, 0);
	assert_int_equal(arena_dup(&a, (struct span){ NULL, 0 }, &out), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(test_arena_fixed_ends_at_its_memory),
		cmocka_unit_test(test_arena_grows_up_to_max),
		cmocka_unit_test(test_arena_one_large_allocation_gets_a_chunk),
		cmocka_unit_test(test_arena_reset_goes_back_exactly),
		cmocka_unit_test(
		    test_arena_wipe_leaves_nothing_behind_the_mark),
		cmocka_unit_test(test_arena_wipe_reaches_what_was_reset),
		cmocka_unit_test(test_arena_grow_keeps_what_is_there),
		cmocka_unit_test(test_arena_dup_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
