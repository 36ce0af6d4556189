/*
 * tui_panels.h: fills the panels of the full-screen client with lines, and
 * does what a chosen line stands for.
 */
#ifndef CLI_TUI_PANELS_H
#define CLI_TUI_PANELS_H

#include "cli/tui.h"

/* What a chosen line does: tui_line.act. */
enum tui_panels_act {
	TUI_LINE_NONE,
	TUI_LINE_OPEN,		/* user: their chat */
	TUI_LINE_FIND,		/* the name in the field, at the server */
	TUI_LINE_JUMP,		/* user, ref: that message */
	TUI_LINE_SAFETY, TUI_LINE_MATCH, TUI_LINE_DIFFER, TUI_LINE_COPY,
	TUI_LINE_WITHDRAW, TUI_LINE_ACCEPT, TUI_LINE_BLOCK, TUI_LINE_MUTE,
	TUI_LINE_TIMER, TUI_LINE_PROTECTION, TUI_LINE_PINS,
};

/* Opens it with the focus; again: closes it. */
void tui_panels_open(struct tui *t, enum tui_panel_kind kind);
/* Opens the protection panel without the focus where there is room. */
void tui_panels_default(struct tui *t);
void tui_panels_close(struct tui *t);
/* Makes the lines of the open panel anew. */
void tui_panels_refresh(struct tui *t);
/* About one message: times, devices, states. */
void tui_panels_message(struct tui *t, struct tui_entry *e);
/* The field has other text: searches after a short rest. */
void tui_panels_typed(struct tui *t);
/* SHOW_FOUND of the people search that is shown. */
void tui_panels_found(struct tui *t, const struct client_show *s);
/* Does what the selected line says. */
void tui_panels_choose(struct tui *t);

/* tui_protection.c: lines of three of them. */
void tui_protection_chat(struct tui *t);
void tui_protection_self(struct tui *t);
void tui_protection_safety(struct tui *t);

#endif
