/*
 * audit_check_test.c: the chain of the audit log: known answers, and each kind
 * of tampering by itself (docs/metadata.md, "The audit log").
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/host.h"
#include "server/audit_check.h"

#define N 6

struct entry {
	uint8_t salt[AUDIT_SALT_LEN];
	uint8_t private[AUDIT_HASH_LEN], previous[AUDIT_HASH_LEN];
	uint8_t hash[AUDIT_HASH_LEN];
	struct q_audit_walk_out row;
};

struct chain {
	struct entry e[N];
	struct audit_head head;
};

static void
make(struct chain *c)
{
	static const uint8_t zero[AUDIT_HASH_LEN];
	const uint8_t *previous = zero;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < N; i++) {
		struct entry *e = &c->e[i];
		struct audit_entry what = { .user.b = { (uint8_t)i, 1 },
		    .device = (uint32_t)i, .detail = SPAN("a detail"),
		    .address = SPAN("10.0.0.0") };

		memset(e->salt, (int)i + 1, sizeof(e->salt));
		assert_int_equal(audit_private_hash(&what, SPAN_OF(e->salt),
		    e->private), OK);
		assert_int_equal(audit_hash(i + 1, 1000 + i, SPAN("login"),
		    e->private, previous, e->hash), OK);
		memcpy(e->previous, previous, AUDIT_HASH_LEN);
		previous = e->hash;
		e->row = (struct q_audit_walk_out){ .sequence = i + 1,
		    .event = SPAN("login"), .created_at = 1000 + i,
		    .user = what.user, .device = what.device,
		    .detail = what.detail, .address = what.address,
		    .salt = SPAN_OF(e->salt), .private_hash =
		    SPAN_OF(e->private), .previous_hash =
		    SPAN_OF(e->previous), .hash = SPAN_OF(e->hash) };
	}
	c->head.first_sequence = 1;
	c->head.last_sequence = N;
	memcpy(c->head.last_hash, previous, AUDIT_HASH_LEN);
}

/* Walks all rows but one that is left out (N: none). */
static bool
check(struct chain *c, size_t without, struct audit_check *k)
{
	audit_check_begin(k, &c->head, true, 0, NULL);
	for (size_t i = 0; i < N; i++)
		if (i != without)
			assert_int_equal(audit_check_entry(k, &c->e[i].row),
			    OK);
	return audit_check_end(k);
}

static struct audit_check k;
static struct chain c;

static void
test_audit_check_takes_a_whole_chain(void **state)
{
	(void)state;
	make(&c);
	assert_true(check(&c, N, &k));
	assert_int_equal(k.entries, N);
	assert_int_equal(k.redacted, 0);
}

static void
test_audit_check_misses_any_entry(void **state)
{
	(void)state;
	make(&c);
	for (size_t i = 0; i < N; i++)
		assert_false(check(&c, i, &k));
}

/* Each field that is hashed, of an entry in the middle and of the last. */
static void
test_audit_check_sees_any_change(void **state)
{
	(void)state;
	for (size_t at = 0; at < N; at += N - 1) {
		for (int field = 0; field < 9; field++) {
			make(&c);
			struct q_audit_walk_out *r = &c.e[at].row;

			switch (field) {
			case 0: r->event = SPAN("logout"); break;
			case 1: r->created_at++; break;
			case 2: r->user.b[3] ^= 1; break;
			case 3: r->device ^= 1; break;
			case 4: r->session.b[0] ^= 1; break;
			case 5: r->detail = SPAN("another"); break;
			case 6: r->address = SPAN("10.0.0.1"); break;
			case 7: c.e[at].salt[0] ^= 1; break;
			default: c.e[at].hash[31] ^= 1; break;
			}
			assert_false(check(&c, N, &k));
		}
	}
}

/* A detail that moves into the address is another entry. */
static void
test_audit_private_hash_keeps_fields_apart(void **state)
{
	struct audit_entry a = { .detail = SPAN("ab"), .address = SPAN("c") };
	struct audit_entry b = { .detail = SPAN("a"), .address = SPAN("bc") };
	uint8_t x[AUDIT_HASH_LEN], y[AUDIT_HASH_LEN];

	(void)state;
	assert_int_equal(audit_private_hash(&a, SPAN("salt"), x), OK);
	assert_int_equal(audit_private_hash(&b, SPAN("salt"), y), OK);
	assert_memory_not_equal(x, y, sizeof(x));
	a.detail = span_of("x", AUDIT_DETAIL_MAX + 1);
	assert_int_equal(audit_private_hash(&a, SPAN("salt"), x),
	    ERR_TOO_LARGE);
}

