/*
 * arcrec.c: records of an archive. What comes in was made by an own device or
 * by ourselves, and is read as strictly as anything else: a wrong byte refuses
 * the record and changes nothing.
 */
#include "client/arcrec.h"

#include "client/erase.h"
#include "client/later.h"
#include "client/person.h"
#include "client/react.h"
#include "client/trust.h"

const uint8_t arcrec_walk[] = { REC_TRUST, REC_PERSON, REC_CHAT, REC_MARK,
    REC_ITEM, REC_EVENT, REC_REACT, REC_PINNED, 0 };

void
arcrec_put_head(const struct arcrec_head *h, struct wr *w)
{
	wr_u64(w, h->position);
	wr_u64(w, h->made_ms);
	wr_u64(w, h->since_ms);
}

/* ---- making ---- */

static enum err
arcrec_make_person(struct step *s, struct span key, struct wr *w)
{
	struct rd r = rd_init(key);
	struct user_id user;
	struct person p;

	rd_bytes(&r, user.b, ID_LEN);
	TRY(person_load(s, &user, &p));
	wr_bytes(w, user.b, ID_LEN);
	wr_vec16(w, p.name);
	return OK;
}

static enum err
arcrec_make_chat(struct step *s, struct span key, struct wr *w)
{
	struct rd r = rd_init(key);
	struct chat_id id;
	struct chat c;

	rd_bytes(&r, id.b, ID_LEN);
	TRY(person_chat(s, &id, &c));
	wr_bytes(w, c.id.b, ID_LEN);
	wr_bytes(w, c.user.b, ID_LEN);
	wr_u64(w, c.head);
	wr_u8(w, c.pinned);
	wr_u32(w, c.expire_s);
	wr_u64(w, c.timer_position);
	return OK;
}

/* A gap that was filled: its event is the one of the message that came. */
static bool
arcrec_is_filled(const struct client_item *it)
{
	return it->sub == 0 && it->kind != ITEM_GAP;
}

static enum err
arcrec_make_item(struct span key, struct span value,
    const struct arcrec_what *what, struct wr *w, uint8_t *kind)
{
	struct item_place at;
	struct client_item it;

	TRY(item_place_decode(key, &at));
	TRY(itemrec_decode(&at, value, &it));
	*kind = 0;
	if (it.state == STATE_WAITING || it.state == STATE_FAILED ||
	    it.order >= ITEM_ORDER_WAITING || arcrec_is_filled(&it))
		return OK;
	if ((it.server_ms != 0 ? it.server_ms : it.sender_ms) <
	    what->since_ms)
		return OK;
	if (it.expire_s != 0 && !what->timed) {
		*kind = ARCREC_USED;
		wr_bytes(w, it.sender.b, ID_LEN);
		wr_bytes(w, it.event.b, ID_LEN);
		return OK;
	}
	*kind = ARCREC_ITEM;
	wr_span(w, key);
	wr_span(w, value);
	return OK;
}

/* Only ids with nothing to show: those of entries come with them. */
static void
arcrec_make_used(struct span key, struct span value, struct wr *w,
    uint8_t *kind)
{
	struct item_place at;

	*kind = 0;
	if (item_place_decode(value, &at) != OK || !ID_IS_ZERO(at.chat))
		return;
	*kind = ARCREC_USED;
	wr_span(w, key);
}

static void
arcrec_put_said(const struct chat_id *chat, const struct client_ref *to,
    const struct user_id *user, uint64_t position, uint64_t time_ms,
    struct wr *w)
{
	wr_bytes(w, chat->b, ID_LEN);
	wr_bytes(w, to->sender.b, ID_LEN);
	wr_bytes(w, to->event.b, ID_LEN);
	wr_bytes(w, user->b, ID_LEN);
	wr_u64(w, position);
	wr_u64(w, time_ms);
}

