/*
 * password.c: the rules for passwords.
 *
 * Implementation notes: a list of the most common passwords says little here,
 * since nearly all of them lack one of the four kinds of characters, and what
 * people add to comply is predictable ("Password1!", "P@ssw0rd2024"). So the
 * password is reduced to what was there before: lower case, usual substitutions
 * undone, digits and signs at both ends removed; what is left must not be one
 * of common.def, twice the same, a keyboard row or a repeated character.
 */
#include "server/password.h"

#include "base/text.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 1024
#define STEM_MAX 64
#define STEM_MIN 3		/* shorter ones are no main part */

static const char *const common[] = {
#define COMMON(word) word,
#include "server/common.def"
#undef COMMON
};

static uint8_t
stem_char(uint8_t c)
{
	static const struct { char from, to; } leet[] = {
		{ '@', 'a' }, { '4', 'a' }, { '3', 'e' }, { '1', 'i' },
		{ '!', 'i' }, { '0', 'o' }, { '$', 's' }, { '5', 's' },
		{ '7', 't' }, { '+', 't' }, { '8', 'b' }, { '9', 'g' },
	};

	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A' + 'a');
	for (size_t i = 0; i < sizeof(leet) / sizeof(leet[0]); i++)
		if (c == (uint8_t)leet[i].from)
			return (uint8_t)leet[i].to;
	return c;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* Without digits and signs at the ends; with the substitutions undone. */
static size_t
password_stem(struct span s, bool strip, uint8_t out[static STEM_MAX])
{
	size_t n = 0;

	if (strip) {
		while (s.n > 0 && !is_letter(s.p[0]))
			s = span_sub(s, 1, s.n);
		while (s.n > 0 && !is_letter(s.p[s.n - 1]))
			s.n--;
	}
	if (s.n > STEM_MAX)
		return 0;
	for (size_t i = 0; i < s.n; i++)
		out[n++] = stem_char(s.p[i]);
	return n;
}

static bool
stem_is_common(struct span stem)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		struct span w = span_str(common[i]);

		if (span_eq(stem, w))
			return true;
		/* The word twice, or once with a few letters more. */
		if (span_starts(stem, w) && w.n >= 5 && stem.n <= w.n + 2)
			return true;
		if (stem.n == 2 * w.n && span_starts(stem, w) &&
		    span_eq(span_sub(stem, w.n, w.n), w))
			return true;
	}
	return false;
}

/* aaaaaaa, abcdefg, 7654321: each byte as far from the last as the first. */
static bool
stem_is_row(struct span s)
{
	for (size_t i = 2; i < s.n; i++)
		if (s.p[i] - s.p[i - 1] != s.p[1] - s.p[0])
			return false;
	return s.n >= STEM_MIN && s.p[1] - s.p[0] <= 1 &&
	    s.p[0] - s.p[1] <= 1;
}

static bool
password_is_common(struct span password, struct span username)
{
	uint8_t stem[STEM_MAX], name[STEM_MAX];

	for (int strip = 0; strip < 2; strip++) {
		struct span s = span_of(stem, password_stem(password,
		    strip == 1, stem));
		size_t name_n = password_stem(username, strip == 1, name);

		if (s.n < STEM_MIN)
			continue;
		if (stem_is_common(s) || stem_is_row(s) ||
		    (name_n >= STEM_MIN && span_eq(s, span_of(name, name_n))))
			return true;
	}
	return false;
}

const char *
password_fault(struct span password, struct span username)
{
	bool upper = false, lower = false, digit = false, other = false;
	size_t chars = 0;

	if (password.n > PASSWORD_MAX)
		return "must have at most 1024 bytes";
	if (!utf8_valid(password) || span_find(password, 0) != password.n)
		return "must be text";
	for (size_t i = 0; i < password.n; i++) {
		uint8_t c = password.p[i];

		chars += (c & 0xc0) != 0x80;
		upper |= c >= 'A' && c <= 'Z';
		lower |= c >= 'a' && c <= 'z';
		digit |= c >= '0' && c <= '9';
		other |= !is_letter(c) && !(c >= '0' && c <= '9');
		other |= c >= 0x80;
	}
	if (chars < PASSWORD_MIN)
		return "must have at least 8 characters";
	if (!upper)
		return "must have an upper case letter";
	if (!lower)
		return "must have a lower case letter";
	if (!digit)
		return "must have a digit";
	if (!other)
		return "must have a character that is neither letter nor "
		    "digit";
	if (password_is_common(password, username))
		return "must not be one that many people use";
	return NULL;
}
