/*
 * pad.h: sizes that say little (docs/protocol.md, "Padding"). Freestanding.
 *	<= 1024: next multiple of 128; <= 4096: of 256; above: Padmé
 */
#ifndef CORE_PAD_H
#define CORE_PAD_H

#include "base/bytes.h"

/* The padded size of n bytes; 0 for 0. */
size_t pad_size(size_t n);
/* How long pad_write makes x of n bytes. */
size_t pad_len(size_t n);
/* varint len | x | zeros. ERR_SPACE, ERR_TOO_LARGE: 2^30 bytes or more. */
MUST_USE enum err pad_write(struct wr *w, struct span x);
/*
 * Takes x out again; it points into padded. ERR_FORMAT: the size is not the
 * padded one of this length, or a byte of the padding is not zero.
 */
MUST_USE enum err pad_read(struct span padded, struct span *x_out);
/* The zeros that r still holds are all of the padding of a frame of total
 * bytes, of which used are taken. */
bool pad_ends(struct rd *r, size_t total);

#endif
