/*
 * recovery.h: the recovery key as people write it down (docs/protocol.md,
 * "Recovery key"): 32 bytes as 13 groups of 4 characters of Crockford's
 * base32, and a 14th group that checks them. Freestanding.
 */
#ifndef CORE_RECOVERY_H
#define CORE_RECOVERY_H

#include "crypto/provider.h"

#define RECOVERY_KEY_LEN 32
#define RECOVERY_GROUPS 14
#define RECOVERY_TEXT_LEN (RECOVERY_GROUPS * 5 - 1)	/* 69 */

/* Where a text that is no recovery key goes wrong. */
struct recovery_fault {
	uint8_t group;		/* 1..14, as shown; 0: can not be told */
	enum {
		RECOVERY_CHARACTER = 1,	/* this one is in no recovery key */
		RECOVERY_SHORT,		/* characters are missing */
		RECOVERY_LONG,		/* there are too many */
		RECOVERY_TYPO		/* mistyped: `group` is where one
					 * changed character would explain it;
					 * 0: more than one is wrong */
	} what;
};

/* Upper case, groups joined by dashes, and a NUL. Wiped by the caller. */
MUST_USE enum err recovery_text(const struct provider *p,
    const uint8_t key[static RECOVERY_KEY_LEN],
    char out[static RECOVERY_TEXT_LEN + 1]);
/*
 * recovery_parse(p, text, key_out, fault_out):
 * As people type it: either case, O for 0, I and L for 1, spaces, tabs, line
 * ends and dashes anywhere. Nothing is put right by itself: a key with a
 * typing error is refused and its place is named.
 *   key_out    out  zeroed unless OK
 *   fault_out  out  set when ERR_FORMAT is returned
 * ERR_FORMAT: no recovery key.  ERR_PROVIDER.
 */
MUST_USE enum err recovery_parse(const struct provider *p, struct span text,
    uint8_t key_out[static RECOVERY_KEY_LEN],
    struct recovery_fault *fault_out);

#endif
