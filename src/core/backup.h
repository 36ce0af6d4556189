/*
 * backup.h: what survives the loss of every device (docs/protocol.md,
 * "Backup"): a backup key, wrapped under a recovery key, a passphrase, or
 * both; under the backup key the account's secrets and the key of an archive.
 * Freestanding. No part is compressed; the secrets are padded.
 *
 *	Wrap   = 0x19 | u8 kdf | u32 m_kib | u8 t | u8 p | salt[16] |
 *	         commit[32] | nonce[12] | wrapped[48]
 *	Backup = 0x1F | u8 1 | u64 number | u64 made_ms | u64 list version |
 *	         salt[32] | commit[32] | vec16 sealed | u8 n (1..4) | n * Wrap
 *	sealed = AES-256-GCM(pad(TLV)), the head before it as AD
 */
#ifndef CORE_BACKUP_H
#define CORE_BACKUP_H

#include "base/id.h"
#include "core/archive.h"
#include "crypto/composite.h"

#define BACKUP_KEY_LEN 32
#define BACKUP_WRAP_LEN (1 + 1 + 4 + 1 + 1 + 16 + 32 + 12 + 48)	/* 116 */
#define BACKUP_WRAPS_MAX 4
#define BACKUP_SALT_LEN 16
#define BACKUP_HEAD_LEN (1 + 1 + 8 + 8 + 8 + 32 + 32)		/* 90 */
#define BACKUP_SEALED_MAX 4096
#define BACKUP_LEN_MAX (BACKUP_HEAD_LEN + 2 + BACKUP_SEALED_MAX + 1 + \
	BACKUP_WRAPS_MAX * BACKUP_WRAP_LEN)
#define BACKUP_PASSPHRASE_MAX 1024		/* bytes of UTF-8, NFKC */
#define BACKUP_NAME_MAX 64

/* Argon2id: what new wraps have, and what is taken on reading, so that a
 * server can neither weaken them nor burn time and memory. */
#define BACKUP_M_KIB 65536u
#define BACKUP_T 3
#define BACKUP_P 4
#define BACKUP_M_KIB_MIN (19u * 1024)
#define BACKUP_M_KIB_MAX (1024u * 1024)
#define BACKUP_T_MAX 16
#define BACKUP_P_MAX 8

enum backup_kdf {
	BACKUP_RECOVERY_KEY = 1,	/* 32 random bytes, recovery.h */
	BACKUP_PASSPHRASE = 2		/* Argon2id */
};

struct backup_key { uint8_t b[BACKUP_KEY_LEN]; };
struct backup_stretched { uint8_t b[32]; };	/* s: what a wrap is under */

struct backup_wrap {
	uint8_t kdf;				/* enum backup_kdf */
	uint32_t m_kib;				/* 0 unless PASSPHRASE */
	uint8_t t, p;
	uint8_t salt[BACKUP_SALT_LEN];
	uint8_t commit[SHA256_LEN];
	uint8_t nonce[GCM_NONCE_LEN];
	uint8_t wrapped[BACKUP_KEY_LEN + GCM_TAG_LEN];
};

/* A new backup key. */
MUST_USE enum err backup_generate(const struct provider *p,
    struct backup_key *out);

/* ---- wraps ---- */

/*
 * Layout and bounds: all before any work is done for it.
 * ERR_FORMAT; ERR_VERSION: a kdf of a later version.  ERR_LIMIT: parameters
 * out of bounds.  *out is zeroed unless OK.
 */
MUST_USE enum err backup_wrap_decode(struct span bytes,
    struct backup_wrap *out);
/* Appends it. ERR_ARG: decode would refuse it. ERR_SPACE. */
MUST_USE enum err backup_wrap_encode(const struct backup_wrap *k,
    struct wr *w);
/*
 * backup_wrap_begin(p, kdf, out):
 * A wrap with the parameters of today and, for a passphrase, a new salt; to
 * be stretched, then sealed by backup_wrap_seal.
 */
