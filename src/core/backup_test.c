/*
 * backup_test.c: wraps of a backup key and what it seals (docs/protocol.md,
 * "Backup").
 */
#include "crypto/test_native.h"

#include "core/backup.h"

static const struct user_id me = { { 7 } }, other = { { 8 } };
static const struct backup_stretched s1 = { { 1 } }, s2 = { { 2 } };
static const struct backup_key bk = { { 3, 3 } };
static uint8_t mem[BACKUP_LEN_MAX], plain[BACKUP_SEALED_MAX];

static struct backup_wrap
wrap(enum backup_kdf kdf, const struct backup_stretched *s)
{
	struct backup_wrap k;

	assert_int_equal(backup_wrap_begin(&p, kdf, &k), OK);
	assert_int_equal(backup_wrap_seal(&p, &me, s, &bk, &k), OK);
	return k;
}

static void
test_backup_wrap_opens_with_its_secret_alone(void **state)
{
	struct backup_wrap k = wrap(BACKUP_RECOVERY_KEY, &s1);
	struct backup_key got;
	static const struct backup_key zeros;

	(void)state;
	assert_int_equal(backup_wrap_open(&p, &me, &s1, &k, &got), OK);
	assert_memory_equal(&got, &bk, sizeof(bk));
	assert_int_equal(backup_wrap_open(&p, &me, &s2, &k, &got),
	    ERR_NO_KEY);
	assert_memory_equal(&got, &zeros, sizeof(got));
	/* The right secret for another account. */
	assert_int_equal(backup_wrap_open(&p, &other, &s1, &k, &got),
	    ERR_AUTH);
	assert_memory_equal(&got, &zeros, sizeof(got));
}

/* Every bit of a wrap of each kind. */
static void
test_backup_wrap_refuses_changes(void **state)
{
	(void)state;
	for (int kdf = 1; kdf <= 2; kdf++) {
		struct backup_wrap k = wrap((enum backup_kdf)kdf, &s1), got;
		struct backup_key key;
		uint8_t b[BACKUP_WRAP_LEN];
		struct wr w = wr_init(b, sizeof(b));

		assert_int_equal(backup_wrap_encode(&k, &w), OK);
		assert_int_equal(backup_wrap_decode(wr_done(&w), &got), OK);
		assert_memory_equal(&k, &got, sizeof(k));
		for (size_t i = 0; i < sizeof(b) * 8; i++) {
			b[i / 8] ^= (uint8_t)(1u << i % 8);
			if (backup_wrap_decode(wr_done(&w), &got) == OK)
				assert_int_not_equal(backup_wrap_open(&p, &me,
				    &s1, &got, &key), OK);
			b[i / 8] ^= (uint8_t)(1u << i % 8);
		}
		for (size_t n = 0; n < sizeof(b); n++)
			assert_int_equal(backup_wrap_decode(span_of(b, n),
			    &got), ERR_FORMAT);
	}
}

