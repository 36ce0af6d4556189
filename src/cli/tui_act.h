/*
 * tui_act.h: what a person does in the full-screen client, whichever key,
 * click or /command it came by. Answers arrive later: tui_act_answer.
 */
#ifndef CLI_TUI_ACT_H
#define CLI_TUI_ACT_H

#include "cli/tui.h"

/* ---- chats ---- */

/* Opens the chat with a person; a name that is not known here is asked for. */
void tui_act_open(struct tui *t, const struct user_id *user);
void tui_act_find(struct tui *t, struct span name);
/* The chat beside the open one. */
void tui_act_next_chat(struct tui *t, bool back, bool unread);
/* Turns CHAT_MUTED, CHAT_PINNED or CHAT_ARCHIVED over. */
void tui_act_flag(struct tui *t, const struct user_id *user, uint32_t flag);
void tui_act_timer(struct tui *t, uint32_t seconds);
void tui_act_block(struct tui *t, const struct user_id *user, bool on);
/* Stores what is written but not sent, of the open chat. */
void tui_act_save_draft(struct tui *t);

/* ---- messages ---- */

/* Sends what the composer holds: a new text, a reply or an edit. */
void tui_act_send(struct tui *t);
void tui_act_send_text(struct tui *t, struct span text);
/* Begin: the bar above the composer appears. */
void tui_act_reply(struct tui *t, struct tui_entry *e);
void tui_act_edit(struct tui *t, struct tui_entry *e);
/* Ends a reply or an edit; what was written before an edit comes back. */
void tui_act_end_about(struct tui *t);
void tui_act_delete(struct tui *t, const struct client_ref *ref, bool both);
void tui_act_react(struct tui *t, const struct client_ref *ref,
    struct span text);
void tui_act_pin(struct tui *t, struct tui_entry *e);
void tui_act_report(struct tui *t, const struct client_ref *ref);
void tui_act_copy(struct tui *t, struct tui_entry *e);
/* Goes to a message, loading what is between. */
void tui_act_jump(struct tui *t, const struct client_ref *ref);
void tui_act_jump_unread(struct tui *t);

/* ---- people ---- */

void tui_act_verify(struct tui *t, bool on);
/* Goes on with a changed key. */
void tui_act_accept(struct tui *t);
/* The other's code, pasted. */
void tui_act_verify_code(struct tui *t, struct span code);
void tui_act_search_people(struct tui *t, struct span name);

/* ---- by themselves ---- */

/* A key was pressed in the composer: typing, draft. */
void tui_act_typed(struct tui *t);
/* Says what is seen as read; loads what is about to be seen. */
void tui_act_seen(struct tui *t);
void tui_act_focus(struct tui *t, bool on);
/* SHOW_DONE, SHOW_ERROR, SHOW_USER, SHOW_CHAT of a command of ours. */
void tui_act_answer(struct tui *t, const struct client_show *s);
/* Before the end: drafts, timers. */
void tui_act_leave(struct tui *t);

#endif
