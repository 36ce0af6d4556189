/*
 * arcout.h: making an archive (core/archive.h) of what this profile holds and
 * bringing it to the server, part by part. A part is stored, sealed, together
 * with the place in the records that it reached, before it is sent; so both a
 * process that dies and an answer that is lost go on with the same bytes.
 * Called by keyring.c, adopt.c and vault.c; the walk also by query_keys.c.
 *
 *	REC_OUTGOING  u8 purpose -> struct arcout
 *	REC_PART      u8 purpose | u32 part -> sealed chunks
 */
#ifndef CLIENT_ARCOUT_H
#define CLIENT_ARCOUT_H

#include "client/arcrec.h"
#include "client/call.h"

/* Chunks of a part, so that one has at most 256 KiB. */
#define ARCOUT_CHUNKS 3u
#define ARCOUT_PART_MAX (ARCOUT_CHUNKS * ARCHIVE_CHUNK_MAX)

enum arcout_purpose { ARCOUT_LINK = 1, ARCOUT_BACKUP = 2 };

/* A walk over the records of a profile that seals them into chunks. */
struct arcout {
	struct any_id id;		/* at the server */
	struct archive_key key;
	uint64_t position, made_ms, since_ms;
	uint8_t at;			/* in arcrec_walk */
	uint8_t last_n;			/* key of the last record taken */
	uint8_t last[CLIENT_KEY_MAX];
	bool begun, ended;		/* head written; last chunk made */
	bool timed;			/* messages with a timer, too: for the
					 * walk, not kept */
	uint32_t chunks;		/* made */
	uint32_t parts, sent;		/* made; at the server */
	uint64_t bytes;
	uint8_t digest[SHA256_LEN];
	struct arcrec_count n;
};

/* Asks the server for an archive; its id comes to adopt.c or vault.c. */
MUST_USE enum err arcout_ask_id(struct step *s, enum arcout_purpose purpose);
/*
 * Begins the archive of that name.
 *   since_ms  in  entries of the history before that are left out; 0: none
 */
MUST_USE enum err arcout_begin(struct step *s, enum arcout_purpose purpose,
    const struct any_id *id, const uint8_t key[static ARCHIVE_KEY_LEN],
    uint64_t since_ms);
/* ERR_NOT_FOUND: none is being made. Wipe it after use. */
MUST_USE enum err arcout_load(struct step *s, enum arcout_purpose purpose,
    struct arcout *out);
/* It is given up: at the server as well. */
MUST_USE enum err arcout_abandon(struct step *s, enum arcout_purpose purpose);
/* Deletes an archive at the server; if that fails it expires. */
MUST_USE enum err arcout_delete(struct step *s, const struct any_id *id);
/* It is done with. */
MUST_USE enum err arcout_drop(struct step *s, enum arcout_purpose purpose);
/* The next part, or its call. */
MUST_USE enum err arcout_pump(struct step *s, enum arcout_purpose purpose);
/*
 * The answer to CALL_PART_PUT or CALL_ARCHIVE_DONE. *done_out: the archive is
 * complete. ERR_NOT_FOUND, ERR_LIMIT and others: the server will not have it.
 */
MUST_USE enum err arcout_heard(struct step *s, const struct call_answer *a,
    enum arcout_purpose *purpose_out, bool *done_out);

/* The walk itself: up to ARCOUT_CHUNKS more chunks into out (of
 * ARCOUT_PART_MAX bytes); none where it stopped for breath. */
MUST_USE enum err arcout_walk(struct step *s, const struct user_id *account,
    struct arcout *x, uint8_t *out, size_t *n_out);

#endif
