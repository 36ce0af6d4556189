/*
 * outrec.c: the outbox record's codec.
 */
#include "client/outbox.h"

#define OUT_VERSION 2
#define OUT_VERSION_FIRST 1		/* texts and control events only */
#define OUT_HEAD_MAX 512u
#define OUT_ENTRY_MAX (ADDRESS_LEN + SHA256_LEN + 4 + SESSIONS_SEALED_MAX)

static void
outrec_load_about(struct rd *r, struct out *o)
{
	rd_bytes(r, o->author.b, ID_LEN);
	rd_bytes(r, o->reply_to.sender.b, ID_LEN);
	rd_bytes(r, o->reply_to.event.b, ID_LEN);
	o->mentions = rd_vec16(r);
	o->expire_s = rd_u32(r);
	o->edit_number = rd_u32(r);
	rd_bytes(r, o->history, EVENT_HISTORY_LEN);
	rd_bytes(r, o->about.b, ID_LEN);
}

static void
outrec_save_about(struct wr *w, const struct out *o)
{
	wr_bytes(w, o->author.b, ID_LEN);
	wr_bytes(w, o->reply_to.sender.b, ID_LEN);
	wr_bytes(w, o->reply_to.event.b, ID_LEN);
	wr_vec16(w, o->mentions);
	wr_u32(w, o->expire_s);
	wr_u32(w, o->edit_number);
	wr_bytes(w, o->history, EVENT_HISTORY_LEN);
	wr_bytes(w, o->about.b, ID_LEN);
}

enum err
outrec_load(struct step *s, struct span key, struct span value, struct out *o)
{
	struct rd r = rd_init(key);
	uint8_t version, i;

	(void)s;
	*o = (struct out){ .kind = 0 };
	rd_bytes(&r, o->lane.b, ID_LEN);
	o->number = rd_u64(&r);
	if (!rd_done(&r))
		return ERR_FORMAT;
	r = rd_init(value);
	version = rd_u8(&r);
	o->kind = rd_u8(&r);
	rd_bytes(&r, o->user.b, ID_LEN);
	rd_bytes(&r, o->chat.b, ID_LEN);
	rd_bytes(&r, o->event.b, ID_LEN);
	rd_bytes(&r, o->target.b, ID_LEN);
	rd_bytes(&r, o->only.account.b, ID_LEN);
	o->only.device = rd_u32(&r);
	o->time_ms = rd_u64(&r);
	o->cmd = rd_u64(&r);
	o->body = rd_vec32(&r);
	o->fresh = rd_u8(&r) != 0;
	o->next_ms = rd_u64(&r);
	o->tries = rd_u32(&r);
	o->changed = rd_u32(&r);
	o->fetched = rd_u32(&r);
	o->c = rd_vec32(&r);
	rd_bytes(&r, o->env.b, ENVELOPE_LEN);
	rd_bytes(&r, o->nonce, GCM_NONCE_LEN);
	o->n = rd_u8(&r);
	if (version != OUT_VERSION_FIRST)
		outrec_load_about(&r, o);
	if (version < OUT_VERSION_FIRST || version > OUT_VERSION || o->n > OUTBOX_ENTRIES_MAX)
		return ERR_FORMAT;
	for (i = 0; i < o->n; i++) {
		struct out_entry *e = &o->entries[i];

		rd_bytes(&r, e->to.account.b, ID_LEN);
		e->to.device = rd_u32(&r);
		rd_bytes(&r, e->cert_hash, SHA256_LEN);
		e->bytes = rd_vec32(&r);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

struct span
outrec_key(const struct out *o, struct rec_key *k)
{
	*k = rec_key();
	rec_key_id(k, o->lane.b);
	rec_key_u64(k, o->number);
	return rec_key_span(k);
}

enum err
outrec_next(struct step *s, struct span prefix, struct span from,
    struct out *o)
{
	struct span key, value;

	TRY(rec_seek(&s->r, REC_OUT, prefix, from, false, &key, &value));
	return outrec_load(s, key, value, o);
}

enum err
outrec_save(struct step *s, const struct out *o)
{
	struct rec_key k;
	struct span key = outrec_key(o, &k);
	struct wr w;
	uint8_t i;

	TRY(step_wr(s, OUT_HEAD_MAX + o->body.n + o->mentions.n + o->c.n +
	    (size_t)o->n * OUT_ENTRY_MAX, &w));
	wr_u8(&w, OUT_VERSION);
	wr_u8(&w, o->kind);
	wr_bytes(&w, o->user.b, ID_LEN);
	wr_bytes(&w, o->chat.b, ID_LEN);
	wr_bytes(&w, o->event.b, ID_LEN);
	wr_bytes(&w, o->target.b, ID_LEN);
	wr_bytes(&w, o->only.account.b, ID_LEN);
	wr_u32(&w, o->only.device);
	wr_u64(&w, o->time_ms);
	wr_u64(&w, o->cmd);
	wr_vec32(&w, o->body);
	wr_u8(&w, o->fresh);
	wr_u64(&w, o->next_ms);
	wr_u32(&w, o->tries);
	wr_u32(&w, o->changed);
	wr_u32(&w, o->fetched);
	wr_vec32(&w, o->c);
	wr_bytes(&w, o->env.b, ENVELOPE_LEN);
	wr_bytes(&w, o->nonce, GCM_NONCE_LEN);
	wr_u8(&w, o->n);
	outrec_save_about(&w, o);
	for (i = 0; i < o->n; i++) {
		const struct out_entry *e = &o->entries[i];

		wr_bytes(&w, e->to.account.b, ID_LEN);
		wr_u32(&w, e->to.device);
		wr_bytes(&w, e->cert_hash, SHA256_LEN);
		wr_vec32(&w, e->bytes);
	}
	if (!wr_ok(&w))
		return ERR_SPACE;
	return rec_put(&s->r, REC_OUT, key, wr_done(&w));
}

enum err
outrec_drop(struct step *s, const struct out *o)
{
	struct rec_key k;

	if (s->m.out_n > 0)
		s->m.out_n--;
	return rec_del(&s->r, REC_OUT, outrec_key(o, &k));
}
