/*
 * react.c: see react.h.
 */
#include "client/react.h"

#include "client/item.h"

#define REACT_VERSION 1
#define REACT_LEN_MAX 512u

struct react_layer {
	struct user_id user;
	uint64_t position, time_ms;
	struct span text;
};

struct react_rec {
	struct chat_id chat;
	uint64_t seq;
	struct react_layer now;		/* position 0: nothing yet */
	bool waits;
	struct event_id event;		/* that carries `next` */
	struct react_layer next;
};

static uint8_t
react_kind(enum client_show_type type)
{
	return type == SHOW_PIN ? REC_PINNED : REC_REACT;
}

static struct rec_key
react_key(enum client_show_type type, const struct chat_id *chat,
    const struct client_ref *to, const struct user_id *user)
{
	struct rec_key k = rec_key();

	if (type == SHOW_PIN)
		rec_key_id(&k, chat->b);
	rec_key_id(&k, to->sender.b);
	rec_key_id(&k, to->event.b);
	if (type != SHOW_PIN)
		rec_key_id(&k, user->b);
	return k;
}

static void
react_put_layer(struct wr *w, const struct react_layer *l)
{
	wr_bytes(w, l->user.b, ID_LEN);
	wr_u64(w, l->position);
	wr_u64(w, l->time_ms);
	wr_vec16(w, l->text);
}

static void
react_get_layer(struct rd *r, struct react_layer *l)
{
	rd_bytes(r, l->user.b, ID_LEN);
	l->position = rd_u64(r);
	l->time_ms = rd_u64(r);
	l->text = rd_vec16(r);
}

static enum err
react_decode(struct span value, struct react_rec *rec)
{
	struct rd r = rd_init(value);
	uint8_t version = rd_u8(&r);

	*rec = (struct react_rec){ .seq = 0 };
	rd_bytes(&r, rec->chat.b, ID_LEN);
	rec->seq = rd_u64(&r);
	react_get_layer(&r, &rec->now);
	rec->waits = rd_u8(&r) != 0;
	rd_bytes(&r, rec->event.b, ID_LEN);
	react_get_layer(&r, &rec->next);
	return version == REACT_VERSION && rd_done(&r) ? OK : ERR_FORMAT;
}

/* A record that is not there comes back zeroed. */
static enum err
react_get(struct step *s, uint8_t kind, struct span key,
    struct react_rec *rec)
{
	struct span value;
	enum err err = rec_get(&s->r, kind, key, &value);

	*rec = (struct react_rec){ .seq = 0 };
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	return react_decode(value, rec);
}

static const struct react_layer *
react_shown(const struct react_rec *rec)
{
	return rec->waits ? &rec->next : &rec->now;
}

/* A pinned message says so itself. */
static enum err
react_flag(struct step *s, const struct client_ref *to, bool on)
{
	struct client_item it;
	enum err err = item_find(s, &to->sender, &to->event, &it);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	it.flags &= ~(uint32_t)ITEM_PINNED;
	if (on && it.kind != ITEM_DELETED && it.kind != ITEM_HIDDEN)
		it.flags |= ITEM_PINNED;
	return item_save(s, &it);
}

