/*
 * recovery.c: recovery keys as text, see recovery.h.
 *
 * Implementation notes: the characters of a key are secret, but this is work
 * for one person at one keyboard; tables are indexed by them all the same only
 * in the writing of the text, where 32 bytes fit one cache line.
 */
#include "core/recovery.h"

#include "crypto/hash.h"

#define GROUP_LEN 4
#define DIGITS (RECOVERY_GROUPS * GROUP_LEN)		/* 56 */
#define KEY_DIGITS (DIGITS - GROUP_LEN)			/* 52 */
#define NO_DIGIT 32
_Static_assert(KEY_DIGITS * 5 == RECOVERY_KEY_LEN * 8 + 4,
    "docs/protocol.md, Recovery key: four zero bits at the end");

/* Crockford's base32: no I, L, O, U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Digits (5 bits each) of n bytes and zero bits. */
static void
to_digits(const uint8_t *bytes, size_t n, uint8_t *out, size_t out_n)
{
	struct rd r = rd_init(span_of(bytes, n));
	uint32_t have = 0, bits = 0;

	for (size_t i = 0; i < out_n; i++) {
		if (bits < 5) {
			have = have << 8 | (r.n > 0 ? rd_u8(&r) : 0);
			bits += 8;
		}
		bits -= 5;
		out[i] = (uint8_t)(have >> bits & 31);
	}
}

/* False: the bits after the key are not zero. */
static bool
to_key(const uint8_t *digits, uint8_t key[static RECOVERY_KEY_LEN])
{
	struct wr w = wr_init(key, RECOVERY_KEY_LEN);
	uint32_t have = 0, bits = 0;

	for (size_t i = 0; i < KEY_DIGITS; i++) {
		have = have << 5 | digits[i];
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			wr_u8(&w, (uint8_t)(have >> bits));
			have &= (1u << bits) - 1;
		}
	}
	return have == 0;
}

/* The last group: the first 20 bits of the key's hash. */
static enum err
check_digits(const struct provider *p, const uint8_t key[static 32],
    uint8_t out[static GROUP_LEN])
{
	uint8_t hash[SHA256_LEN];
	enum err e = hash_sha256(p, span_of(key, RECOVERY_KEY_LEN), hash);

	if (e == OK)
		to_digits(hash, sizeof(hash), out, GROUP_LEN);
	wipe(hash, sizeof(hash));
	return e;
}

enum err
recovery_text(const struct provider *p,
    const uint8_t key[static RECOVERY_KEY_LEN],
    char out[static RECOVERY_TEXT_LEN + 1])
{
	struct wr w = wr_init(out, RECOVERY_TEXT_LEN + 1);
	uint8_t digits[DIGITS];
	enum err e;

	to_digits(key, RECOVERY_KEY_LEN, digits, KEY_DIGITS);
	e = check_digits(p, key, &digits[KEY_DIGITS]);
	for (size_t i = 0; e == OK && i < DIGITS; i++) {
		if (i != 0 && i % GROUP_LEN == 0)
			wr_u8(&w, '-');
		wr_u8(&w, (uint8_t)alphabet[digits[i]]);
	}
	wr_u8(&w, '\0');
	wipe(digits, sizeof(digits));
	if (e != OK)
		memset(out, 0, RECOVERY_TEXT_LEN + 1);
	return e;
}

static uint8_t
digit_of(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	if (c == 'O')
		return 0;
	if (c == 'I' || c == 'L')
		return 1;
	for (uint8_t i = 0; i < NO_DIGIT; i++)
		if (alphabet[i] == (char)c)
			return i;
	return NO_DIGIT;
}

static bool
is_between(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-';
}

/* All digits of the text; what is wrong with it otherwise. */
static bool
read_digits(struct span text, uint8_t out[static DIGITS],
    struct recovery_fault *fault)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t d = digit_of(text.p[i]);

		if (is_between(text.p[i]))
			continue;
		if (n == DIGITS) {
			*fault = (struct recovery_fault){ RECOVERY_GROUPS,
			    RECOVERY_LONG };
			return false;
		}
		if (d == NO_DIGIT) {
			*fault = (struct recovery_fault){
			    (uint8_t)(n / GROUP_LEN + 1), RECOVERY_CHARACTER };
			return false;
		}
		out[n++] = d;
	}
	if (n == DIGITS)
		return true;
	*fault = (struct recovery_fault){ (uint8_t)(n / GROUP_LEN + 1),
	    RECOVERY_SHORT };
	return false;
}

/* Do the digits make a key and its check? */
static enum err
try_digits(const struct provider *p, const uint8_t digits[static DIGITS],
    uint8_t key[static RECOVERY_KEY_LEN], bool *good_out)
{
	uint8_t check[GROUP_LEN];

	*good_out = false;
	if (!to_key(digits, key))
		return OK;
	TRY(check_digits(p, key, check));
	*good_out = ct_eq(check, &digits[KEY_DIGITS], GROUP_LEN);
	return OK;
}

/* Notes that a change in group g would explain it. */
static void
suspect(uint8_t g, uint8_t *group, bool *several)
{
	if (*group != 0 && *group != g)
		*several = true;
	*group = g;
}

/*
 * Every change of one digit, every swap of two neighbours: the group in which
 * all of those lie that make a good key. By chance one of 1,800 tries in
 * 2^20 / 1,800 = 600 keys does, so a wrong one is named rarely, and nothing
 * but the name depends on it.
 */
static enum err
find_typo(const struct provider *p, uint8_t d[static DIGITS],
    uint8_t *group_out)
{
	uint8_t key[RECOVERY_KEY_LEN], group = 0;
	bool several = false, good = false;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < DIGITS; i++) {
		uint8_t was = d[i], next = i + 1 < DIGITS ? d[i + 1] : was;

		for (uint8_t v = 0; e == OK && v < NO_DIGIT; v++) {
			d[i] = v;
			e = v == was ? OK : try_digits(p, d, key, &good);
			if (e == OK && v != was && good)
				suspect((uint8_t)(i / GROUP_LEN + 1), &group,
				    &several);
		}
		d[i] = was;
		if (e != OK || next == was)
			continue;
		d[i] = next;
		d[i + 1] = was;
		e = try_digits(p, d, key, &good);
		if (e == OK && good)
			suspect((uint8_t)(i / GROUP_LEN + 1), &group,
			    &several);
		d[i] = was;
		d[i + 1] = next;
	}
	wipe(key, sizeof(key));
	*group_out = several ? 0 : group;
	return e;
}

enum err
recovery_parse(const struct provider *p, struct span text,
    uint8_t key_out[static RECOVERY_KEY_LEN], struct recovery_fault *fault_out)
{
	uint8_t digits[DIGITS];
	bool good = false;
	enum err e = OK;

	*fault_out = (struct recovery_fault){ .group = 0 };
	if (!read_digits(text, digits, fault_out)) {
		e = ERR_FORMAT;
	} else {
		e = try_digits(p, digits, key_out, &good);
		if (e == OK && !good) {
			fault_out->what = RECOVERY_TYPO;
			e = find_typo(p, digits, &fault_out->group);
			e = e == OK ? ERR_FORMAT : e;
		}
	}
	wipe(digits, sizeof(digits));
	if (e != OK)
		wipe(key_out, RECOVERY_KEY_LEN);
	return e;
}
