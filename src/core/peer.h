/*
 * peer.h: what this device knows of accounts, others' and its own: the newest
 * signed device list, certificates, whether a person compared the safety
 * number. Freestanding; within the host's transaction.
 */
#ifndef CORE_PEER_H
#define CORE_PEER_H

#include "core/identity.h"
#include "core/safety.h"
#include "core/view.h"

/* An account as known: its newest accepted list. */
struct peer {
	struct devlist list;
	uint8_t list_hash[SHA256_LEN];
	uint8_t aik_hash[SHA256_LEN];
	uint64_t seen_ms;		/* when this version came */
};

/* What accepting a list changed. */
struct peer_news {
	bool first;			/* never heard of this account before */
	bool changed;			/* a newer version was taken */
	bool own_cert_forged;		/* own account: it names a certificate
					 * for this device that we never made:
					 * clone suspected */
	uint8_t added_n, removed_n, renewed_n;
	uint32_t added[DEVLIST_DEVICES_MAX], removed[DEVLIST_DEVICES_MAX],
	    renewed[DEVLIST_DEVICES_MAX];
	enum devlist_age age;
};

/*
 * peer_accept_list(c, account, bytes, news_out):
 * Verify a signed list, check that it follows the one known, store it; delete
 * the sessions of devices that it no longer has.
 * ERR_FORMAT, ERR_VERSION, ERR_AUTH, ERR_FORBIDDEN: not valid.
 * ERR_STALE: older than what is known.  ERR_CONFLICT: another list of the same
 * version: send view-conflict, warn.  ERR_LIST_CONFLICT: does not follow.
 * ERR_IDENTITY_CHANGED: signed by another account key (also a first list of the
 * own account, where it is not this device's); nothing is stored, see
 * peer_accept_identity.  ERR_EXPIRED: issued more than a day ahead of our clock.
 */
MUST_USE enum err peer_accept_list(struct core *c,
    const struct user_id *account, struct span bytes,
    struct peer_news *news_out);
/*
 * The user has been told that the identity changed and wants to go on: takes a
 * list under another account key. All sessions with the account are deleted,
 * the verified mark ends.
 */
MUST_USE enum err peer_accept_identity(struct core *c,
    const struct user_id *account, struct span bytes,
    struct peer_news *news_out);
/*
 * As peer_accept_list, for a list under another account key that renewals lead
 * to (renew.h, which asks that before): it must follow all the same. Sessions
 * with devices that have no certificate under the new key are deleted.
 */
MUST_USE enum err peer_accept_renewed(struct core *c,
    const struct user_id *account, struct span bytes,
    struct peer_news *news_out);
/*
 * peer_go_back(c, account, bytes, news_out):
 * The newest list was made here and the server refused it: takes what the
 * server has as the newest instead. That must follow, under the same account
 * key, from the list that ours followed, or be that one, or ours.
 * ERR_STALE, ERR_CONFLICT, ERR_LIST_CONFLICT: it does not.  Others as above.
 */
MUST_USE enum err peer_go_back(struct core *c, const struct user_id *account,
    struct span bytes, struct peer_news *news_out);
/* The same where ours renewed the account key: theirs is under the old one
 * (renew_go_back, which asks that before). */
MUST_USE enum err peer_go_back_renewed(struct core *c,
    const struct user_id *account, struct span bytes,
    struct peer_news *news_out);
/* ERR_NOT_FOUND: fetch the list first. */
MUST_USE enum err peer_load(struct core *c, const struct user_id *account,
    struct peer *out);
/*
 * Checks a certificate against the account's known list and stores it.
 * ERR_NOT_FOUND: no list.  ERR_UNTRUSTED, ERR_FORBIDDEN, ERR_FORMAT.
 */
MUST_USE enum err peer_accept_cert(struct core *c,
    const struct user_id *account, struct span bytes);
/* ERR_NOT_FOUND: not cached. */
MUST_USE enum err peer_load_cert(struct core *c,
    const uint8_t cert_hash[static SHA256_LEN], struct cert *out);
MUST_USE enum err peer_has_cert(struct core *c,
    const uint8_t cert_hash[static SHA256_LEN], bool *out);

/* The safety number with another account; ERR_NOT_FOUND. */
struct peer_safety {
	char number[SAFETY_DIGITS + 1];
	char qr[SAFETY_QR_TEXT_LEN + 1];
	struct safety_print own, peer;
};
MUST_USE enum err peer_safety(struct core *c, const struct user_id *account,
    struct peer_safety *out);
/* Keeps that the user compared it, for the present account key. */
MUST_USE enum err peer_set_verified(struct core *c,
    const struct user_id *account, bool verified);
/* False also when the account key has changed since. */
MUST_USE enum err peer_is_verified(struct core *c,
    const struct user_id *account, bool *out);

/* The view to put into an event for a direct chat with this account. */
MUST_USE enum err peer_view(struct core *c, const struct user_id *account,
    uint8_t out[static EVENT_VIEW_LEN]);
MUST_USE enum err peer_check_view(struct core *c,
    const struct user_id *account, const uint8_t view[static EVENT_VIEW_LEN],
    enum view_verdict *out);

#endif
