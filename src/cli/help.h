/*
 * help.h: usage, the help of each command, and completion scripts, all from
 * commands.def. Prints to a stdio stream; called by main and two commands.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/args.h"

#define HELP_VERSION "0.1.0"

/* All commands, one line each, and the options they share. */
void help_overview(FILE *f);
/* One command: usage, text, options, exit statuses. */
void help_command(FILE *f, enum cmd cmd);
/* A completion script; false when the shell is not bash, zsh or fish. */
bool help_completion(FILE *f, const char *shell);

/* What `help` knows besides commands; false: nothing of that name. */
bool help_topic(FILE *f, const char *name);

#endif
