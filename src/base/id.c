/*
 * id.c: UUIDs as text and their making, see id.h.
 */
#include "base/id.h"

#include "base/text.h"

bool
id_is_zero(const uint8_t b[static ID_LEN])
{
	uint8_t any = 0;

	for (size_t i = 0; i < ID_LEN; i++)
		any |= b[i];
	return any == 0;
}

/* Bytes of the id in each hyphenated group. */
static const uint8_t id_groups[5] = { 4, 2, 2, 2, 6 };

bool
id_decode(struct span text, uint8_t out[static ID_LEN])
{
	uint8_t b[ID_LEN];
	size_t at = 0, to = 0;

	if (text.n != ID_TEXT_LEN)
		return false;
	for (size_t g = 0; g < 5; g++) {
		if (g > 0 && text.p[at++] != '-')
			return false;
		if (!hex_decode(span_sub(text, at, 2U * id_groups[g]), b + to))
			return false;
		at += 2U * id_groups[g];
		to += id_groups[g];
	}
	memcpy(out, b, ID_LEN);
	return true;
}

void
id_encode(const uint8_t b[static ID_LEN], char out[static ID_TEXT_LEN + 1])
{
	size_t at = 0, from = 0;

	for (size_t g = 0; g < 5; g++) {
		if (g > 0)
			out[at++] = '-';
		hex_encode(span_of(b + from, id_groups[g]), out + at);
		at += 2U * id_groups[g];
		from += id_groups[g];
	}
	out[at] = '\0';
}

static void
id_stamp(uint8_t b[static ID_LEN], uint8_t version)
{
	b[6] = (uint8_t)((b[6] & 0x0f) | version << 4);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);	/* RFC 9562 4.1: variant */
}

void
id_v7(uint8_t out[static ID_LEN], uint64_t unix_ms,
    const uint8_t rnd[static 10])
{
	for (size_t i = 0; i < 6; i++)
		out[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
	memcpy(out + 6, rnd, 10);
	id_stamp(out, 7);
}

void
id_v4(uint8_t out[static ID_LEN], const uint8_t rnd[static 16])
{
	memmove(out, rnd, ID_LEN);
	id_stamp(out, 4);
}
