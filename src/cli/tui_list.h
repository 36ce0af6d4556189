/*
 * tui_list.h: draws the list of chats and the panels, each in its box.
 */
#ifndef CLI_TUI_LIST_H
#define CLI_TUI_LIST_H

#include "cli/tui_grid.h"
#include "cli/tui_model.h"

void tui_list_draw(struct tui_model *m, struct tui_box b);
void tui_list_panel(struct tui_model *m, struct tui_box b);

#endif
