/*
 * vault.h: the backup that this device keeps at the server (core/backup.h):
 * making it, under a recovery key, a passphrase or both; renewing its content
 * by itself; deleting it. An archive of the whole history goes up first, then
 * the backup that names it replaces the old one in one call. Called by
 * keyring.c and, for backups in files, by query_keys.c.
 *
 *	REC_BACKUP  "" -> struct vault
 */
#ifndef CLIENT_VAULT_H
#define CLIENT_VAULT_H

#include "client/arcout.h"
#include "core/backup.h"

#define VAULT_EVERY_N 500u		/* changes, by default */
#define VAULT_EVERY_MS (24ull * 3600 * 1000)

enum vault_state {
	VAULT_IDLE,
	VAULT_ASKS,		/* what version is at the server? */
	VAULT_NAMES,		/* an archive's id is asked for */
	VAULT_SENDS,		/* the archive goes up */
	VAULT_PUTS,		/* the backup itself does */
	VAULT_DROPS		/* it is being deleted */
};

struct vault {
	enum vault_state state;
	bool exists;			/* one of this key is at the server */
	bool manual;			/* not renewed by itself */
	struct backup_key bk;
	uint8_t wraps_n;
	struct backup_wrap wraps[BACKUP_WRAPS_MAX];
	uint64_t version;		/* at the server */
	uint64_t made_ms, tried_ms;
	uint64_t list_version, position;
	uint64_t messages, people, size;
	uint64_t journal;		/* its number when it was made */
	uint32_t every_n;
	uint64_t cmd;			/* that waits for it */
	struct any_id archive;
};

/* ERR_NOT_FOUND. Wipe it after use. */
MUST_USE enum err vault_load(struct step *s, struct vault *out);
MUST_USE enum err vault_save(struct step *s, const struct vault *v);
/* CLIENT_BACKUP_CREATE, _REFRESH, _DELETE. */
MUST_USE enum err vault_create(struct step *s, const struct client_input *in);
MUST_USE enum err vault_refresh(struct step *s, const struct client_input *in);
MUST_USE enum err vault_delete(struct step *s, const struct client_input *in);
MUST_USE enum err vault_pump(struct step *s);
/* Answers to the calls CALL_BACKUP_*, CALL_ARCHIVE_NEW for a backup. */
MUST_USE enum err vault_heard(struct step *s, const struct call_answer *a);
/* The archive is complete, or the server will not have it. */
MUST_USE enum err vault_archived(struct step *s, enum err why);
/* A restored device goes on with the backup it came from. */
MUST_USE enum err vault_adopt(struct step *s, const struct backup_key *bk,
    const struct backup *b, uint64_t version);

/*
 * Wraps of a new key from what was typed. ERR_VALIDATION with *why_out: it
 * cannot be one. ERR_ARG: neither is given.
 */
MUST_USE enum err vault_wrap(struct step *s, const struct user_id *account,
    struct span recovery_key, struct span passphrase, struct vault *v,
    const char **why_out);
/* Appends the backup itself; x: its archive, done. ERR_FORBIDDEN: this device
 * has not the account key. */
MUST_USE enum err vault_seal(struct step *s, const struct vault *v,
    uint64_t number, const struct arcout *x, struct wr *w);
/* As it is shown. */
MUST_USE enum err vault_view(struct step *s, const struct vault *v,
    struct client_backup *out);

#endif
