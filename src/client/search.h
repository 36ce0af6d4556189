/*
 * search.h: the index of what was said, over the records: the folded texts
 * (fold.h) of all messages that can be read, in the order of their places in
 * the world, newest last. Called by item.c for what changes, by step.c at the
 * end of a step, by client.c to index an older history. Searching
 * (query.h, client_search_next) is a scan of those texts that may hold the
 * words: less work than to keep and seal an inverted index.
 *
 *	REC_SEARCH	u8 1 | u64 order | chat | u8 sub -> leaf: texts from
 *			that place on up to the next leaf's; the first leaf
 *			has zeros
 *			u8 4 | the same -> which two and three bytes follow
 *			each other in that leaf's texts (a hashed set of
 *			bits): most leaves need not be read
 *			u8 2 -> leaf of what came last: counts before the
 *			others; merged into them when it is larger than
 *			SEARCH_RECENT_MAX, or when one of them loses a text
 *			u8 3 -> how far an older history is indexed
 */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include "client/step.h"

#define SEARCH_LEAF_MAX 65536u		/* bytes; one long text may exceed */
#define SEARCH_RECENT_MAX 8192u
#define SEARCH_KEY_LEN (1 + 8 + ID_LEN + 1)

struct client_item;
struct item_place;

/* A text in its place; sorted by order, chat, sub. */
struct search_entry {
	uint64_t order;
	struct chat_id chat;
	uint8_t sub;
	bool gone;		/* a change: not there any more */
	struct span text;	/* folded */
};

/* What a step changes, newest first. */
struct search_op {
	struct search_entry e;
	bool replaces;		/* another text may have been there */
	struct search_op *next;
};

/* The entry at its place is now this: found from the end of the step on, or
 * found no more, as it is to be read or not. ERR_TOO_LARGE. */
MUST_USE enum err search_note(struct step *s, const struct client_item *it);
/* Nothing is at this place any more. */
MUST_USE enum err search_gone(struct step *s, const struct item_place *at);
/* At the end of a step: brings the changes into the records. */
MUST_USE enum err search_flush(struct step *s);
/*
 * Indexes the next piece of a history that was there before there was an
 * index; wakes the client for more. Nothing to do is quick.
 */
MUST_USE enum err search_pump(struct step *s);

/* ---- for search_query.c and the tests ---- */

/* A decoded leaf: entries of SEARCH_ENTRY_LEN bytes, then their texts. */
struct search_leaf {
	uint32_t n;
	struct span entries, texts;
};
#define SEARCH_ENTRY_LEN (8 + ID_LEN + 1 + 4)
/* ERR_FORMAT. An empty value is an empty leaf. */
MUST_USE enum err search_leaf_decode(struct span value,
    struct search_leaf *out);
/* Entry i; its text ends before the NUL that follows it. */
struct search_entry search_leaf_entry(const struct search_leaf *l, uint32_t i);
/* Where the text of entry i begins; the end of all texts for i = n. */
size_t search_leaf_at(const struct search_leaf *l, uint32_t i);
int search_cmp(const struct search_entry *a, const struct search_entry *b);
/* The key of the leaf that begins at this place. */
struct rec_key search_key(const struct search_entry *from);
MUST_USE enum err search_key_decode(struct span key,
    struct search_entry *out);
/* The key of that leaf's set of bits; and may its texts hold the word? */
#define SEARCH_BITS_LEN 4096u
struct rec_key search_bits_key(const struct search_entry *from);
bool search_bits_have(struct span bits, struct span word);
struct rec_key search_recent_key(void);
struct rec_key search_state_key(void);

#endif
