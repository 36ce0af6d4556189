/*
 * backup_file.h: a backup as a file: what the server would have, in one piece.
 *
 *	"NJBACKUP" | u8 1 | u64 offset of the head | parts: u32 n | bytes[n] ...
 *	| u32 0 | head: u32 n | bytes[n]
 * The head opens first and says what the parts have to be (core/backup.h), so
 * nothing here needs to be believed.
 */
#ifndef CLI_BACKUP_FILE_H
#define CLI_BACKUP_FILE_H

#include "cli/host.h"

/*
 * Writes all of the profile to a new file (0600), durably; a half-written one
 * is removed. EXIT_OK, or what went wrong, printed.
 */
enum exit_status backup_file_write(struct host *h, const char *path,
    struct client_input *create, struct client_backup *out);

/* A file that is open for reading. */
struct backup_file {
	int fd;
	uint64_t head_at, at;		/* the next part */
	uint32_t next;
};
/* The head, in `head` (CLIENT_BACKUP_HEAD_MAX bytes). Errors are printed. */
enum exit_status backup_file_open(struct host *h, const char *path,
    struct backup_file *f, uint8_t *head, size_t *n_out);
/* Part `number` into `mem` (CLIENT_BACKUP_PART_MAX bytes); false: none. */
bool backup_file_part(struct backup_file *f, uint32_t number, uint8_t *mem,
    size_t *n_out);
void backup_file_close(struct backup_file *f);

#endif