/* Stores it, with a number for what is shown when that changed. */
static enum err
react_store(struct step *s, enum client_show_type type,
    const struct client_ref *to, struct span key, struct react_rec *rec,
    bool changed)
{
	struct client_show *show;
	uint8_t kind = react_kind(type);
	struct wr w;

	if (changed)
		TRY(item_log_record(s, type, key, rec->seq, &rec->seq));
	TRY(step_wr(s, REACT_LEN_MAX, &w));
	wr_u8(&w, REACT_VERSION);
	wr_bytes(&w, rec->chat.b, ID_LEN);
	wr_u64(&w, rec->seq);
	react_put_layer(&w, &rec->now);
	wr_u8(&w, rec->waits);
	wr_bytes(&w, rec->event.b, ID_LEN);
	react_put_layer(&w, &rec->next);
	if (!wr_ok(&w))
		return ERR_SPACE;
	TRY(rec_put(&s->r, kind, key, wr_done(&w)));
	if (type == SHOW_PIN)
		TRY(react_flag(s, to, react_shown(rec)->text.n != 0));
	if (!changed)
		return OK;
	show = step_show(s, type, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->seq = rec->seq;
	return type == SHOW_PIN ? react_load_pin(s, key, &show->u.pin) :
	    react_load(s, key, &show->u.reaction);
}

enum err
react_hear(struct step *s, const struct react *r)
{
	struct rec_key k = react_key(r->type, &r->chat, &r->to, &r->user);
	struct react_rec rec;

	TRY(react_get(s, react_kind(r->type), rec_key_span(&k), &rec));
	if (r->position <= rec.now.position)
		return OK;
	rec.chat = r->chat;
	rec.now = (struct react_layer){ r->user, r->position, r->time_ms,
	    r->text };
	return react_store(s, r->type, &r->to, rec_key_span(&k), &rec,
	    !rec.waits);
}

enum err
react_wait(struct step *s, const struct react *r,
    const struct event_id *event)
{
	struct rec_key k = react_key(r->type, &r->chat, &r->to, &r->user);
	struct react_rec rec;

	TRY(react_get(s, react_kind(r->type), rec_key_span(&k), &rec));
	rec.chat = r->chat;
	rec.waits = true;
	rec.event = *event;
	rec.next = (struct react_layer){ r->user, 0, r->time_ms, r->text };
	return react_store(s, r->type, &r->to, rec_key_span(&k), &rec, true);
}

enum err
react_sent(struct step *s, enum client_show_type type,
    const struct chat_id *chat, const struct client_ref *to,
    const struct event_id *event, uint64_t position)
{
	struct rec_key k = react_key(type, chat, to, &s->m.user);
	struct react_rec rec;
	struct span was;

	TRY(react_get(s, react_kind(type), rec_key_span(&k), &rec));
	/* Another one was said since, or the message is gone. */
	if (!rec.waits || !ID_EQ(rec.event, *event))
		return OK;
	was = rec.next.text;
	rec.waits = false;
	if (position > rec.now.position) {
		rec.next.position = position;
		rec.now = rec.next;
	}
	rec.next = (struct react_layer){ .position = 0 };
	return react_store(s, type, to, rec_key_span(&k), &rec,
	    position == 0 || !span_eq(was, rec.now.text));
}

enum err
react_drop(struct step *s, const struct chat_id *chat,
    const struct client_ref *to, bool *own)
{
	struct rec_key k = react_key(SHOW_PIN, chat, to, NULL);
	struct span key = { NULL, 0 }, value;
	struct react_rec rec;
	enum err err;

	*own = false;
	TRY(react_get(s, REC_PINNED, rec_key_span(&k), &rec));
	if (rec.seq != 0) {
		TRY(item_unlog(s, rec.seq));
		TRY(rec_del(&s->r, REC_PINNED, rec_key_span(&k)));
	}
	k = rec_key();
	rec_key_id(&k, to->sender.b);
	rec_key_id(&k, to->event.b);
	while ((err = rec_seek(&s->r, REC_REACT, rec_key_span(&k), key, false,
	    &key, &value)) == OK) {
		TRY(react_decode(value, &rec));
		*own = *own || span_eq(span_sub(key, 2 * ID_LEN, ID_LEN),
		    ID_SPAN(s->m.user));
		TRY(item_unlog(s, rec.seq));
		TRY(rec_del(&s->r, REC_REACT, key));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
react_load(struct step *s, struct span key, struct client_reaction *out)
{
	struct rd r = rd_init(key);
	const struct react_layer *l;
	struct react_rec rec;
	struct span value;

	*out = (struct client_reaction){ .position = 0 };
	TRY(rec_get(&s->r, REC_REACT, key, &value));
	TRY(react_decode(value, &rec));
	rd_bytes(&r, out->to.sender.b, ID_LEN);
	rd_bytes(&r, out->to.event.b, ID_LEN);
	rd_bytes(&r, out->user.b, ID_LEN);
	l = react_shown(&rec);
	out->chat = rec.chat;
	out->position = l->position;
	out->time_ms = l->time_ms;
	out->text = l->text;
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
react_load_pin(struct step *s, struct span key, struct client_pin *out)
{
	struct rd r = rd_init(key);
	const struct react_layer *l;
	struct react_rec rec;
	struct span value;

	*out = (struct client_pin){ .position = 0 };
	TRY(rec_get(&s->r, REC_PINNED, key, &value));
	TRY(react_decode(value, &rec));
	rd_bytes(&r, out->chat.b, ID_LEN);
	rd_bytes(&r, out->to.sender.b, ID_LEN);
	rd_bytes(&r, out->to.event.b, ID_LEN);
	l = react_shown(&rec);
	out->user = l->user;
	out->position = l->position;
	out->time_ms = l->time_ms;
	out->on = l->text.n != 0;
	return rd_done(&r) ? OK : ERR_FORMAT;
}
