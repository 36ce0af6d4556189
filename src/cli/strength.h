/*
 * strength.h: how hard a passphrase is to guess, and whether its bytes are the
 * same on every machine. Estimates, for advice and for a lower bound; nothing
 * is sent anywhere. Pure.
 */
#ifndef CLI_STRENGTH_H
#define CLI_STRENGTH_H

#include "base/bytes.h"

/* Below this many bits a passphrase for a backup is refused. */
#define STRENGTH_LEAST 50u

/*
 * Bits, at most 999: each character by the classes that the text draws from,
 * less what repeats, runs in order (of letters, digits or keys) or is a common
 * word; words count by a list of 7,776.
 */
unsigned strength_bits(struct span text);
/*
 * Is this UTF-8 in NFKC (UAX #15), so that every machine derives the same key
 * from it? Answered for sure: a text is taken when all of its characters are
 * such that no normalisation changes them wherever they stand (quick check
 * Yes, combining class 0); others are refused, with the first of them.
 *   code_out  out  the character, when false; 0: no UTF-8 at all
 */
bool strength_is_stable(struct span text, uint32_t *code_out);

#endif
