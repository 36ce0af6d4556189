/*
 * tui_command.h: the /commands of the full-screen client; each does what a
 * key does, too.
 */
#ifndef CLI_TUI_COMMAND_H
#define CLI_TUI_COMMAND_H

#include "cli/tui.h"

/* A line that begins with a slash. False: there is no such command. */
bool tui_command_run(struct tui *t, struct span line);
/* Completes the word of a command in the composer; false: not one only. */
bool tui_command_complete(struct tui *t);
/* Completes the "@..." before the cursor with one of the chat's two names, the
 * other's first; false: there is none, or neither begins so. */
bool tui_command_mention(struct tui *t);
/* Keys and commands, as lines of the open panel. */
void tui_command_help(struct tui *t);

#endif
