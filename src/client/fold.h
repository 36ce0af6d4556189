/*
 * fold.h: text as search compares it: without case, diacritics and
 * compatibility forms; all that separates is one space. For Latin, Greek,
 * Cyrillic and Armenian letters by a table (fold.def); what is not in it stands
 * for itself. The result is UTF-8 again and holds no NUL.
 */
#ifndef CLIENT_FOLD_H
#define CLIENT_FOLD_H

#include "base/bytes.h"

#define FOLD_MAX 3		/* characters that one can become */
/* Bytes that n bytes can become: two of UTF-8 can become three of three. */
#define FOLD_BYTES_MAX(n) ((n) * 5)

/* What a character becomes: 0 to FOLD_MAX characters. */
size_t fold_char(uint32_t code, uint32_t out[static FOLD_MAX]);
/* Appends the folded text: no space at its beginning or end, single ones
 * within. w turns bad when it does not fit. */
void fold_text(struct span text, struct wr *w);

#endif
