/*
 * tui_input.h: keys and the mouse of the full-screen client: which region
 * has them, and what they do there.
 */
#ifndef CLI_TUI_INPUT_H
#define CLI_TUI_INPUT_H

#include "cli/tui.h"

void tui_input_key(struct tui *t, const struct tui_key *k);

#endif
