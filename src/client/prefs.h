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

/* Answers, and what own other devices did. */
/* Asks for a page of the chats; cursor: of the one before, or empty. */
MUST_USE enum err prefs_ask_chats(struct step *s, struct span cursor);
MUST_USE enum err prefs_heard_chats(struct step *s,
    const struct call_answer *a);
MUST_USE enum err prefs_heard_blocks(struct step *s,
    const struct call_answer *a);
MUST_USE enum err prefs_heard_people(struct step *s,
    const struct call_answer *a);
MUST_USE enum err prefs_heard_block(struct step *s, const struct user_id *user,
    bool on);
MUST_USE enum err prefs_heard_me(struct step *s, const struct chat_me_rec *me);
/* enum client_chat_flag out of the server's members. */
uint32_t prefs_chat_flags(bool muted, bool pinned, bool archived,
    enum chat_notify notify);

#endif
