/*
 * renew.h: a new account key (docs/protocol.md, "Renewing the account key"):
 * making it on a manager, and taking it from others. Whoever has the old key
 * may have made the renewal, so a verified mark does not pass over to the new
 * one; sending goes on. Freestanding; within the host's transaction.
 */
#ifndef CORE_RENEW_H
#define CORE_RENEW_H

#include "core/devices.h"
#include "core/peer.h"
#include "pub/rotate.h"

/*
 * Manager: the account key that comes next, made and stored at the first call
 * (the same one at later calls, until renew_account or renew_cancel). Other
 * own devices make certificates under it (devices_next_cert) while the present
 * one still holds. ERR_FORBIDDEN: no manager.
 */
MUST_USE enum err renew_begin(struct core *c,
    uint8_t aik_out[static COMPOSITE_PUB_LEN]);
MUST_USE enum err renew_cancel(struct core *c);
/*
 * renew_account(c, certs, n, rotation_out, cert_out, list_out):
 * Manager: takes the next account key (renew_begin, called here if it was
 * not) into use: a renewal signed by both keys, a new certificate of this
 * device, and the next list, signed by the new key, with this device and those
 * others whose new certificates are given. The rest leaves the list: they have
 * to be linked again. All outputs in the arena; a batch has to be made then.
 *   certs  in   checked ones (devices_check_next), made for the next key
 * The account's other managers lose the manager flag: they do not have the
 * new key. (They get it by being linked again.)
 * ERR_FORBIDDEN: no manager, or a certificate made for another key.
 */
MUST_USE enum err renew_account(struct core *c, const struct span *certs,
    size_t n, struct span *rotation_out, struct span *cert_out,
    struct span *list_out);

/*
 * The server has taken the list of renew_account: the old account key, kept
 * until then, is erased. Fine when there is none.
 */
MUST_USE enum err renew_done(struct core *c);
/*
 * renew_go_back(c, list, news_out):
 * The server refused the list of renew_account, because another manager's was
 * there before: takes what the server has (signed by the old key) as the
 * newest, and the old key and certificate are the present ones again. The new
 * key waits as the next one: renew_account may be called again.
 * ERR_CONFLICT: there is nothing to go back from.  ERR_IDENTITY_CHANGED: the
 * list is not under the old key.  Others as peer_go_back.
 */
MUST_USE enum err renew_go_back(struct core *c, struct span list,
    struct peer_news *news_out);

/* What taking a list under a renewed key means, beside peer_news. */
struct renew_news {
	struct peer_news list;
	bool renewed;		/* the account key is another one, vouched
				 * for: "key renewed, compare again" */
	bool was_verified;	/* and the old one had been compared */
};

/*
 * renew_accept(c, account, list, rotations, n, out):
 * As peer_accept_list, and a list under another account key is taken where
 * the renewals lead from the known key to it. Own lists as well.
 *   rotations  in   as the server gave them, any order; may be empty
 * ERR_IDENTITY_CHANGED: another key and no renewal leads to it, or two of them
 * (or one and what was taken before) contradict each other; nothing is stored:
 * see peer_accept_identity. ERR_STALE: an older list, also one under a key that
 * was renewed since. Others as peer_accept_list.
 */
MUST_USE enum err renew_accept(struct core *c, const struct user_id *account,
    struct span list, const struct span *rotations, size_t n,
    struct renew_news *out);

/* Was this account key (its hash) renewed, as far as this device took part in
 * it? */
MUST_USE enum err renew_is_over(struct core *c, const struct user_id *account,
    const uint8_t aik_hash[static SHA256_LEN], bool *out);

#endif
