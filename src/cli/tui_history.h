/*
 * tui_history.h: draws the log of a chat, and moves the view in it. An entry
 * is laid out when it is seen, so what is loaded beside it costs nothing.
 */
#ifndef CLI_TUI_HISTORY_H
#define CLI_TUI_HISTORY_H

#include "cli/tui_grid.h"
#include "cli/tui_model.h"

/* Long texts are folded after so many lines. */
#define TUI_FOLD_LINES 30u

void tui_history_draw(struct tui_model *m, struct tui_box b);
/* Rows of an entry with what stands before it (day, unread line). */
size_t tui_history_rows(struct tui_model *m, struct tui_box b, size_t i);
/* By rows: up is negative. Stops at the ends. */
void tui_history_scroll(struct tui_model *m, struct tui_box b, long by);
/* Moves the view as little as it takes to show entry i whole. */
void tui_history_show(struct tui_model *m, struct tui_box b, size_t i);
/* Places entry i a third from the top. */
void tui_history_jump(struct tui_model *m, struct tui_box b, size_t i);
/* How many entries are loaded above the view. */
size_t tui_history_above(struct tui_model *m, struct tui_box b);

#endif
