/*
 * profile.h: one account's state on this machine: an SQLite file of sealed
 * values, its key beside it, and the highest generation in a second place.
 *
 *	<data>/profile.db	record(kind, key, generation, value)
 *	<data>/key		keyfile.h
 *	<state>			the highest generation seen, seen.h
 *
 * Several processes use one profile at once: each step is one transaction
 * (BEGIN IMMEDIATE ... COMMIT with synchronous=FULL), so it is durable before
 * anything goes out, and nobody works on half of another's step. Kind 0 is
 * the host's own; the client's kinds begin at 1. Keys are not secret, values
 * are. One thread at a time for each struct profile.
 */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include <sqlite3.h>

#include "base/arena.h"
#include "cli/keyfile.h"

#define PROFILE_KIND_HOST 0
#define PROFILE_VALUE_MAX ((size_t)16 << 20)
#define PROFILE_PATH_MAX 1024
/* How long a step waits for another process' step. */
#define PROFILE_BUSY_MS 20000

enum profile_query {
	PROFILE_BEGIN, PROFILE_BEGIN_READ, PROFILE_COMMIT, PROFILE_ROLLBACK,
	PROFILE_GET, PROFILE_NEXT, PROFILE_FIRST, PROFILE_PREV, PROFILE_LAST,
	PROFILE_PUT, PROFILE_DEL, PROFILE_TICK, PROFILE_VERSION,
	PROFILE_QUERIES
};

struct profile {
	const struct provider *pv;
	sqlite3 *db;
	sqlite3_stmt *st[PROFILE_QUERIES];
	struct seal_key key;
	uint64_t generation;	/* of what this transaction writes; 0: reads */
	bool open;		/* a transaction */
	int seen_fd;		/* the second place */
	uint8_t id[SEAL_ID_LEN];	/* of this profile, there */
	enum err damage;	/* ERR_AUTH: a value did not open */
	struct buf work;	/* sealed bytes on their way */
};

/* Where a profile is. Texts end with NUL. */
struct profile_paths {
	char data[PROFILE_PATH_MAX];	/* the folder */
	char db[PROFILE_PATH_MAX];
	char key[PROFILE_PATH_MAX];
	char state[PROFILE_PATH_MAX];	/* the second place */
};

/* 1 to 64 of [A-Za-z0-9._-], not starting with a dot. */
bool profile_name_ok(const char *name);
/*
 * $XDG_DATA_HOME/nightjar/NAME and $XDG_STATE_HOME/nightjar/NAME.generation,
 * each below `home` where its variable is NULL or not absolute (XDG Base
 * Directory Specification 0.8). ERR_VALIDATION: name. ERR_NOT_FOUND: no home.
 * ERR_TOO_LARGE: path.
 */
MUST_USE enum err profile_find(const char *name, const char *home,
    const char *data_home, const char *state_home, struct profile_paths *out);
/* Whether there is a profile (finished or not). */
bool profile_exists(const struct profile_paths *at);

/*
 * Makes an empty profile, folders included (mode 0700). An empty passphrase:
 * the key lies open beside it. ERR_CONFLICT: there is one. ERR_IO.
 */
MUST_USE enum err profile_make(const struct provider *pv,
    const struct profile_paths *at, struct span passphrase);
/*
 * ERR_NOT_FOUND: none. ERR_AUTH: the key is another profile's, or the file
 * was changed. ERR_FORMAT: no profile. Errors of keyfile_read. ERR_VERSION:
 * made by a newer program. ERR_STORE, ERR_IO.
 */
MUST_USE enum err profile_open(struct profile *p, const struct provider *pv,
    const struct profile_paths *at, keyfile_ask_fn ask, void *ctx);
/* Wipes the key. A zeroed profile is fine. */
void profile_close(struct profile *p);
/* Removes all of its files; nothing is left that opens a copy. ERR_IO. */
MUST_USE enum err profile_erase(const struct profile_paths *at);

/* ---- transactions; ERR_STORE, ERR_BUSY, ERR_DISK_FULL ---- */

MUST_USE enum err profile_begin(struct profile *p);
/* A snapshot: sees one state, never waits, may not put or delete. */
MUST_USE enum err profile_begin_read(struct profile *p);
/* Durable when it returns OK; on failure everything is undone. */
MUST_USE enum err profile_commit(struct profile *p);
void profile_rollback(struct profile *p);

/* ERR_NOT_FOUND. ERR_STORE, also where a value does not open (p->damage). */
MUST_USE enum err profile_load(struct profile *p, uint8_t kind,
    struct span key, struct arena *a, struct span *value_out);
/* As client_host's seek in client/client.h. */
MUST_USE enum err profile_seek(struct profile *p, uint8_t kind,
    struct span prefix, struct span from, bool back, struct arena *a,
    struct span *key_out, struct span *value_out);
MUST_USE enum err profile_put(struct profile *p, uint8_t kind,
    struct span key, struct span value);
MUST_USE enum err profile_del(struct profile *p, uint8_t kind,
    struct span key);

/*
 * Changes when another process has committed (not by our own commits): what
 * was shown may be old. ERR_STORE.
 */
MUST_USE enum err profile_version(struct profile *p, uint64_t *out);

/* ---- the second place ---- */

/*
 * The highest generation ever told by profile_saw. ERR_NOT_FOUND: there is
 * none of this profile, which a copy on another machine shows. ERR_IO.
 */
MUST_USE enum err profile_seen(struct profile *p, uint64_t *out);
/* Raises it durably; a lower one changes nothing. ERR_IO. */
MUST_USE enum err profile_saw(struct profile *p, uint64_t generation);

#endif
