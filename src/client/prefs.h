/*
 * prefs.h: what is mine alone: how a chat is kept (muted, pinned, archived),
 * drafts, whom I blocked, reports, settings; and the search for people.
 * Called by client.c and, for what own other devices did, by link.c.
 */
#ifndef CLIENT_PREFS_H
#define CLIENT_PREFS_H

#include "client/call.h"

/* CLIENT_CHAT_SET, _DRAFT, _BLOCK, _REPORT, _SETTINGS, _SEARCH_PEOPLE. */
MUST_USE enum err prefs_take(struct step *s, const struct client_input *in);

#endif
