/*
 * unlock.h: the secrets of a backup as a person gives them: a recovery key, or
 * a passphrase; from a file, a variable or the terminal, never as an argument.
 */
#ifndef CLI_UNLOCK_H
#define CLI_UNLOCK_H

#include "cli/host.h"

#define UNLOCK_TEXT_MAX 1024u

struct unlock {
	enum client_unlock_kind kind;
	char text[UNLOCK_TEXT_MAX + 1];
	size_t n;
};

/*
 * What opens a backup that exists: --key-file, NIGHTJAR_BACKUP_KEY, or a
 * question. A text of 14 groups is a recovery key, unless --passphrase says
 * that it is none. EXIT_USAGE, printed.
 */
enum exit_status unlock_ask(struct host *h, struct unlock *out);
/*
 * A new recovery key: shown, and its last group typed again (--yes: not). With
 * --json it stands alone on a line. With --key-file it is written there.
 */
enum exit_status unlock_new_key(struct host *h, struct unlock *out);
/* A new passphrase, twice, long enough to be of use. */
enum exit_status unlock_new_phrase(struct host *h, struct unlock *out);
void unlock_wipe(struct unlock *u);

#endif
