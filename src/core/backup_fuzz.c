/*
 * backup_fuzz.c: backups, wraps, the secrets in them, recovery keys, settings:
 * what is accepted survives encode and decode, bounds hold, and no changed
 * backup opens.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/backup.h"
#include "core/recovery.h"
#include "core/settings.h"
#include "crypto/openssl.h"

static struct provider p;
static const struct user_id me = { { 2 } };
static const struct backup_key bk = { { 3 } };
static uint8_t good[BACKUP_LEN_MAX];
static size_t good_n;

static void
start(void)
{
	struct backup b = { .head = { 1, 2, 3 }, .wraps_n = 1 };
	struct backup_secrets s = { .position = 1 };
	struct backup_stretched k = { { 9 } };
	struct wr w = wr_init(good, sizeof(good));

	if (openssl_provider_open(&p) != OK ||
	    backup_wrap_begin(&p, BACKUP_RECOVERY_KEY, &b.wraps[0]) != OK ||
	    backup_wrap_seal(&p, &me, &k, &bk, &b.wraps[0]) != OK ||
	    backup_seal(&p, &me, &bk, &b, &s, &w) != OK)
		abort();
	good_n = w.n;
}

static void
check_wrap(struct span in)
{
	uint8_t mem[BACKUP_WRAP_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	struct backup_wrap k;

	if (backup_wrap_decode(in, &k) != OK)
		return;
	if (backup_wrap_encode(&k, &w) != OK || !span_eq(wr_done(&w), in) ||
	    k.m_kib > BACKUP_M_KIB_MAX || k.t > BACKUP_T_MAX ||
	    k.p > BACKUP_P_MAX)
		abort();
}

static void
check_secrets(struct span in)
{
	uint8_t mem[BACKUP_SEALED_MAX], two[BACKUP_SEALED_MAX];
	struct wr w = wr_init(mem, sizeof(mem)), v = wr_init(two, sizeof(two));
	struct backup_secrets s, again;

	if (backup_decode_secrets(in, &s) != OK)
		return;
	if (backup_encode_secrets(&s, &w) != OK ||
	    backup_decode_secrets(wr_done(&w), &again) != OK ||
	    backup_encode_secrets(&again, &v) != OK ||
	    !span_eq(wr_done(&w), wr_done(&v)))
		abort();
}

/* Whatever way it was typed, the key is written in one. */
static void
check_recovery(struct span in)
{
	uint8_t key[RECOVERY_KEY_LEN], again[RECOVERY_KEY_LEN];
	char text[RECOVERY_TEXT_LEN + 1];
	struct recovery_fault fault;

	if (recovery_parse(&p, in, key, &fault) != OK)
		return;
	if (recovery_text(&p, key, text) != OK ||
	    recovery_parse(&p, span_str(text), again, &fault) != OK ||
	    memcmp(key, again, sizeof(key)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[SETTINGS_SECRET_LEN];
	static uint8_t mem[SETTINGS_SEALED_MAX], plain[BACKUP_SEALED_MAX];
	uint8_t changed[BACKUP_LEN_MAX];
	struct span in = span_of(data, size), got;
	size_t sealed;
	struct backup b;
	struct backup_secrets s;

	if (p.random == NULL)
		start();
	check_wrap(in);
	check_secrets(in);
	check_recovery(in);
	if (size > 32 && recovery_text(&p, data, (char *)mem) == OK)
		check_recovery(span_of(mem, RECOVERY_TEXT_LEN));
	if (backup_decode(in, &b) == OK && (b.wraps_n < 1 ||
	    b.wraps_n > BACKUP_WRAPS_MAX))
		abort();
	(void)!backup_open(&p, &me, &bk, in, plain, &b, &s);
	if (settings_open(&p, secret, &me, 1, in, mem, &got) == OK)
		abort();
	memcpy(changed, good, good_n);
	for (size_t i = 0; i + 2 < size && i < 60; i += 3)
		changed[(size_t)(data[i] << 8 | data[i + 1]) % good_n] ^=
		    data[i + 2];
	/* All before the wraps, which are no part of what it seals. */
	sealed = good_n - 1 - BACKUP_WRAP_LEN;
	if (backup_open(&p, &me, &bk, span_of(changed, good_n), plain, &b,
	    &s) == OK && memcmp(changed, good, sealed) != 0)
		abort();
	return 0;
}
