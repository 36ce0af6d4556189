/*
 * track.h: progress of what takes longer than a moment: a line on the standard
 * error of a terminal, JSON objects on the standard output with --json.
 */
#ifndef CLI_TRACK_H
#define CLI_TRACK_H

#include "cli/host.h"

/* To be called from on_show; passes by all that is no SHOW_PROGRESS. */
void track_show(struct host *h, const struct client_show *s);
/* Ends the line, where there is one. */
void track_end(struct host *h);

#endif