/* What an erasure took out is fine where the head accounts for it. */
static void
test_audit_check_of_erased_entries(void **state)
{
	(void)state;
	make(&c);
	struct q_audit_walk_out *r = &c.e[2].row;
	memset(&r->user, 0, sizeof(r->user));
	r->device = 0;
	r->detail = r->address = r->salt = (struct span){ NULL, 0 };
	assert_false(check(&c, N, &k));
	c.head.redacted = 1;
	assert_true(check(&c, N, &k));
	assert_int_equal(k.redacted, 1);
	c.head.redacted = 2;
	assert_false(check(&c, N, &k));
	c.head.redacted = 1;
	r->device = 7;
	assert_false(check(&c, N, &k));
}

static void
test_audit_check_of_both_ends(void **state)
{
	(void)state;
	make(&c);
	c.head.last_sequence++;
	assert_false(check(&c, N, &k));
	make(&c);
	c.head.last_sequence--;
	assert_false(check(&c, N, &k));
	make(&c);
	c.head.last_hash[0] ^= 1;
	assert_false(check(&c, N, &k));
	/* The oldest were dropped, and the head says after what. */
	make(&c);
	c.head.first_sequence = 3;
	memcpy(c.head.first_previous, c.e[1].hash, AUDIT_HASH_LEN);
	audit_check_begin(&k, &c.head, true, 0, NULL);
	for (size_t i = 2; i < N; i++)
		assert_int_equal(audit_check_entry(&k, &c.e[i].row), OK);
	assert_true(audit_check_end(&k));
	c.head.first_previous[5] ^= 1;
	audit_check_begin(&k, &c.head, true, 0, NULL);
	for (size_t i = 2; i < N; i++)
		assert_int_equal(audit_check_entry(&k, &c.e[i].row), OK);
	assert_false(audit_check_end(&k));
}

static void
test_audit_check_of_a_head_from_elsewhere(void **state)
{
	uint8_t other[AUDIT_HASH_LEN] = { 1 };

	(void)state;
	make(&c);
	for (uint64_t seen = 1; seen <= N + 1; seen++) {
		audit_check_begin(&k, &c.head, true, seen, seen <= N ?
		    c.e[seen - 1].hash : other);
		for (size_t i = 0; i < N; i++)
			assert_int_equal(audit_check_entry(&k, &c.e[i].row),
			    OK);
		assert_int_equal(audit_check_end(&k), seen <= N);
	}
	audit_check_begin(&k, &c.head, true, 2, other);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(audit_check_entry(&k, &c.e[i].row), OK);
	assert_false(audit_check_end(&k));
	audit_check_begin(&k, &c.head, false, 0, NULL);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(audit_check_entry(&k, &c.e[i].row), OK);
	assert_false(audit_check_end(&k));
}

static void
test_audit_mac_covers_the_head(void **state)
{
	struct audit_key key, other;
	const uint8_t a[32] = { 1 }, b[32] = { 2 };
	uint8_t x[AUDIT_HASH_LEN], y[AUDIT_HASH_LEN];

	(void)state;
	make(&c);
	assert_int_equal(audit_key_init(&key, a), OK);
	assert_int_equal(audit_key_init(&other, b), OK);
	assert_int_equal(audit_mac(&key, &c.head, x), OK);
	assert_int_equal(audit_mac(&other, &c.head, y), OK);
	assert_memory_not_equal(x, y, sizeof(x));
	for (int i = 0; i < 5; i++) {
		struct audit_head h = c.head;

		h.first_sequence += i == 0;
		h.first_previous[0] ^= i == 1;
		h.last_sequence += i == 2;
		h.last_hash[0] ^= i == 3;
		h.redacted += i == 4;
		assert_int_equal(audit_mac(&key, &h, y), OK);
		assert_memory_not_equal(x, y, sizeof(x));
	}
}

static void
test_audit_head_as_text(void **state)
{
	static const char *const bad[] = { "", ":", "1", "1:", "0:", "-1:00",
	    "x:y", "1:zz" };
	uint8_t hash[AUDIT_HASH_LEN];
	char text[AUDIT_HEAD_TEXT];
	uint64_t n;

	(void)state;
	make(&c);
	audit_head_encode(&c.head, text);
	assert_true(audit_head_decode(span_str(text), &n, hash));
	assert_int_equal(n, N);
	assert_memory_equal(hash, c.head.last_hash, sizeof(hash));
	text[0] = '0';
	assert_false(audit_head_decode(span_str(text), &n, hash));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(audit_head_decode(span_str(bad[i]), &n, hash));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audit_check_takes_a_whole_chain),
		cmocka_unit_test(test_audit_check_misses_any_entry),
		cmocka_unit_test(test_audit_check_sees_any_change),
		cmocka_unit_test(test_audit_private_hash_keeps_fields_apart),
		cmocka_unit_test(test_audit_check_of_erased_entries),
		cmocka_unit_test(test_audit_check_of_both_ends),
		cmocka_unit_test(test_audit_check_of_a_head_from_elsewhere),
		cmocka_unit_test(test_audit_mac_covers_the_head),
		cmocka_unit_test(test_audit_head_as_text),
	};

	return host_init() != OK ? 1 :
	    cmocka_run_group_tests(tests, NULL, NULL);
}
