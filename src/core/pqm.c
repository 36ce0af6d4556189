/*
 * pqm.c: the post-quantum machine, see pqm.h. The table of states is that of
 * docs/protocol.md, "Post-quantum epochs".
 */
#include "core/pqm.h"

static bool
is_generator(const struct pqm *q)
{
	return q->initiator == ((q->epoch & 1) == 1);
}

void
pqm_start_initiator(struct pqm *q,
    const uint8_t ikk_seed[static MLKEM_SEED_LEN],
    uint64_t now_ms)
{
	memset(q, 0, sizeof(*q));
	q->epoch = 1;
	q->initiator = true;
	q->state = PQM_EK;
	q->last_mix_ms = now_ms;
	memcpy(q->seed, ikk_seed, MLKEM_SEED_LEN);
}

enum err
pqm_start_responder(const struct provider *p, struct pqm *q,
    const uint8_t ikk[static MLKEM_EK_LEN], uint64_t now_ms)
{
	memset(q, 0, sizeof(*q));
	q->epoch = 1;
	q->state = PQM_CT;
	q->last_mix_ms = now_ms;
	return p->mlkem_encaps(p->ctx, ikk, NULL, q->ct, q->ss);
}

bool
pqm_is_due(const struct pqm *q, uint64_t now_ms)
{
	return q->since >= PQM_DUE_MESSAGES || q->epoch <= q->due_epoch ||
	    (now_ms > q->last_mix_ms && now_ms - q->last_mix_ms > PQM_DUE_MS);
}

void
pqm_rekey(struct pqm *q)
{
	/* What is under way may be known to a thief: that and one more. */
	uint32_t due = q->state == PQM_IDLE ? q->epoch : q->epoch + 1;

	if (due > q->due_epoch)
		q->due_epoch = due;
}

const uint8_t *
pqm_mix_out(const struct pqm *q)
{
	return q->state == PQM_READY ? q->ss : NULL;
}

const uint8_t *
pqm_mix_in(const struct pqm *q, uint32_t pqn)
{
	return q->state == PQM_CT && pqn == q->epoch ? q->ss : NULL;
}

void
pqm_advance(struct pqm *q, uint64_t now_ms)
{
	q->epoch++;
	q->state = PQM_IDLE;
	q->since = 0;
	q->last_mix_ms = now_ms;
	wipe(q->seed, sizeof(q->seed));
	wipe(q->ss, sizeof(q->ss));
	wipe(q->ct, sizeof(q->ct));
}

static enum err
send_idle(const struct provider *p, struct pqm *q, bool first,
    enum pqm_flag *flag_out)
{
	uint8_t seed[MLKEM_SEED_LEN];
	enum err e;

	if (!is_generator(q)) {
		*flag_out = PQM_ASKS;
		return OK;
	}
	if (!first)
		return OK;
	e = p->random(p->ctx, seed, sizeof(seed));
	if (e == OK) {
		memcpy(q->seed, seed, sizeof(seed));
		q->state = PQM_EK;
	}
	wipe(seed, sizeof(seed));
	return e;
}

enum err
pqm_send(const struct provider *p, struct pqm *q, bool first, uint64_t now_ms,
    enum pqm_flag *flag_out, uint8_t key_out[static MLKEM_EK_LEN],
    size_t *n_out)
{
	*flag_out = PQM_NONE;
	*n_out = 0;
	if (q->state == PQM_IDLE && pqm_is_due(q, now_ms))
		TRY(send_idle(p, q, first, flag_out));
	if (!first)
		return OK;
	/* docs/protocol.md, Post-quantum epochs: in epoch 1 no ek is sent. */
	if (q->state == PQM_EK && q->epoch != 1) {
		TRY(p->mlkem_pub(p->ctx, q->seed, key_out));
		*flag_out = PQM_SENDS_EK;
		*n_out = MLKEM_EK_LEN;
	} else if (q->state == PQM_CT) {
		memcpy(key_out, q->ct, MLKEM_CT_LEN);
		*flag_out = PQM_SENDS_CT;
		*n_out = MLKEM_CT_LEN;
	}
	return OK;
}

static enum err
take_ek(const struct provider *p, struct pqm *q, const uint8_t *ek)
{
	uint8_t ct[MLKEM_CT_LEN], ss[MLKEM_SS_LEN];
	enum err e = p->mlkem_encaps(p->ctx, ek, NULL, ct, ss);

	if (e == OK) {
		memcpy(q->ct, ct, sizeof(ct));
		memcpy(q->ss, ss, sizeof(ss));
		q->state = PQM_CT;
	}
	wipe(ss, sizeof(ss));
	/* A key that the KEM refuses is ignored; its message stands. */
	return e == ERR_FORMAT ? OK : e;
}

static enum err
take_ct(const struct provider *p, struct pqm *q, const uint8_t *ct)
{
	uint8_t ss[MLKEM_SS_LEN];
	enum err e = p->mlkem_decaps(p->ctx, q->seed, ct, ss);

	if (e == OK) {
		memcpy(q->ss, ss, sizeof(ss));
		provider_forget(p, q->seed, sizeof(q->seed));
		wipe(q->seed, sizeof(q->seed));
		q->state = PQM_READY;
	}
	wipe(ss, sizeof(ss));
	return e;
}

enum err
pqm_receive(const struct provider *p, struct pqm *q, enum pqm_flag flag,
    uint32_t epoch, struct span key)
{
	/* Whatever is not in the table is ignored: another epoch, a repeat,
	 * the wrong role. */
	if (flag == PQM_ASKS && q->state == PQM_IDLE && is_generator(q) &&
	    q->due_epoch < q->epoch)
		q->due_epoch = q->epoch;
	if (flag == PQM_SENDS_EK && q->state == PQM_IDLE &&
	    !is_generator(q) && epoch == q->epoch && key.n == MLKEM_EK_LEN)
		return take_ek(p, q, key.p);
	if (flag == PQM_SENDS_CT && q->state == PQM_EK &&
	    epoch == q->epoch && key.n == MLKEM_CT_LEN)
		return take_ct(p, q, key.p);
	return OK;
}
