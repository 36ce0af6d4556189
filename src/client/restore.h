/*
 * restore.h: opening a backup (core/backup.h): to go on with it on a machine
 * that has nothing else, or only to see that all of it is there and opens.
 * From the server, or out of a file that the host reads. Called by keyring.c.
 *
 *	REC_RESTORE  "" -> struct restore
 */
#ifndef CLIENT_RESTORE_H
#define CLIENT_RESTORE_H

#include "client/arcin.h"
#include "core/backup.h"

enum restore_state {
	RESTORE_NONE,
	RESTORE_FETCHES,	/* the backup is asked for */
	RESTORE_SHOWN,		/* open; the person has to say go on */
	RESTORE_SIGNS,		/* the list with this device goes up */
	RESTORE_HISTORY		/* the archive is being read */
};

struct restore {
	enum restore_state state;
	bool check;			/* nothing is taken into use */
	bool file;
	uint8_t unlock;			/* enum client_unlock_kind */
	uint8_t tries;			/* of signing */
	uint64_t cmd;
	uint64_t version;		/* at the server */
	struct backup_key bk;		/* once it is open */
	struct span text;		/* what opens it, until then */
	struct span bytes;		/* the backup */
};

/* CLIENT_BACKUP_CHECK, CLIENT_RESTORE, CLIENT_RESTORE_CONFIRM. */
MUST_USE enum err restore_begin(struct step *s, const struct client_input *in);
MUST_USE enum err restore_confirm(struct step *s,
    const struct client_input *in);
MUST_USE enum err restore_pump(struct step *s);
/* The answer to CALL_BACKUP_GET. */
MUST_USE enum err restore_heard(struct step *s, const struct call_answer *a);
/* The archive was read to its end, or not. */
MUST_USE enum err restore_arrived(struct step *s, const struct arcin *x,
    enum err why);

#endif
