/*
 * tui_log.h: the history of the open chat as far as it is loaded: entries in
 * their order with what belongs to each, where the view stands, what is
 * selected. Pure; owns copies of all texts and wipes them.
 *
 * The view is anchored at its bottom row: entry `bottom`, of which `skip` rows
 * are below the edge. So what is loaded, healed or reacted to above that row
 * never moves it.
 */
#ifndef CLI_TUI_LOG_H
#define CLI_TUI_LOG_H

#include "client/client.h"

#define TUI_ENTRIES_MAX 50000u	/* loaded at once; older ones stay away */
#define TUI_REACTS_MAX 8u	/* different ones that are shown */
#define TUI_QUOTE_MAX 200u	/* bytes of a quoted text */

struct tui_react {
	char text[CLIENT_REACTION_MAX + 1];
	uint8_t n;
	bool mine;
};

struct tui_entry {
	struct client_item it;	/* it.text: own memory */
	struct tui_react *react;
	uint8_t react_n;
	uint8_t *quote;		/* text of the message it replies to */
	size_t quote_n;
	bool quote_gone;	/* that one is not here */
	bool open;		/* a long text is shown whole */
};

struct tui_log {
	struct tui_entry *entry;
	size_t n, cap;
	bool all;		/* nothing older is in the profile */
	size_t bottom, skip;
	bool follow;		/* stands at the end and goes with it */
	bool selecting;
	size_t sel;
	/* The unread line stands before the first message of theirs that is
	 * above this position; 0: no line. */
	uint64_t unread_after;
	bool unread_on;
	uint32_t below_n;	/* came while the view stood above */
	struct client_ref lit;	/* was jumped to; until: */
	uint64_t lit_until_ms;
};

void tui_log_init(struct tui_log *l);
/* Frees and wipes; can be used again after. */
void tui_log_fini(struct tui_log *l);

/*
 * Adds or changes an entry, wherever its order places it. ITEM_HIDDEN takes
 * it away. New: *fresh_out (may be NULL). ERR_LIMIT: older than all and there
 * is no room; ERR_NOMEM.
 */
MUST_USE enum err tui_log_put(struct tui_log *l,
    const struct client_item *it, bool *fresh_out);
/*
 * Adds a page of older entries, `it` being its newest first. The caller calls
 * it once for each, going back. ERR_LIMIT, ERR_NOMEM.
 */
MUST_USE enum err tui_log_put_older(struct tui_log *l,
    const struct client_item *it);
/* Ends a run of tui_log_put_older: puts them in place. */
void tui_log_settle(struct tui_log *l, size_t added);

struct tui_entry *tui_log_find(struct tui_log *l,
    const struct client_ref *ref);
static inline struct client_ref
tui_log_ref(const struct tui_entry *e)
{
	return (struct client_ref){ e->it.sender, e->it.event };
}
size_t tui_log_index(const struct tui_log *l, const struct tui_entry *e);

/* Reactions anew; `add` is called after, once for each. */
void tui_log_react_clear(struct tui_entry *e);
void tui_log_react_add(struct tui_entry *e, struct span text, bool mine);
/* What the message replies to; gone: it is not in the profile. */
void tui_log_quote(struct tui_entry *e, struct span text, bool gone);
/* Own messages up to a position are delivered, or read. */
void tui_log_mark(struct tui_log *l, const struct user_id *me,
    uint64_t position, bool read);
/* Newest position of the other's entries; 0: none. */
uint64_t tui_log_newest(const struct tui_log *l, const struct user_id *me);
/* The first entry above the unread line; l->n: there is none. */
size_t tui_log_unread(const struct tui_log *l, const struct user_id *me);
/* How many of theirs are below that line. */
uint32_t tui_log_unread_n(const struct tui_log *l, const struct user_id *me);
/* My newest message that can still be edited; NULL. */
struct tui_entry *tui_log_last_mine(struct tui_log *l,
    const struct user_id *me);

/* Selects a neighbour (by: -1, 1); begins at the bottom. */
void tui_log_select(struct tui_log *l, int by);
/* The selected entry; NULL. */
struct tui_entry *tui_log_selected(struct tui_log *l);
/* To the end; the selection goes. */
void tui_log_end(struct tui_log *l);

#endif
