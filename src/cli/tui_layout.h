/*
 * tui_layout.h: draws the model into a grid. Pure: what a given model looks
 * like at a given size is always the same.
 *
 *	below 90 columns	one pane: the list or the chat; panels cover
 *	90 to 139		list and chat; panels cover the chat
 *	140 and more		list, chat and panel
 */
#ifndef CLI_TUI_LAYOUT_H
#define CLI_TUI_LAYOUT_H

#include "cli/tui_grid.h"
#include "cli/tui_model.h"

#define TUI_TWO_PANES 90u
#define TUI_THREE_PANES 140u
#define TUI_COMPOSE_LINES 8u	/* it grows up to that, then scrolls */

struct tui_panes {
	struct tui_box list, chat, panel;	/* rows 0: not shown */
	struct tui_box status;		/* the last row, whole width */
};

struct tui_panes tui_layout_panes(struct tui_model *m, struct tui_grid *g);
/* Everything. Also puts what the model says of places within bounds. */
void tui_layout(struct tui_model *m, struct tui_grid *g);

/* ---- parts, each in its own box ---- */

/* tui_layout.c: what of the chat's box belongs to the log. */
struct tui_box tui_layout_log_box(struct tui_model *m, struct tui_box chat);
/* Columns of the composer's text in that box. */
size_t tui_layout_compose_cols(struct tui_box chat);

#endif
