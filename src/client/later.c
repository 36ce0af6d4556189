/*
 * later.c: see later.h.
 */
#include "client/later.h"

#include "client/cause.h"

#define LATER_VERSION 1
#define LATER_HEAD_MAX 256u

/* Whose message an event is about. */
static enum err
later_author(const struct apply *ap, struct user_id *out)
{
	struct event_about about;

	*out = ap->from.account;
	if (ap->e->kind == EVENT_DELETE)
		return OK;
	TRY(event_about_decode(ap->e, &about));
	*out = about.author;
	return OK;
}

static struct rec_key
later_prefix(const struct user_id *sender, const struct client_ref *to)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, sender->b);
	if (to != NULL) {
		rec_key_id(&k, to->sender.b);
		rec_key_id(&k, to->event.b);
	}
	return k;
}

static enum err
later_is_full(struct step *s, const struct user_id *sender, bool *out)
{
	struct rec_key k = later_prefix(sender, NULL);
	struct span key = { NULL, 0 }, value;
	unsigned n = 0;
	enum err err = OK;

	while (n < LATER_MAX && (err = rec_seek(&s->r, REC_LATER,
	    rec_key_span(&k), key, false, &key, &value)) == OK)
		n++;
	*out = n >= LATER_MAX;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
later_put(struct step *s, const struct apply *ap)
{
	struct client_ref to = { .event = ap->e->target };
	struct rec_key k;
	struct wr w;
	bool full;

	TRY(later_author(ap, &to.sender));
	TRY(later_is_full(s, &ap->from.account, &full));
	if (full)
		return cause_count(s, "dropped", ERR_LIMIT);
	k = later_prefix(&ap->from.account, &to);
	rec_key_id(&k, ap->e->id.b);
	TRY(step_wr(s, LATER_HEAD_MAX + EVENT_LEN_MAX, &w));
	wr_u8(&w, LATER_VERSION);
	wr_u64(&w, s->now + LATER_MS);
	wr_bytes(&w, ap->chat.b, ID_LEN);
	wr_bytes(&w, ap->other.b, ID_LEN);
	wr_u32(&w, ap->from.device);
	wr_u64(&w, ap->position);
	wr_u64(&w, ap->order);
	wr_bytes(&w, ap->message.b, ID_LEN);
	wr_u64(&w, ap->server_ms);
	wr_u64(&w, ap->edited_ms);
	TRY(event_encode(ap->e, &w));
	return rec_put(&s->r, REC_LATER, rec_key_span(&k), wr_done(&w));
}

static enum err
later_decode(struct span key, struct span value, struct apply *ap,
    struct event *e)
{
	struct rd k = rd_init(key), r = rd_init(value);
	uint8_t version = rd_u8(&r);

	*ap = (struct apply){ .e = e };
	rd_bytes(&k, ap->from.account.b, ID_LEN);
	(void)rd_u64(&r);
	rd_bytes(&r, ap->chat.b, ID_LEN);
	rd_bytes(&r, ap->other.b, ID_LEN);
	ap->from.device = rd_u32(&r);
	ap->position = rd_u64(&r);
	ap->order = rd_u64(&r);
	rd_bytes(&r, ap->message.b, ID_LEN);
	ap->server_ms = rd_u64(&r);
	ap->edited_ms = rd_u64(&r);
	if (version != LATER_VERSION || r.bad || k.bad)
		return ERR_FORMAT;
	return event_decode(rd_rest(&r), e);
}

static enum err
later_take_from(struct step *s, const struct user_id *sender,
    const struct client_ref *to)
{
	struct rec_key k = later_prefix(sender, to);
	struct span key = { NULL, 0 }, value;
	enum apply_state state;
	enum err err, cause;
	struct apply ap;
	struct event e;

	while ((err = rec_seek(&s->r, REC_LATER, rec_key_span(&k), key, false,
	    &key, &value)) == OK) {
		TRY(later_decode(key, value, &ap, &e));
		TRY(apply_event(s, &ap, &state, &cause));
		if (state == APPLY_LATER)
			return OK;
		if (state == APPLY_DROPPED)
			TRY(cause_count(s, "dropped", cause));
		TRY(rec_del(&s->r, REC_LATER, key));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
later_take(struct step *s, const struct user_id *other,
    const struct client_ref *to)
{
	TRY(later_take_from(s, other, to));
	return ID_EQ(*other, s->m.user) ? OK :
	    later_take_from(s, &s->m.user, to);
}

enum err
later_prune(struct step *s)
{
	struct span key = { NULL, 0 }, value;
	enum err err;

	while ((err = rec_seek(&s->r, REC_LATER, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		struct rd r = rd_init(value);

		(void)rd_u8(&r);
		if (rd_u64(&r) > s->now && !r.bad)
			continue;
		TRY(rec_del(&s->r, REC_LATER, key));
		TRY(cause_count(s, "dropped", ERR_NOT_FOUND));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
