/*
 * pqm.h: the post-quantum machine (docs/protocol.md, "Post-quantum epochs"):
 * which key of the present epoch a message carries, and when its secret is
 * mixed into the root key. Pure state: whoever calls works on a copy and keeps
 * it only when the message stands. Freestanding.
 *
 * Epochs count from 1. The initiator generates in odd epochs, the responder in
 * even ones; the other encapsulates.
 */
#ifndef CORE_PQM_H
#define CORE_PQM_H

#include "core/kdf.h"

#define PQM_DUE_MESSAGES 48
#define PQM_DUE_MS (7ull * 24 * 3600 * 1000)

enum pqm_state { PQM_IDLE = 0, PQM_EK = 1, PQM_READY = 2, PQM_CT = 3 };

/* What a frame carries. */
enum pqm_flag { PQM_NONE = 0, PQM_SENDS_EK = 1, PQM_SENDS_CT = 2,
	PQM_ASKS = 3 };

struct pqm {
	uint32_t epoch;
	uint8_t state;			/* enum pqm_state */
	bool initiator;
	uint32_t due_epoch;		/* rekey asked up to this epoch */
	uint32_t since;			/* messages since the last mix */
	uint64_t last_mix_ms;
	uint8_t seed[MLKEM_SEED_LEN];	/* EK */
	uint8_t ss[MLKEM_SS_LEN];	/* READY, CT */
	uint8_t ct[MLKEM_CT_LEN];	/* CT */
};

/* Epoch 1 of an initiator: waits for a ciphertext to its device KEM key. */
void pqm_start_initiator(struct pqm *q,
    const uint8_t ikk_seed[static MLKEM_SEED_LEN], uint64_t now_ms);
/* Epoch 1 of a responder: encapsulates to the initiator's device KEM key. */
MUST_USE enum err pqm_start_responder(const struct provider *p, struct pqm *q,
    const uint8_t ikk[static MLKEM_EK_LEN], uint64_t now_ms);
bool pqm_is_due(const struct pqm *q, uint64_t now_ms);
/* Asks for an epoch that begins after now. */
void pqm_rekey(struct pqm *q);
/* The secret to mix in the step that begins an own chain, or NULL. */
const uint8_t *pqm_mix_out(const struct pqm *q);
/* The secret for a new chain of the peer with this pqn; NULL: none fits. */
const uint8_t *pqm_mix_in(const struct pqm *q, uint32_t pqn);
/* After the mix: next epoch, secrets erased. */
void pqm_advance(struct pqm *q, uint64_t now_ms);
/*
 * pqm_send(p, q, first, now_ms, flag_out, key_out, n_out):
 * What the message to be sent carries; makes a new seed when one is due.
 *   first    in   it is the first of a turn
 *   key_out  out  room for MLKEM_EK_LEN bytes; n_out: bytes of key, or 0
 */
MUST_USE enum err pqm_send(const struct provider *p, struct pqm *q, bool first,
    uint64_t now_ms, enum pqm_flag *flag_out,
    uint8_t key_out[static MLKEM_EK_LEN], size_t *n_out);
/* Takes in what an authenticated message carried. ERR_PROVIDER only. */
MUST_USE enum err pqm_receive(const struct provider *p, struct pqm *q,
    enum pqm_flag flag, uint32_t epoch, struct span key);

#endif
