/*
 * chat_input.h: keys and lines of a conversation (chat.h).
 */
#ifndef CLI_CHAT_INPUT_H
#define CLI_CHAT_INPUT_H

#include "cli/chat.h"

/* Raw mode where there is a terminal; begins to read. EXIT_OK or printed. */
enum exit_status chat_input_open(struct chat *c);
/* Reads on once there is room again. */
void chat_input_resume(struct chat *c);
/* Restores the terminal, stops reading. */
void chat_input_close(struct chat *c);

/* chat.c: draws the prompt; prints a line of our own above it. */
void chat_draw(struct chat *c);
void chat_say(struct chat *c, const char *text);

#endif
