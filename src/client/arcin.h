/*
 * arcin.h: reading an archive (core/archive.h): the history that a manager
 * sends to this device, that of a backup, or one that is only looked through.
 * Part by part, each in one step with what it brings, so a process that dies
 * goes on with the next one. What is live comes meanwhile, and nothing is
 * shown twice (arcrec.h). Called by keyring.c.
 *
 *	REC_INCOMING  "" -> struct arcin
 */
#ifndef CLIENT_ARCIN_H
#define CLIENT_ARCIN_H

#include "client/arcrec.h"
#include "client/call.h"

enum arcin_mode {
	ARCIN_LINK = 1,		/* from a manager, as it is made */
	ARCIN_RESTORE = 2,	/* out of a backup */
	ARCIN_CHECK = 3		/* of a backup; nothing is taken in */
};

struct arcin {
	enum arcin_mode mode;
	bool file;			/* the host gives the parts */
	bool complete;			/* the server has all of it */
	bool ended;			/* the last chunk was read */
	struct any_id id;
	struct user_id account;
	uint8_t key[ARCHIVE_KEY_LEN];
	uint32_t chunks, parts;		/* read */
	uint32_t there;			/* parts at the server */
	uint64_t bytes, size;		/* read; at the server */
	uint64_t begun_ms;
	uint8_t digest[SHA256_LEN];
	struct arcrec_count n;
	/* What it has to be, of a backup; zeros: not known. */
	uint32_t want_chunks;
	uint8_t want_digest[SHA256_LEN];
	uint64_t want_records;
};

MUST_USE enum err arcin_begin(struct step *s, enum arcin_mode mode,
    const struct any_id *id, const uint8_t key[static ARCHIVE_KEY_LEN],
    const struct user_id *account);
/* The same with all that a backup says of its archive. */
MUST_USE enum err arcin_begin_backup(struct step *s, const struct arcin *x);
/* Is one being read? */
bool arcin_is_open(struct step *s);
/* ERR_NOT_FOUND. Wipe it after use. */
MUST_USE enum err arcin_load(struct step *s, struct arcin *out);
MUST_USE enum err arcin_drop(struct step *s);
MUST_USE enum err arcin_pump(struct step *s);
/* The answer to CALL_ARCHIVE_GET or CALL_PART_GET. */
MUST_USE enum err arcin_heard(struct step *s, const struct call_answer *a);
/* A part of a file. Empty: it can not be read. */
MUST_USE enum err arcin_part(struct step *s, uint32_t number,
    struct span data);

#endif
