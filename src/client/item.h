/*
 * item.h: the entries of a chat's history, the index by event id that makes
 * each message show once, marks, and the journal of all that is shown and
 * lasts. Called by receive.c, outbox.c and query.c.
 *
 *	REC_ITEM	chat | order | sub -> entry
 *	REC_EVENT	sender | event id -> chat | order | sub (zeros: nothing
 *			to show, but the id is used up)
 *	REC_NAMED	server's message id -> chat | order | sub
 *	REC_MARK	chat | user | kind -> position, time
 *	REC_JOURNAL	number -> what changed; an entry of the history has one
 *			number, that of its last change
 */
#ifndef CLIENT_ITEM_H
#define CLIENT_ITEM_H

#include "client/step.h"

/* Entries that wait to be sent stand behind all that have a position. */
#define ITEM_ORDER_WAITING (1ull << 62)
#define ITEM_LATE_MS (24ull * 3600 * 1000)

struct item_place {
	struct chat_id chat;
	uint64_t order;
	uint8_t sub;
};

/*
 * Makes it->order and it->sub the place of this message: the one that it has
 * at this order, or a free one there or right behind. What position a message
 * has is the server's word, which must not put one in the place of another:
 * that would erase what was received. Nothing happens to a gap (sub 0).
 */
MUST_USE enum err item_settle(struct step *s, struct client_item *it);
/* Adds or replaces an entry, at its place (item_settle); journal, index and
 * SHOW with it. */
MUST_USE enum err item_put(struct step *s, struct client_item *it);
/* Stores it as it is, without a number: nothing that is shown changed. */
MUST_USE enum err item_save(struct step *s, const struct client_item *it);
/* Puts it elsewhere: a waiting entry was sent, or its chat became known. */
MUST_USE enum err item_move(struct step *s, struct client_item *it,
    const struct chat_id *chat, uint64_t order);
/* ERR_NOT_FOUND. Marks are folded into its flags. */
MUST_USE enum err item_get(struct step *s, const struct item_place *at,
    struct client_item *out);
/* By sender and event id. ERR_NOT_FOUND: never seen, or nothing to show. */
MUST_USE enum err item_find(struct step *s, const struct user_id *sender,
    const struct event_id *event, struct client_item *out);
/* By the server's name. ERR_NOT_FOUND. */
MUST_USE enum err item_by_message(struct step *s,
    const struct message_id *message, struct client_item *out);
/* Was this event id of this sender used already? */
MUST_USE enum err item_is_used(struct step *s, const struct user_id *sender,
    const struct event_id *event, bool *out);
/* Uses it up without an entry. */
MUST_USE enum err item_use(struct step *s, const struct user_id *sender,
    const struct event_id *event);
/* The entry after (before) a place in its chat; hidden ones are passed by.
 * ERR_NOT_FOUND. */
MUST_USE enum err item_next(struct step *s, const struct chat_id *chat,
    bool back, struct client_place *at, struct client_item *out);

/* Moves a mark forward; nothing happens when it stands there or beyond. */
MUST_USE enum err item_mark(struct step *s, const struct client_mark *m);
/* Position of a mark; 0: none. */
MUST_USE enum err item_marked(struct step *s, const struct chat_id *chat,
    const struct user_id *user, enum client_mark_kind kind, uint64_t *out);

/*
 * A number in the journal for a record that lasts, in place of old_seq (0:
 * none). t: SHOW_REACTION, SHOW_PIN; key: of the record.
 */
MUST_USE enum err item_log_record(struct step *s, enum client_show_type t,
    struct span key, uint64_t old_seq, uint64_t *seq_out);
/* The record is gone: so is its number. */
MUST_USE enum err item_unlog(struct step *s, uint64_t seq);
/* Journal entries about people. */
MUST_USE enum err item_person(struct step *s, enum client_show_type t,
    const struct user_id *user, uint64_t version, uint32_t devices,
    bool was_verified, bool blocked);
MUST_USE enum err item_warn(struct step *s, enum client_warning_kind kind,
    const struct user_id *user, uint32_t device);
/* The next journal entry after *seq. ERR_NOT_FOUND. */
MUST_USE enum err item_journal(struct step *s, uint64_t *seq,
    struct client_show *out);

/* ERR_FORMAT: no key of an entry. */
MUST_USE enum err item_place_decode(struct span key, struct item_place *at);
/* An entry out of an archive: stored and found, not told as news. At
 * its place, as above. */
MUST_USE enum err item_import(struct step *s, struct client_item *it);
/* Takes an entry away for one that comes in its place. */
MUST_USE enum err item_forget(struct step *s, const struct client_item *it);

/* itemrec.c: the record. */
#define ITEMREC_HEAD_MAX 512u		/* bytes beside text and mentions */
/* ERR_SPACE. */
MUST_USE enum err itemrec_encode(const struct client_item *it, struct wr *w);
/* Spans point into value. ERR_FORMAT. */
MUST_USE enum err itemrec_decode(const struct item_place *at,
    struct span value, struct client_item *it);

#endif
