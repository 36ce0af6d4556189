/*
 * identity_private.h: what devices.c and renew.c share of identity.c.
 */
#ifndef CORE_IDENTITY_PRIVATE_H
#define CORE_IDENTITY_PRIVATE_H

#include "core/identity.h"

/* By which way a list of one's own becomes the known one. */
enum identity_way {
	IDENTITY_SAME,		/* signed by the key of the one before */
	IDENTITY_RENEWED,	/* by another, vouched for by that one */
	IDENTITY_ANEW		/* by another that nothing leads to */
};

/* Stores private keys under the hash of their certificate. */
MUST_USE enum err identity_put_keys(struct core *c,
    const struct device_keys *k);
/* New private keys and the certificate of their public halves, stored. */
MUST_USE enum err identity_make_keys(struct core *c, const struct address *me,
    const uint8_t aik_hash[static SHA256_LEN], uint8_t flags,
    struct device_keys *k);
/* As identity_sign_list. */
MUST_USE enum err identity_sign_as(struct core *c, struct identity *id,
    const struct devlist_entry *entries, uint8_t n, uint32_t next_id,
    enum identity_way way, struct span *list_out);
/* What the provider keeps of private keys that are erased. */
void identity_forget_keys(const struct provider *p,
    const struct device_keys *k);
void identity_forget_aik(const struct provider *p,
    const struct composite_priv *aik);

#endif