/* What is said of a message that is left out is left out as well. */
static enum err
arcrec_is_left(struct step *s, const struct client_ref *to,
    const struct arcrec_what *what, bool *out)
{
	struct client_item it;
	enum err err = item_find(s, &to->sender, &to->event, &it);

	*out = err == OK && it.expire_s != 0 && !what->timed;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
arcrec_make_reaction(struct step *s, struct span key,
    const struct arcrec_what *what, struct wr *w, uint8_t *kind)
{
	struct client_reaction r;
	bool left;

	TRY(react_load(s, key, &r));
	TRY(arcrec_is_left(s, &r.to, what, &left));
	if (r.position == 0 || left)
		return OK;
	*kind = ARCREC_REACTION;
	arcrec_put_said(&r.chat, &r.to, &r.user, r.position, r.time_ms, w);
	wr_vec16(w, r.text);
	return OK;
}

static enum err
arcrec_make_pin(struct step *s, struct span key,
    const struct arcrec_what *what, struct wr *w, uint8_t *kind)
{
	struct client_pin p;
	bool left;

	TRY(react_load_pin(s, key, &p));
	TRY(arcrec_is_left(s, &p.to, what, &left));
	if (p.position == 0 || left)
		return OK;
	*kind = ARCREC_PIN;
	arcrec_put_said(&p.chat, &p.to, &p.user, p.position, p.time_ms, w);
	wr_u8(w, p.on);
	return OK;
}

enum err
arcrec_make(struct step *s, uint8_t kind, struct span key, struct span value,
    const struct arcrec_what *what, struct wr *w, uint8_t *kind_out)
{
	*kind_out = 0;
	switch (kind) {
	case REC_TRUST:
		*kind_out = ARCREC_TRUST;
		return trust_export(key, value, w);
	case REC_PERSON:
		*kind_out = ARCREC_PERSON;
		return arcrec_make_person(s, key, w);
	case REC_CHAT:
		*kind_out = ARCREC_CHAT;
		return arcrec_make_chat(s, key, w);
	case REC_MARK:
		*kind_out = ARCREC_MARK;
		wr_span(w, key);
		/* position | time; then a number of this profile's journal */
		wr_span(w, span_sub(value, 0, 16));
		return OK;
	case REC_ITEM:
		return arcrec_make_item(key, value, what, w, kind_out);
	case REC_EVENT:
		arcrec_make_used(key, value, w, kind_out);
		return OK;
	case REC_REACT:
		return arcrec_make_reaction(s, key, what, w, kind_out);
	case REC_PINNED:
		return arcrec_make_pin(s, key, what, w, kind_out);
	default:
		return ERR_ARG;
	}
}

/* ---- taking in ---- */

static enum err
arcrec_take_person(struct step *s, struct rd *r, bool keep)
{
	struct user_id user;
	struct span name;
	struct person p;

	rd_bytes(r, user.b, ID_LEN);
	name = rd_vec16(r);
	if (!rd_done(r) || name.n > CLIENT_NAME_MAX)
		return ERR_FORMAT;
	if (!keep)
		return OK;
	TRY(person_load(s, &user, &p));
	if (p.name.n == 0 && name.n != 0)
		TRY(person_set_name(s, &user, name));
	return OK;
}

static enum err
arcrec_take_chat(struct step *s, struct rd *r, bool keep)
{
	struct chat in = { .head = 0 }, c;

	rd_bytes(r, in.id.b, ID_LEN);
	rd_bytes(r, in.user.b, ID_LEN);
	in.head = rd_u64(r);
	in.pinned = rd_u8(r) != 0;
	in.expire_s = rd_u32(r);
	in.timer_position = rd_u64(r);
	if (!rd_done(r) || in.expire_s > EVENT_EXPIRE_S_MAX ||
	    ID_IS_ZERO(in.id) || in.head >= ITEM_ORDER_WAITING)
		return ERR_FORMAT;
	if (!keep)
		return OK;
	TRY(person_meet(s, &in.id, &in.user, &c));
	if (in.head > c.head)
		c.head = in.head;
	c.pinned = c.pinned || in.pinned;
	if (in.timer_position > c.timer_position) {
		c.timer_position = in.timer_position;
		c.expire_s = in.expire_s;
	}
	return person_save_chat(s, &c);
}

/* An entry that is known stays, unless it only says that it was refused. */
static enum err
arcrec_is_new(struct step *s, const struct client_item *it, bool *out)
{
	struct client_item was;
	struct item_place at = { it->chat, it->order, it->sub };
	enum err err;

	*out = false;
	if (it->kind == ITEM_GAP) {
		err = item_get(s, &at, &was);
		*out = err == ERR_NOT_FOUND;
		return err == ERR_NOT_FOUND ? OK : err;
	}
	err = item_find(s, &it->sender, &it->event, &was);
	if (err == ERR_NOT_FOUND) {
		TRY(item_is_used(s, &it->sender, &it->event, out));
		*out = !*out;
		return OK;
	}
	TRY(err);
	*out = was.kind == ITEM_REFUSED || was.kind == ITEM_OTHER ||
	    ((was.flags & ITEM_ARCHIVED) &&
	    it->edit_number > was.edit_number);
	return *out ? item_forget(s, &was) : OK;
}

/* What came live about this message before it was here. */
static enum err
arcrec_now(struct step *s, const struct client_item *it)
{
	struct client_ref ref = { it->sender, it->event };
	struct chat c;
	enum err err = person_chat(s, &it->chat, &c);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	return later_take(s, &c.user, &ref);
}

static enum err
arcrec_take_item(struct step *s, struct rd *r, bool keep,
    struct arcrec_count *n)
{
	struct item_place at;
	struct client_item it;
	bool is_new;

	TRY(item_place_decode(rd_span(r, ID_LEN + 8 + 1), &at));
	if (at.order >= ITEM_ORDER_WAITING)
		return ERR_FORMAT;
	TRY(itemrec_decode(&at, rd_rest(r), &it));
	if (it.kind == ITEM_GAP && it.sub != 0)
		return ERR_FORMAT;
	n->messages += it.sub != 0;
	if (!keep || arcrec_is_filled(&it))
		return OK;
	TRY(arcrec_is_new(s, &it, &is_new));
	if (!is_new)
		return OK;
	it.flags |= ITEM_ARCHIVED;
	it.seq = 0;
	if (it.state != STATE_SENT)
		it.state = STATE_RECEIVED;
	TRY(item_settle(s, &it));
	TRY(erase_note(s, &it, it.server_ms));
	TRY(item_import(s, &it));
	return it.sub != 0 ? arcrec_now(s, &it) : OK;
}

static enum err
arcrec_take_used(struct step *s, struct rd *r, bool keep)
{
	struct user_id user;
	struct event_id event;
	bool used;

	rd_bytes(r, user.b, ID_LEN);
	rd_bytes(r, event.b, ID_LEN);
	if (!rd_done(r))
		return ERR_FORMAT;
	if (!keep)
		return OK;
	TRY(item_is_used(s, &user, &event, &used));
	return used ? OK : item_use(s, &user, &event);
}

static enum err
arcrec_take_mark(struct step *s, struct rd *r, bool keep)
{
	struct client_mark m;
	uint8_t kind;

	rd_bytes(r, m.chat.b, ID_LEN);
	rd_bytes(r, m.user.b, ID_LEN);
	kind = rd_u8(r);
	m.position = rd_u64(r);
	m.time_ms = rd_u64(r);
	if (!rd_done(r) || (kind != MARK_DELIVERED && kind != MARK_READ) ||
	    m.position >= ITEM_ORDER_WAITING)
		return ERR_FORMAT;
	m.kind = (enum client_mark_kind)kind;
	return keep ? item_mark(s, &m) : OK;
}

/* Reactions and pins: heard as if their events came now. */
static enum err
arcrec_take_said(struct step *s, enum arcrec_kind kind, struct rd *r,
    bool keep)
{
	struct react x = { .type = kind == ARCREC_PIN ? SHOW_PIN :
	    SHOW_REACTION };
	uint8_t on;

	rd_bytes(r, x.chat.b, ID_LEN);
	rd_bytes(r, x.to.sender.b, ID_LEN);
	rd_bytes(r, x.to.event.b, ID_LEN);
	rd_bytes(r, x.user.b, ID_LEN);
	x.position = rd_u64(r);
	x.time_ms = rd_u64(r);
	if (kind == ARCREC_PIN) {
		on = rd_u8(r);
		x.text = on ? SPAN("1") : (struct span){ NULL, 0 };
		if (on > 1)
			return ERR_FORMAT;
	} else {
		x.text = rd_vec16(r);
	}
	if (!rd_done(r) || x.position == 0 || x.text.n > EVENT_REACTION_MAX)
		return ERR_FORMAT;
	return keep ? react_hear(s, &x) : OK;
}

enum err
arcrec_take(struct step *s, uint8_t kind, struct span bytes, bool keep,
    struct arcrec_count *n)
{
	struct rd r = rd_init(bytes);

	n->records++;
	switch (kind) {
	case ARCREC_HEAD:
		(void)rd_u64(&r);
		(void)rd_u64(&r);
		(void)rd_u64(&r);
		return rd_done(&r) ? OK : ERR_FORMAT;
	case ARCREC_PERSON:
		n->people++;
		return arcrec_take_person(s, &r, keep);
	case ARCREC_CHAT:
		return arcrec_take_chat(s, &r, keep);
	case ARCREC_ITEM:
		return arcrec_take_item(s, &r, keep, n);
	case ARCREC_USED:
		return arcrec_take_used(s, &r, keep);
	case ARCREC_MARK:
		return arcrec_take_mark(s, &r, keep);
	case ARCREC_REACTION: case ARCREC_PIN:
		return arcrec_take_said(s, (enum arcrec_kind)kind, &r, keep);
	case ARCREC_TRUST:
		return trust_import(s, &r, keep);
	default:
		return OK;
	}
}
