/*
 * tui_load.h: from the profile into the model: rows of the list, pages of the
 * history, what belongs to an entry. All inside of snapshots of the host.
 */
#ifndef CLI_TUI_LOAD_H
#define CLI_TUI_LOAD_H

#include "cli/tui.h"

/* Who I am, and all chats. ERR_STORE, ERR_NOMEM. */
MUST_USE enum err tui_load_all(struct tui *t);
/* One row anew. A person without a chat gets a row when `make` is true. */
MUST_USE enum err tui_load_row(struct tui *t, const struct user_id *user,
    bool make);
/* Marks a row to be read anew before the next drawing. */
void tui_load_later(struct tui *t, const struct user_id *user);
/* Does that. */
void tui_load_stale(struct tui *t);
/* The open chat's first page, as far back as what is unread. */
MUST_USE enum err tui_load_open(struct tui *t);
/* One more page of older entries; *any_out: there was one. */
MUST_USE enum err tui_load_page(struct tui *t, bool *any_out);
/* Pages until `ref` is there. ERR_NOT_FOUND. */
MUST_USE enum err tui_load_until(struct tui *t, const struct client_ref *ref);
/* A new or changed entry of the journal. */
void tui_load_item(struct tui *t, const struct client_item *it);
/* Reactions and quote of a loaded entry, anew. */
void tui_load_extras(struct tui *t, struct tui_entry *e);
/* What of the open chat's person the bar and the head show. */
void tui_load_person(struct tui *t);

#endif