MUST_USE enum err backup_wrap_begin(const struct provider *p,
    enum backup_kdf kdf, struct backup_wrap *out);
/*
 * s of a passphrase: Argon2id with the wrap's parameters. Takes its m_kib of
 * memory and tenths of a second or more: hosts call it on a thread where
 * waiting is fine. The host has brought the passphrase into NFKC.
 * ERR_ARG: the wrap is not of a passphrase.  ERR_TOO_LARGE: longer than
 * BACKUP_PASSPHRASE_MAX.  ERR_LIMIT: parameters out of bounds.
 */
MUST_USE enum err backup_stretch(const struct provider *p,
    const struct backup_wrap *k, struct span passphrase,
    struct backup_stretched *out);
/* Seals the backup key into k (commit, nonce, wrapped). */
MUST_USE enum err backup_wrap_seal(const struct provider *p,
    const struct user_id *account, const struct backup_stretched *s,
    const struct backup_key *bk, struct backup_wrap *k);
/*
 * ERR_NO_KEY: another recovery key or passphrase (or another account's).
 * ERR_AUTH: the right one, but the wrap was changed.  *bk_out is zeroed then.
 */
MUST_USE enum err backup_wrap_open(const struct provider *p,
    const struct user_id *account, const struct backup_stretched *s,
    const struct backup_wrap *k, struct backup_key *bk_out);

/* ---- the whole ---- */

/* The account's secrets. Spans point into opened bytes. */
struct backup_secrets {
	struct composite_priv aik_priv;
	uint8_t secret[32];		/* account secret, settings.h */
	uint8_t list_hash[SHA256_LEN];	/* of the list version of the head */
	uint64_t position;		/* up to where the archive reaches */
	bool has_archive;
	struct any_id archive;		/* id at the server */
	struct archive_key archive_key;
	uint32_t archive_chunks;
	uint8_t archive_digest[SHA256_LEN];
	uint64_t records;		/* how many the archive has; shown */
	struct span user_name;		/* at most BACKUP_NAME_MAX */
};

/* Shown before a restore; authentic once backup_open said OK. */
struct backup_head {
	uint64_t number;		/* 1, 2, ...: of this account's
					 * backups */
	uint64_t made_ms;
	uint64_t list_version;
};

struct backup {
	struct backup_head head;
	uint8_t wraps_n;
	struct backup_wrap wraps[BACKUP_WRAPS_MAX];
};

/*
 * Seals secrets under the backup key with a new salt and appends it all.
 * The wraps must be of this key. ERR_ARG, ERR_SPACE, ERR_PROVIDER.
 */
MUST_USE enum err backup_seal(const struct provider *p,
    const struct user_id *account, const struct backup_key *bk,
    const struct backup *b, const struct backup_secrets *s, struct wr *w);
/* What can be seen without a key. Errors as backup_wrap_decode, for all. */
MUST_USE enum err backup_decode(struct span bytes, struct backup *out);
/*
 * backup_open(p, account, bk, bytes, plain, b_out, out):
 *   plain  out  at least BACKUP_SEALED_MAX bytes; secret, wiped by the caller
 * ERR_NO_KEY: another backup key.  ERR_AUTH: changed.  Others as
 * backup_decode; ERR_UNKNOWN_CRITICAL: of a newer version.  *out is zeroed
 * unless OK.
 */
MUST_USE enum err backup_open(const struct provider *p,
    const struct user_id *account, const struct backup_key *bk,
    struct span bytes, uint8_t *plain, struct backup *b_out,
    struct backup_secrets *out);
/* Fuzzer's door to the TLV inside: errors as backup_open. */
MUST_USE enum err backup_decode_secrets(struct span tlv,
    struct backup_secrets *out);
MUST_USE enum err backup_encode_secrets(const struct backup_secrets *s,
    struct wr *w);

#endif
