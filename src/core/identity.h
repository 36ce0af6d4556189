/*
 * identity.h: this device and its account (docs/protocol.md, "Keys",
 * "Devices"): making them, loading them, the certificate and the signed device
 * list. Private keys are seeds. Freestanding; all calls stand within the
 * host's transaction (store.h).
 */
#ifndef CORE_IDENTITY_H
#define CORE_IDENTITY_H

#include "core/store.h"
#include "pub/devlist.h"

#define IDENTITY_LIST_LIFE_MS (45ull * 24 * 3600 * 1000)
#define IDENTITY_LIST_RENEW_MS (7ull * 24 * 3600 * 1000)
#define IDENTITY_CERT_LIFE_MS (90ull * 24 * 3600 * 1000)

/* The private halves of one certificate. */
struct device_keys {
	struct composite_priv dsk;
	uint8_t ikx_priv[X25519_LEN];
	uint8_t ikk_seed[MLKEM_SEED_LEN];
	uint64_t replaced_ms;		/* 0: the present certificate */
	uint32_t cert_n;
	uint8_t cert[CERT_LEN_MAX];
	uint8_t cert_hash[SHA256_LEN];
};

struct identity {
	struct address me;
	uint8_t aik[COMPOSITE_PUB_LEN];
	uint8_t aik_hash[SHA256_LEN];
	bool is_manager;			/* aik_priv is there */
	struct composite_priv aik_priv;
	struct device_keys keys;		/* of the present certificate */
	uint64_t list_version;			/* of the own account */
	uint8_t list_hash[SHA256_LEN];
	uint32_t batch_last;			/* newest batch made; 0: none */
	uint64_t batch_ms;			/* when */
	uint64_t stale_below;			/* sessions born below this
						 * generation only receive */
	uint64_t created_ms;
	/* What waits for a list that names it: devices.h, renew.h. */
	bool has_next_cert;			/* own keys, under this hash */
	uint8_t next_cert_hash[SHA256_LEN];
	bool has_next_aik;			/* manager: next account key */
	struct composite_priv next_aik;
	bool has_prev_aik;			/* renewed, and the server has */
	struct composite_priv prev_aik;		/* not taken that yet */
};

/*
 * identity_create(c, account, flags, list_out):
 * A new account key, this device as its first (id 1), its certificate and
 * version 1 of the list; all stored.
 *   flags     in   DEVICE_*; DEVICE_PRIMARY and DEVICE_MANAGER are added
 *   list_out  out  the signed list, in the arena
 * ERR_CONFLICT: there is one already.
 */
MUST_USE enum err identity_create(struct core *c, const struct user_id *account,
    uint8_t flags, struct span *list_out);
/*
 * identity_start_over(c, account, flags, old_list, list_out):
 * The account's keys are lost: a new account key, and this device under the
 * next number that old_list (the newest signed one) left free. Versions go on.
 * ERR_CONFLICT: there is an identity already. Others: old_list is not valid.
 */
MUST_USE enum err identity_start_over(struct core *c,
    const struct user_id *account, uint8_t flags, struct span old_list,
    struct span *list_out);
/* ERR_NOT_FOUND: no identity yet. Wipe it after use. */
MUST_USE enum err identity_load(struct core *c, struct identity *out);
void identity_wipe(struct identity *id);
void identity_wipe_keys(struct device_keys *k);
/* Private keys of any certificate this device had and still keeps. */
MUST_USE enum err identity_load_keys(struct core *c,
    const uint8_t cert_hash[static SHA256_LEN], struct device_keys *out);
/* Stores what may change in the account record. */
MUST_USE enum err identity_save(struct core *c, const struct identity *id);

/*
 * identity_sign_list(c, id, entries, n, next_id, list_out):
 * The next version of the own list with these entries, stored.
 * ERR_FORBIDDEN: this device is no manager. ERR_LIST_CONFLICT: it would break
 * the rule of succession (an id given twice).
 */
MUST_USE enum err identity_sign_list(struct core *c, struct identity *id,
    const struct devlist_entry *entries, uint8_t n, uint32_t next_id,
    struct span *list_out);
/*
 * The next version with the same devices: weekly, so that it never expires.
 * cert_out is empty, or this device's certificate where the last list (see
 * peer_go_back) does not name it and this one does.
 */
MUST_USE enum err identity_resign_list(struct core *c, struct span *cert_out,
    struct span *list_out);
/*
 * New device keys and certificate under the same device id, and the list that
 * names it (every 90 days; at once after a restore or a clone alarm). A new
 * batch has to be made and uploaded with it (prekey_make).
 */
MUST_USE enum err identity_renew_device(struct core *c, struct span *cert_out,
    struct span *list_out);
/*
 * Gives up all private keys: of the account and the device, prekeys, sessions;
 * the provider forgets them as well.
 */
MUST_USE enum err identity_drop(struct core *c);
/* Deletes private keys of certificates that nothing needs any more. */
MUST_USE enum err identity_tidy(struct core *c);

/* Proof that binds this device to a login session (context NJ1/bind). */
MUST_USE enum err identity_bind(struct core *c, const struct session_id *sid,
    struct composite_sig *out);
/* What identity_bind signs: u8 1 | sid | account | u32 device (37 bytes). */
#define IDENTITY_BIND_LEN (1 + ID_LEN + ID_LEN + 4)
void identity_bind_message(const struct session_id *sid,
    const struct address *who, uint8_t out[static IDENTITY_BIND_LEN]);

/*
 * identity_check_generation(c, greatest):
 * At start: the greatest generation known from the second place. Where the
 * store's present transaction does not lie above it, an old copy of the store
 * was put back: every session that exists is marked stale (receive-only, and
 * anew at the next send).
 * ERR_ROLLBACK: that happened and is stored; commit, go on with generations
 * above `greatest`, renew the device, make a batch, rekey.
 */
MUST_USE enum err identity_check_generation(struct core *c, uint64_t greatest);

#endif
