/*
 * arcrec.h: what an archive holds (docs/protocol.md, "What an archive holds"):
 * people, chats, entries of the history, marks, reactions, pins, verified
 * people; as records of their own form, which does not change with that of a
 * profile. Called by arcout.c and arcin.c.
 */
#ifndef CLIENT_ARCREC_H
#define CLIENT_ARCREC_H

#include "client/item.h"
#include "core/archive.h"

/* Kinds of records in an archive; for ever. */
enum arcrec_kind {
	ARCREC_HEAD = 1,	/* u64 position | u64 made | u64 since */
	ARCREC_PERSON = 2,	/* user | vec16 name */
	ARCREC_CHAT = 3,	/* chat | user | u64 head | u8 suite used |
				 * u32 timer | u64 position that set it */
	ARCREC_ITEM = 4,	/* chat | u64 order | u8 sub | entry */
	ARCREC_USED = 5,	/* user | event: had, nothing to show */
	ARCREC_MARK = 6,	/* chat | user | u8 kind | u64 pos | u64 ms */
	ARCREC_REACTION = 7,	/* chat | sender | event | user | u64 position
				 * | u64 ms | vec16 text */
	ARCREC_PIN = 8,		/* the same with u8 in place of the text */
	ARCREC_TRUST = 9,	/* user | signed record */
	ARCREC_MAX
};

struct arcrec_head {
	uint64_t position;	/* everything up to there was known */
	uint64_t made_ms;
	uint64_t since_ms;	/* entries before that were left out */
};

struct arcrec_count {
	uint64_t messages, people, records;
};

void arcrec_put_head(const struct arcrec_head *h, struct wr *w);
/* Which entries of the history belong in it. */
struct arcrec_what {
	uint64_t since_ms;	/* what is older does not; 0: all */
	bool timed;		/* what disappears after a time does, else
				 * only that it was had */
};
/*
 * arcrec_make(s, kind, key, value, what, w, kind_out):
 * One record of the profile as a record of an archive, appended to w; 0 in
 * *kind_out: it does not belong there (not sent yet, too old).
 */
MUST_USE enum err arcrec_make(struct step *s, uint8_t kind, struct span key,
    struct span value, const struct arcrec_what *what, struct wr *w,
    uint8_t *kind_out);
/* The kinds of records that are walked, in this order; 0 ends them. */
extern const uint8_t arcrec_walk[];
/*
 * arcrec_take(s, kind, bytes, keep, n):
 * Takes a record in: nothing of it is shown as new, what is known already
 * stays, what was refused is replaced. keep false: only reads it.
 * ERR_FORMAT: it is malformed. Kinds of a later version are passed over.
 */
MUST_USE enum err arcrec_take(struct step *s, uint8_t kind, struct span bytes,
    bool keep, struct arcrec_count *n);

#endif
