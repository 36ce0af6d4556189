/*
 * rec_test.c: the step's view of the records against the plainest thing that
 * can be meant by it: a store to which every change is applied at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/rec.h"
#include "client/test_server.h"

static uint64_t seed;

static uint64_t
pick(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

/* Few keys, some of them prefixes of others, so that they meet. */
static struct span
pick_key(uint8_t *mem)
{
	size_t i, n = 1 + pick(3);

	for (i = 0; i < n; i++)
		mem[i] = (uint8_t)(pick(4) == 3 ? 0xff : pick(3));
	return span_of(mem, n);
}

static void
same_seek(struct rec *r, const struct client_host *model, uint8_t kind,
    struct arena *a)
{
	uint8_t mem[2][4];
	struct span prefix = pick_key(mem[0]), from = pick_key(mem[1]);
	struct span k[2], v[2];
	bool back = pick(2) == 0;
	enum err e[2];

	if (pick(2) == 0)
		prefix.n = 0;
	if (pick(3) == 0)
		from.n = 0;
	e[0] = rec_seek(r, kind, prefix, from, back, &k[0], &v[0]);
	e[1] = model->seek(model->ctx, kind, prefix, from, back, a, &k[1],
	    &v[1]);
	assert_int_equal(e[0], e[1]);
	if (e[0] != OK)
		return;
	assert_true(span_eq(k[0], k[1]));
	assert_true(span_eq(v[0], v[1]));
}

static void
same_get(struct rec *r, const struct client_host *model, uint8_t kind,
    struct arena *a)
{
	uint8_t mem[4];
	struct span key = pick_key(mem), v[2];
	enum err e[2];

	e[0] = rec_get(r, kind, key, &v[0]);
	e[1] = model->load(model->ctx, kind, key, a, &v[1]);
	assert_int_equal(e[0], e[1]);
	if (e[0] == OK)
		assert_true(span_eq(v[0], v[1]));
}

static void
test_rec_sees_its_own_changes(void **state)
{
	struct fake_store host = { NULL, 0, 0 }, model = { NULL, 0, 0 };
	struct client_host h = { &host, fake_load, fake_seek };
	struct client_host m = { &model, fake_load, fake_seek };
	uint8_t *mem = fake_alloc(4u << 20), key[4];
	struct arena a;
	struct rec r;
	unsigned round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		arena_init(&a, mem, 4u << 20);
		rec_init(&r, &h, &a);
		for (i = 0; i < 60; i++) {
			uint8_t kind = (uint8_t)(1 + pick(3));
			uint64_t value = pick(1000);
			struct span k = pick_key(key);

			switch (pick(4)) {
			case 0:
				assert_int_equal(rec_put(&r, kind, k,
				    span_of(&value, 8)), OK);
				fake_put(&model, kind, false, k,
				    span_of(&value, 8));
				break;
			case 1:
				assert_int_equal(rec_del(&r, kind, k), OK);
				fake_put(&model, kind, true, k, k);
				break;
			case 2:
				same_get(&r, &m, kind, &a);
				break;
			default:
				same_seek(&r, &m, kind, &a);
				break;
			}
		}
		for (i = 0; i < r.n; i++)
			if (r.e[i].dirty)
				fake_put(&host, r.e[i].kind, !r.e[i].present,
				    r.e[i].key, r.e[i].value);
		assert_int_equal(host.n, model.n);
	}
	free(host.r);
	free(model.r);
	fake_sweep();
}

static void
test_rec_fails_without_memory(void **state)
{
	struct fake_store host = { NULL, 0, 0 };
	struct client_host h = { &host, fake_load, fake_seek };
	uint8_t mem[64];
	struct arena a;
	struct rec r;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	rec_init(&r, &h, &a);
	assert_int_equal(rec_put(&r, 40, SPAN("key"), SPAN("value")),
	    ERR_TOO_LARGE);
	assert_int_equal(r.dirty_n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rec_sees_its_own_changes),
		cmocka_unit_test(test_rec_fails_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