/* docs/protocol.md, Backup: bounds are enforced before any work. */
static void
test_backup_bounds(void **state)
{
	struct backup_wrap good = wrap(BACKUP_PASSPHRASE, &s1), k;
	struct backup_stretched s;
	struct backup_key key;
	uint8_t b[BACKUP_WRAP_LEN];
	struct wr w = wr_init(b, sizeof(b));
	static const uint32_t bad[][3] = {
		{ BACKUP_M_KIB_MIN - 1, 3, 4 }, { BACKUP_M_KIB_MAX + 1, 3, 4 },
		{ 0, 3, 4 }, { 65536, 0, 4 }, { 65536, 17, 4 },
		{ 65536, 3, 0 }, { 65536, 3, 9 }, { UINT32_MAX, 255, 255 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		k = good;
		k.m_kib = bad[i][0];
		k.t = (uint8_t)bad[i][1];
		k.p = (uint8_t)bad[i][2];
		assert_int_equal(backup_stretch(&p, &k, SPAN("x"), &s),
		    ERR_LIMIT);
		assert_int_equal(backup_wrap_encode(&k, &w), ERR_ARG);
		assert_int_equal(backup_wrap_open(&p, &me, &s1, &k, &key),
		    ERR_LIMIT);
		w = wr_init(b, sizeof(b));
		assert_int_equal(backup_wrap_encode(&good, &w), OK);
		b[2] = (uint8_t)(k.m_kib >> 24);
		b[3] = (uint8_t)(k.m_kib >> 16);
		b[4] = (uint8_t)(k.m_kib >> 8);
		b[5] = (uint8_t)k.m_kib;
		b[6] = k.t;
		b[7] = k.p;
		assert_int_equal(backup_wrap_decode(SPAN_OF(b), &k),
		    ERR_LIMIT);
		w = wr_init(b, sizeof(b));
	}
	k = good;
	k.kdf = 3;
	assert_int_equal(backup_wrap_encode(&k, &w), ERR_ARG);
	k = wrap(BACKUP_RECOVERY_KEY, &s1);
	k.t = 1;			/* a field that it does not use */
	assert_int_equal(backup_wrap_encode(&k, &w), ERR_ARG);
	assert_int_equal(backup_stretch(&p, &k, SPAN("x"), &s), ERR_FORMAT);
}

static void
test_backup_stretch_is_of_passphrase_and_salt(void **state)
{
	static uint8_t longest[BACKUP_PASSPHRASE_MAX + 1];
	struct backup_wrap k, k2;
	struct backup_stretched a, b;

	(void)state;
	assert_int_equal(backup_wrap_begin(&p, BACKUP_PASSPHRASE, &k), OK);
	assert_int_equal(k.m_kib, 65536);
	assert_int_equal(k.t, 3);
	assert_int_equal(k.p, 4);
	k.m_kib = BACKUP_M_KIB_MIN;	/* the test need not take longer */
	k.t = 1;
	k2 = k;
	k2.salt[0] ^= 1;
	assert_int_equal(backup_stretch(&p, &k, SPAN("word"), &a), OK);
	assert_int_equal(backup_stretch(&p, &k, SPAN("Word"), &b), OK);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_equal(backup_stretch(&p, &k2, SPAN("word"), &b), OK);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_equal(backup_stretch(&p, &k, SPAN("word"), &b), OK);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(backup_stretch(&p, &k, SPAN_OF(longest), &b),
	    ERR_TOO_LARGE);
	assert_int_equal(backup_wrap_begin(&p, BACKUP_RECOVERY_KEY, &k), OK);
	assert_int_equal(backup_stretch(&p, &k, SPAN("word"), &b), ERR_ARG);
}

static struct backup_secrets
secrets(void)
{
	struct backup_secrets s = { .aik_priv = { { 9 } }, .secret = { 8 },
	    .list_hash = { 7 }, .position = 6, .has_archive = true,
	    .archive = { { 5 } }, .archive_key = { { 4 } },
	    .archive_chunks = 3, .archive_digest = { 2 }, .records = 1,
	    .user_name = SPAN("alice") };

	return s;
}

static struct span
seal(void)
{
	struct backup b = { .head = { 4, 5000, 12 }, .wraps_n = 2 };
	struct backup_secrets s = secrets();
	struct wr w = wr_init(mem, sizeof(mem));

	b.wraps[0] = wrap(BACKUP_RECOVERY_KEY, &s1);
	b.wraps[1] = wrap(BACKUP_PASSPHRASE, &s2);
	assert_int_equal(backup_seal(&p, &me, &bk, &b, &s, &w), OK);
	return wr_done(&w);
}

static void
test_backup_whole(void **state)
{
	struct span x = seal();
	struct backup seen, got;
	struct backup_secrets s, want = secrets();
	struct backup_key key;

	(void)state;
	/* What a person is shown before anything is restored. */
	assert_int_equal(backup_decode(x, &seen), OK);
	assert_int_equal(seen.head.number, 4);
	assert_int_equal(seen.head.made_ms, 5000);
	assert_int_equal(seen.head.list_version, 12);
	assert_int_equal(seen.wraps_n, 2);
	/* Either secret opens it, independently. */
	assert_int_equal(backup_wrap_open(&p, &me, &s2, &seen.wraps[1],
	    &key), OK);
	assert_int_equal(backup_wrap_open(&p, &me, &s1, &seen.wraps[0],
	    &key), OK);
	assert_int_equal(backup_open(&p, &me, &key, x, plain, &got, &s), OK);
	assert_memory_equal(&got.head, &seen.head, sizeof(seen.head));
	assert_true(span_eq(s.user_name, want.user_name));
	s.user_name = want.user_name;
	assert_memory_equal(&s.archive, &want.archive, ID_LEN);
	assert_memory_equal(&s.aik_priv, &want.aik_priv, 64);
	assert_memory_equal(s.secret, want.secret, 32);
	assert_memory_equal(s.archive_digest, want.archive_digest, 32);
	assert_int_equal(s.archive_chunks, 3);
	assert_int_equal(s.records, 1);
	key.b[0] ^= 1;
	assert_int_equal(backup_open(&p, &me, &key, x, plain, &got, &s),
	    ERR_NO_KEY);
	assert_int_equal(backup_open(&p, &other, &bk, x, plain, &got, &s),
	    ERR_NO_KEY);
	assert_int_equal(got.wraps_n, 0);
}

/* Every bit of the head and the sealed part: number and time, too. */
static void
test_backup_refuses_changes(void **state)
{
	struct span x = seal();
	size_t wraps = x.n - 1 - 2 * BACKUP_WRAP_LEN;
	struct backup got;
	struct backup_secrets s;

	(void)state;
	for (size_t i = 0; i < wraps * 8; i++) {
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(backup_open(&p, &me, &bk, x, plain, &got,
		    &s), OK);
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < x.n; n++)
		assert_int_not_equal(backup_open(&p, &me, &bk, span_of(mem,
		    n), plain, &got, &s), OK);
	mem[1] = 2;
	assert_int_equal(backup_decode(x, &got), ERR_VERSION);
}

static void
test_backup_two_sealings_differ(void **state)
{
	static uint8_t first[BACKUP_LEN_MAX];
	struct span x = seal();
	size_t wraps = x.n - 1 - 2 * BACKUP_WRAP_LEN, same = 0;

	(void)state;
	memcpy(first, x.p, x.n);
	x = seal();
	for (size_t i = BACKUP_HEAD_LEN + 2; i < wraps; i++)
		same += first[i] == mem[i];
	assert_true(same < (wraps - BACKUP_HEAD_LEN) / 8);
}

static void
test_backup_secrets_are_checked(void **state)
{
	struct backup_secrets s = secrets(), got;
	struct backup b = { .wraps_n = 0 };
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(backup_seal(&p, &me, &bk, &b, &s, &w), ERR_ARG);
	b.wraps_n = BACKUP_WRAPS_MAX + 1;
	assert_int_equal(backup_seal(&p, &me, &bk, &b, &s, &w), ERR_ARG);
	s.archive_chunks = 0;
	assert_int_equal(backup_encode_secrets(&s, &w), ERR_ARG);
	s = secrets();
	s.user_name = SPAN("\xc0");
	assert_int_equal(backup_encode_secrets(&s, &w), ERR_ARG);
	s = secrets();
	s.has_archive = false;
	w = wr_init(mem, sizeof(mem));
	assert_int_equal(backup_encode_secrets(&s, &w), OK);
	assert_int_equal(backup_decode_secrets(wr_done(&w), &got), OK);
	assert_false(got.has_archive);
	/* An unknown even tag is of a version that knows more. */
	wr_u8(&w, 0x2a);
	wr_u8(&w, 0);
	assert_int_equal(backup_decode_secrets(wr_done(&w), &got),
	    ERR_UNKNOWN_CRITICAL);
	assert_int_equal(backup_decode_secrets(SPAN(""), &got), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup_wrap_opens_with_its_secret_alone),
		cmocka_unit_test(test_backup_wrap_refuses_changes),
		cmocka_unit_test(test_backup_bounds),
		cmocka_unit_test(
		    test_backup_stretch_is_of_passphrase_and_salt),
		cmocka_unit_test(test_backup_whole),
		cmocka_unit_test(test_backup_refuses_changes),
		cmocka_unit_test(test_backup_two_sealings_differ),
		cmocka_unit_test(test_backup_secrets_are_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
