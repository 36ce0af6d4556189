/*
 * devices.h: the devices of the own account (docs/protocol.md, "Linking a
 * device", "Renewing keys"): a new device's identity, the manager's list with
 * one more or one less, certificates that wait until a list names them.
 * Freestanding; within the host's transaction (store.h).
 */
#ifndef CORE_DEVICES_H
#define CORE_DEVICES_H

#include "core/identity.h"
#include "core/linking.h"

/*
 * devices_join(c, f, cert_out):
 * On the new device: an identity from what a manager provisioned (or a backup
 * holds, see devices_restore): new device keys and a certificate for
 * f->device under f->aik, stored. No list names it yet: the manager's next
 * one does, taken by peer_accept_list. cert_out points into the arena.
 * ERR_CONFLICT: there is an identity already.  ERR_ARG: f names another
 * manager key than f->aik.
 */
MUST_USE enum err devices_join(struct core *c, const struct linking_facts *f,
    struct span *cert_out);
/*
 * devices_restore(c, account, aik_priv, list, flags, cert_out, list_out):
 * On an empty machine, with the account key of a backup: an identity under the
 * next free number of `list` (the newest signed one, from the server), its
 * certificate and the next list, which has it beside the others.
 *   flags  in   DEVICE_*; DEVICE_MANAGER is added
 * ERR_IDENTITY_CHANGED: the account has another key by now, the backup's is of
 * no use.  ERR_LIMIT: the list is full: see devices_restore_instead.
 * ERR_CONFLICT: there is an identity.  Others: list is not valid.
 */
MUST_USE enum err devices_restore(struct core *c,
    const struct user_id *account, const struct composite_priv *aik_priv,
    struct span list, uint8_t flags, struct span *cert_out,
    struct span *list_out);
/* The same, but the next list has this device alone: all others are lost. */
MUST_USE enum err devices_restore_instead(struct core *c,
    const struct user_id *account, const struct composite_priv *aik_priv,
    struct span list, uint8_t flags, struct span *cert_out,
    struct span *list_out);
/* The number that the next device gets, and the list that it follows. */
MUST_USE enum err devices_next(struct core *c, uint32_t *device_out,
    uint64_t *version_out, uint8_t list_hash_out[static SHA256_LEN]);
/*
 * devices_add(c, cert, list_out):
 * Manager: the next list, with this certificate (linking_open_answer checked
 * it) for a device that was not in it.
 * ERR_FORBIDDEN: no manager, or a certificate of another account or key.
 * ERR_LIST_CONFLICT: its number was given before.  ERR_LIMIT: list full.
 */
MUST_USE enum err devices_add(struct core *c, struct span cert,
    struct span *list_out);
/*
 * Manager: the next list, without this device. ERR_NOT_FOUND: not in it.
 * ERR_ARG: it is this device itself, or the last one.
 */
MUST_USE enum err devices_remove(struct core *c, uint32_t device,
    struct span *list_out);

/*
 * devices_next_cert(c, aik, cert_out, proof_out):
 * New device keys and a certificate under the same number, kept aside until a
 * list names them (devices_adopt). For a device that is no manager and wants
 * new keys, and before the account key is renewed. Called again before that it
 * gives the same certificate again.
 *   aik        in   the account key it is made for; NULL: the present one
 *   proof_out  out  that it has the key: see devices_check_next
 * For another account key than the present one it has no manager flag: the
 * device does not hold that key.
 */
MUST_USE enum err devices_next_cert(struct core *c, const uint8_t *aik,
    struct span *cert_out, struct composite_sig *proof_out);
/*
 * devices_check_next(c, device, aik, cert, proof):
 * Manager: does this certificate, which came from the device over its session,
 * renew the one that the list has for it? Same account, number and flags,
 * under aik (NULL: the present key), and the proof by its own new key holds:
 * CSIG(DSK, "NJ1/renew", TH("NJ1 renew-proof", account, cert_hash)).
 * ERR_NOT_FOUND: no such device.  ERR_FORBIDDEN, ERR_AUTH, ERR_FORMAT.
 */
MUST_USE enum err devices_check_next(struct core *c, uint32_t device,
    const uint8_t *aik, struct span cert,
    const uint8_t proof[static COMPOSITE_SIG_LEN]);
/* Manager: the next list, with this (checked) certificate for its device. */
MUST_USE enum err devices_renew(struct core *c, struct span cert,
    struct span *list_out);
/*
 * After every own list that was taken: where it names, for this device, the
 * certificate that was kept aside, that one (and the list's account key)
 * becomes the present one. A batch for it has to be made then.
 *   adopted_out  out  it did
 */
MUST_USE enum err devices_adopt(struct core *c, bool *adopted_out);

#endif
