/*
 * strength.c: see strength.h. The estimate is coarse on purpose and errs to
 * the weak side: it stops what is guessed first, and does not measure.
 */
#include "cli/strength.h"

#include <string.h>

#include "base/text.h"

struct range {
	uint32_t first, last;
};

static const struct range stable[] = {
#define R(first, last) { first, last },
#include "cli/nfkc.def"
#undef R
};

static bool
is_stable(uint32_t code)
{
	size_t lo = 0, hi = sizeof(stable) / sizeof(stable[0]);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (code > stable[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(stable) / sizeof(stable[0]) &&
	    code >= stable[lo].first;
}

bool
strength_is_stable(struct span text, uint32_t *code_out)
{
	*code_out = 0;
	if (!utf8_valid(text))
		return false;
	while (text.n > 0) {
		size_t n = utf8_next(text, code_out);

		if (!is_stable(*code_out))
			return false;
		text = span_sub(text, n, text.n - n);
	}
	return true;
}

/* ---- the estimate; tenths of bits ---- */

/* What lists of leaked passwords begin with, in lower case. */
static const char *const common[] = { "password", "passwort", "passwd",
    "qwerty", "qwertz", "azerty", "letmein", "welcome", "monkey", "dragon",
    "iloveyou", "admin", "login", "master", "sunshine", "princess",
    "football", "baseball", "shadow", "superman", "trustno", "whatever",
    "secret", "geheim", "hallo", "hello", "summer", "winter", "nightjar",
    "backup", "changeme", "correct", "horse", "battery", "staple" };

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static size_t
common_at(struct span s, size_t at)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		size_t n = strlen(common[i]), k = 0;

		while (k < n && at + k < s.n &&
		    lower(s.p[at + k]) == (uint8_t)common[i][k])
			k++;
		if (k == n)
			return n;
	}
	return 0;
}

static bool
is_letter(uint8_t c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* How many of the classes lower, upper, digit, sign, other it draws from. */
static unsigned
alphabet(struct span s)
{
	bool has[5] = { false };

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		has[c >= 0x80 ? 4 : c >= 'a' && c <= 'z' ? 0 :
		    c >= 'A' && c <= 'Z' ? 1 : c >= '0' && c <= '9' ? 2 :
		    3] = true;
	}
	return has[0] * 26u + has[1] * 26u + has[2] * 10u + has[3] * 16u +
	    has[4] * 60u;
}

/* log2, in tenths, of a small number. */
static unsigned
log2_tenths(unsigned n)
{
	static const unsigned char part[] = { 0, 1, 2, 4, 5, 6, 7, 8, 8, 9 };
	unsigned bits = 0, whole = n;

	while (whole >= 2) {
		whole >>= 1;
		bits++;
	}
	return 10 * bits + part[bits == 0 ? 0 : (n - (1u << bits)) * 10u /
	    (1u << bits)];
}

/* Equal to the one before, or its neighbour, in the same direction as it. */
static bool
goes_on(struct span s, size_t i)
{
	int a, b;

	if (i < 2)
		return i == 1 && s.p[1] == s.p[0];
	a = (int)s.p[i] - (int)s.p[i - 1];
	b = (int)s.p[i - 1] - (int)s.p[i - 2];
	return a == 0 || (a == b && (a == 1 || a == -1));
}

/* Did these three stand before? */
static bool
is_again(struct span s, size_t i)
{
	for (size_t k = 2; k < i && i >= 2; k++)
		if (memcmp(&s.p[k - 2], &s.p[i - 2], 3) == 0)
			return true;
	return false;
}

unsigned
strength_bits(struct span s)
{
	unsigned each = log2_tenths(alphabet(s) > 1 ? alphabet(s) : 2);
	unsigned tenths = 0, run = 0;

	for (size_t i = 0; i < s.n && tenths < 9990; i++) {
		size_t word = common_at(s, i);

		if (word != 0) {	/* one of some thousand */
			tenths += 70;
			i += word - 1;
			run = 0;
			continue;
		}
		run = is_letter(s.p[i]) ? run + 1 : 0;
		/* A word of a list has 12.9 bits, however long it is; a long
		 * row of letters is no word. */
		if (goes_on(s, i) || is_again(s, i))
			tenths += 5;
		else if (run > 4)
			tenths += run > 8 ? 30 : 10;
		else if (run != 0)
			tenths += each < 32 ? each : 32;
		else
			tenths += each;
	}
	return tenths / 10 > 999 ? 999 : tenths / 10;
}
