/*
 * pick.h: what commands about chats and messages begin with: the person, the
 * chat and the message that are meant. A message is named by the beginning of
 * its id, as `history --ids` and every --json print it.
 */
#ifndef CLI_PICK_H
#define CLI_PICK_H

#include "cli/host.h"

#define PICK_ID_LEN 8		/* digits that are printed */

/* Opens the profile, catches up, and finds the person that a->operand[0]
 * names. EXIT_OK, or what went wrong (printed). */
enum exit_status pick_person(struct host *h, const struct args *a,
    struct client_person *out);
/* The chat with a person, which has to be there. */
enum exit_status pick_chat(struct host *h, const struct client_person *p,
    struct chat_id *out);
/* The one message in the chat with p whose id begins so. */
enum exit_status pick_message(struct host *h, const struct client_person *p,
    const char *id, struct client_ref *out);
/* The beginning of an event's id. */
void pick_id(const struct event_id *id, char out[static PICK_ID_LEN + 1]);
/*
 * The text that a command was given: its operands from `first` on, joined by
 * blanks; or the standard input without its last newline where the one operand
 * is "-". EXIT_USAGE (printed): there is none, or it is not UTF-8.
 */
enum exit_status pick_text(struct host *h, const struct args *a, size_t first,
    struct buf *out);
/* "30", "30s", "5m", "2h", "7d", "4w", "off": seconds, at most a year. */
bool pick_seconds(const char *text, uint32_t *out);

#endif
