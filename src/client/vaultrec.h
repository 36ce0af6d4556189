/*
 * vaultrec.h: the record of the backup, and what is shown of it. Exports
 * vault_load, vault_save, vault_view (vault.h) as well.
 */
#ifndef CLIENT_VAULTREC_H
#define CLIENT_VAULTREC_H

#include "client/vault.h"

/* Of the newest own list. ERR_NOT_FOUND: none is known. */
MUST_USE enum err vaultrec_list_version(struct step *s, uint64_t *out);

#endif
