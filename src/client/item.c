/*
 * item.c: history, marks, journal. An entry's order is its position at the
 * server, so the history is in chat order whatever came first.
 */
#include "client/item.h"

#include "client/erase.h"
#include "client/react.h"
#include "client/search.h"

/* First octet of a journal entry. */
enum { JOURNAL_ITEM = 1, JOURNAL_MARK = 2, JOURNAL_PERSON = 3,
    JOURNAL_WARNING = 4, JOURNAL_REACTION = 5, JOURNAL_PIN = 6 };

static struct rec_key
item_key(const struct item_place *at)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, at->chat.b);
	rec_key_u64(&k, at->order);
	rec_key_u8(&k, at->sub);
	return k;
}

static struct rec_key
item_event_key(const struct user_id *sender, const struct event_id *event)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, sender->b);
	rec_key_id(&k, event->b);
	return k;
}

/* A number for what changes now, in place of an older one. */
static enum err
item_log(struct step *s, uint64_t old_seq, struct span entry,
    uint64_t *seq_out)
{
	struct rec_key k = rec_key();

	if (old_seq != 0) {
		rec_key_u64(&k, old_seq);
		TRY(rec_del(&s->r, REC_JOURNAL, rec_key_span(&k)));
		k = rec_key();
	}
	*seq_out = ++s->m.journal;
	rec_key_u64(&k, *seq_out);
	return rec_put(&s->r, REC_JOURNAL, rec_key_span(&k), entry);
}

/* What the marks say of an own message; what I have read of another's. */
static enum err
item_add_marks(struct step *s, struct client_item *it)
{
	struct rec_key k = rec_key();
	struct span key, value, prefix;
	struct user_id user;
	enum err err;

	if (it->position == 0 || it->kind == ITEM_GAP)
		return OK;
	rec_key_id(&k, it->chat.b);
	prefix = rec_key_span(&k);
	key = (struct span){ NULL, 0 };
	while ((err = rec_seek(&s->r, REC_MARK, prefix, key, false, &key,
	    &value)) == OK) {
		struct rd r = rd_init(key), v = rd_init(value);
		uint8_t kind;

		(void)rd_span(&r, ID_LEN);
		rd_bytes(&r, user.b, ID_LEN);
		kind = rd_u8(&r);
		if (!rd_done(&r) || rd_u64(&v) < it->position)
			continue;
		/* What senders hear: somebody else has it. */
		if (ID_EQ(it->sender, s->m.user)) {
			if (!ID_EQ(user, s->m.user))
				it->flags |= kind == MARK_READ ?
				    ITEM_READ | ITEM_DELIVERED : ITEM_DELIVERED;
		} else if (ID_EQ(user, s->m.user) && kind == MARK_READ) {
			it->flags |= ITEM_READ;
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
item_save(struct step *s, const struct client_item *it)
{
	struct item_place at = { it->chat, it->order, it->sub };
	struct rec_key k = item_key(&at);
	struct wr w;

	TRY(step_wr(s, ITEMREC_HEAD_MAX + it->text.n + it->mentions.n, &w));
	TRY(itemrec_encode(it, &w));
	TRY(search_note(s, it));
	return rec_put(&s->r, REC_ITEM, rec_key_span(&k), wr_done(&w));
}

/* In the place of another entry it has that one's number. */
static enum err
item_take_seq(struct step *s, const struct item_place *at,
    struct client_item *it)
{
	struct rec_key k = item_key(at);
	struct client_item was;
	struct span value;
	enum err err;

	if (it->seq != 0)
		return OK;
	err = rec_get(&s->r, REC_ITEM, rec_key_span(&k), &value);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	TRY(itemrec_decode(at, value, &was));
	it->seq = was.seq;
	return OK;
}

/* Is it the entry that stands there? */
static enum err
item_stands(struct step *s, const struct client_item *it, bool *out)
{
	struct item_place at = { it->chat, it->order, it->sub };
	struct rec_key k = item_key(&at);
	struct client_item was;
	struct span value;
	enum err err = rec_get(&s->r, REC_ITEM, rec_key_span(&k), &value);

	*out = false;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	TRY(itemrec_decode(&at, value, &was));
	*out = ID_EQ(was.sender, it->sender) && ID_EQ(was.event, it->event);
	return OK;
}

/* Behind all that have its order. */
static enum err
item_find_free(struct step *s, struct client_item *it)
{
	struct item_place at;
	struct span key, value;
	struct rec_key prefix;
	enum err err;

	for (;; it->order++) {
		prefix = rec_key();
		rec_key_id(&prefix, it->chat.b);
		rec_key_u64(&prefix, it->order);
		it->sub = 1;
		err = rec_seek(&s->r, REC_ITEM, rec_key_span(&prefix),
		    (struct span){ NULL, 0 }, true, &key, &value);
		if (err == ERR_NOT_FOUND)
			return OK;
		TRY(err);
		TRY(item_place_decode(key, &at));
		it->sub = (uint8_t)(at.sub + 1);
		if (it->sub != 0)
			return OK;
	}
}

enum err
item_settle(struct step *s, struct client_item *it)
{
	struct rec_key ek = item_event_key(&it->sender, &it->event);
	struct item_place at;
	struct span value;
	bool stands;
	enum err err;

	if (it->sub == 0)
		return OK;
	TRY(item_stands(s, it, &stands));
	if (stands)
		return OK;
	err = rec_get(&s->r, REC_EVENT, rec_key_span(&ek), &value);
	if (err == ERR_NOT_FOUND)
		return item_find_free(s, it);
	TRY(err);
	TRY(item_place_decode(value, &at));
	if (!ID_EQ(at.chat, it->chat) || at.order != it->order)
		return item_find_free(s, it);
	it->sub = at.sub;
	return OK;
}

enum err
item_put(struct step *s, struct client_item *it)
{
	struct item_place at;
	struct rec_key k, ek;
	uint8_t entry[1 + CLIENT_KEY_MAX];
	struct wr w = wr_init(entry, sizeof(entry));
	struct client_show *show;

	TRY(item_settle(s, it));
	at = (struct item_place){ it->chat, it->order, it->sub };
	k = item_key(&at);
	wr_u8(&w, JOURNAL_ITEM);
	wr_span(&w, rec_key_span(&k));
	TRY(item_take_seq(s, &at, it));
	TRY(item_log(s, it->seq, wr_done(&w), &it->seq));
	if (it->sub != 0) {	/* else it stands for one that is not here */
		ek = item_event_key(&it->sender, &it->event);
		TRY(rec_put(&s->r, REC_EVENT, rec_key_span(&ek),
		    rec_key_span(&k)));
	}
	if (it->sub != 0 && !ID_IS_ZERO(it->message))
		TRY(rec_put(&s->r, REC_NAMED, ID_SPAN(it->message),
		    rec_key_span(&k)));
	TRY(item_save(s, it));
	show = step_show(s, SHOW_MESSAGE, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->seq = it->seq;
	return item_get(s, &at, &show->u.item);
}

enum err
item_import(struct step *s, struct client_item *it)
{
	struct item_place at;
	struct rec_key k, ek;

	TRY(item_settle(s, it));
	at = (struct item_place){ it->chat, it->order, it->sub };
	k = item_key(&at);
	if (it->sub != 0) {	/* as item_put */
		ek = item_event_key(&it->sender, &it->event);
		TRY(rec_put(&s->r, REC_EVENT, rec_key_span(&ek),
		    rec_key_span(&k)));
		if (!ID_IS_ZERO(it->message))
			TRY(rec_put(&s->r, REC_NAMED, ID_SPAN(it->message),
			    rec_key_span(&k)));
	}
	return item_save(s, it);
}

enum err
item_forget(struct step *s, const struct client_item *it)
{
	struct item_place at = { it->chat, it->order, it->sub };
	struct rec_key k = item_key(&at);

	if (it->seq != 0)
		TRY(item_unlog(s, it->seq));
	TRY(search_gone(s, &at));
	return rec_del(&s->r, REC_ITEM, rec_key_span(&k));
}

enum err
item_move(struct step *s, struct client_item *it, const struct chat_id *chat,
    uint64_t order)
{
	struct item_place at = { it->chat, it->order, it->sub };
	struct rec_key k = item_key(&at);

	TRY(search_gone(s, &at));
	TRY(rec_del(&s->r, REC_ITEM, rec_key_span(&k)));
	it->chat = *chat;
	it->order = order;
	return item_put(s, it);
}

enum err
item_get(struct step *s, const struct item_place *at, struct client_item *out)
{
	struct rec_key k = item_key(at);
	struct span value;

	TRY(rec_get(&s->r, REC_ITEM, rec_key_span(&k), &value));
	TRY(itemrec_decode(at, value, out));
	return item_add_marks(s, out);
}

enum err
item_place_decode(struct span key, struct item_place *at)
{
	struct rd r = rd_init(key);

	rd_bytes(&r, at->chat.b, ID_LEN);
	at->order = rd_u64(&r);
	at->sub = rd_u8(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
item_find(struct step *s, const struct user_id *sender,
    const struct event_id *event, struct client_item *out)
{
	struct rec_key k = item_event_key(sender, event);
	struct item_place at;
	struct span value;

	TRY(rec_get(&s->r, REC_EVENT, rec_key_span(&k), &value));
	TRY(item_place_decode(value, &at));
	if (ID_IS_ZERO(at.chat))
		return ERR_NOT_FOUND;
	return item_get(s, &at, out);
}

enum err
item_by_message(struct step *s, const struct message_id *message,
    struct client_item *out)
{
	struct item_place at;
	struct span value;

	TRY(rec_get(&s->r, REC_NAMED, ID_SPAN(*message), &value));
	TRY(item_place_decode(value, &at));
	return item_get(s, &at, out);
}

enum err
item_is_used(struct step *s, const struct user_id *sender,
    const struct event_id *event, bool *out)
{
	struct rec_key k = item_event_key(sender, event);
	enum err err;

	*out = rec_has(&s->r, REC_EVENT, rec_key_span(&k), &err);
	return err;
}

enum err
item_use(struct step *s, const struct user_id *sender,
    const struct event_id *event)
{
	struct rec_key k = item_event_key(sender, event);
	struct item_place none = { .order = 0 };
	struct rec_key v = item_key(&none);

	return rec_put(&s->r, REC_EVENT, rec_key_span(&k), rec_key_span(&v));
}

enum err
item_next(struct step *s, const struct chat_id *chat, bool back,
    struct client_place *at, struct client_item *out)
{
	struct item_place p = { *chat, at->order, at->sub };
	struct rec_key from = item_key(&p), prefix = rec_key();
	struct span key = at->set ? rec_key_span(&from) :
	    (struct span){ NULL, 0 }, value;

	rec_key_id(&prefix, chat->b);
	do {
		TRY(rec_seek(&s->r, REC_ITEM, rec_key_span(&prefix), key, back,
		    &key, &value));
		TRY(item_place_decode(key, &p));
		TRY(itemrec_decode(&p, value, out));
	} while (out->kind == ITEM_HIDDEN);
	*at = (struct client_place){ true, p.order, p.sub };
	return item_add_marks(s, out);
}

static struct rec_key
item_mark_key(const struct chat_id *chat, const struct user_id *user,
    enum client_mark_kind kind)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, chat->b);
	rec_key_id(&k, user->b);
	rec_key_u8(&k, (uint8_t)kind);
	return k;
}

/* value: position | time | journal number */
static enum err
item_mark_get(struct step *s, struct span key, uint64_t v[static 3])
{
	struct span value;
	struct rd r;
	enum err err = rec_get(&s->r, REC_MARK, key, &value);

	v[0] = v[1] = v[2] = 0;
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(value);
	v[0] = rd_u64(&r);
	v[1] = rd_u64(&r);
	v[2] = rd_u64(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
item_mark(struct step *s, const struct client_mark *m)
{
	struct rec_key k = item_mark_key(&m->chat, &m->user, m->kind);
	uint8_t entry[1 + CLIENT_KEY_MAX], value[24];
	struct wr w = wr_init(entry, sizeof(entry));
	struct client_show *show;
	uint64_t v[3];

	TRY(item_mark_get(s, rec_key_span(&k), v));
	if (v[0] >= m->position)
		return OK;
	wr_u8(&w, JOURNAL_MARK);
	wr_span(&w, rec_key_span(&k));
	TRY(item_log(s, v[2], wr_done(&w), &v[2]));
	w = wr_init(value, sizeof(value));
	wr_u64(&w, m->position);
	wr_u64(&w, m->time_ms);
	wr_u64(&w, v[2]);
	TRY(rec_put(&s->r, REC_MARK, rec_key_span(&k), wr_done(&w)));
	show = step_show(s, SHOW_MARK, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->seq = v[2];
	show->u.mark = *m;
	if (m->kind == MARK_READ && ID_EQ(m->user, s->m.user))
		return erase_read(s, &m->chat, m->position);
	return OK;
}

enum err
item_marked(struct step *s, const struct chat_id *chat,
    const struct user_id *user, enum client_mark_kind kind, uint64_t *out)
{
	struct rec_key k = item_mark_key(chat, user, kind);
	uint64_t v[3];

	TRY(item_mark_get(s, rec_key_span(&k), v));
	*out = v[0];
	return OK;
}

enum err
item_log_record(struct step *s, enum client_show_type t, struct span key,
    uint64_t old_seq, uint64_t *seq_out)
{
	uint8_t entry[1 + CLIENT_KEY_MAX];
	struct wr w = wr_init(entry, sizeof(entry));

	wr_u8(&w, t == SHOW_PIN ? JOURNAL_PIN : JOURNAL_REACTION);
	wr_span(&w, key);
	return item_log(s, old_seq, wr_done(&w), seq_out);
}

enum err
item_unlog(struct step *s, uint64_t seq)
{
	struct rec_key k = rec_key();

	if (seq == 0)
		return OK;
	rec_key_u64(&k, seq);
	return rec_del(&s->r, REC_JOURNAL, rec_key_span(&k));
}

enum err
item_person(struct step *s, enum client_show_type t,
    const struct user_id *user, uint64_t version, uint32_t devices,
    bool was_verified, bool blocked)
{
	uint8_t entry[64];
	struct wr w = wr_init(entry, sizeof(entry));
	struct client_show *show;
	uint64_t seq;

	wr_u8(&w, JOURNAL_PERSON);
	wr_u8(&w, (uint8_t)t);
	wr_bytes(&w, user->b, ID_LEN);
	wr_u64(&w, version);
	wr_u32(&w, devices);
	wr_u8(&w, was_verified);
	wr_u8(&w, blocked);
	TRY(item_log(s, 0, wr_done(&w), &seq));
	show = step_show(s, t, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->seq = seq;
	show->u.person.user = *user;
	show->u.person.version = version;
	show->u.person.devices = devices;
	show->u.person.was_verified = was_verified;
	show->u.person.blocked = blocked;
	return OK;
}

enum err
item_warn(struct step *s, enum client_warning_kind kind,
    const struct user_id *user, uint32_t device)
{
	uint8_t entry[64];
	struct wr w = wr_init(entry, sizeof(entry));
	struct client_show *show;
	uint64_t seq;

	wr_u8(&w, JOURNAL_WARNING);
	wr_u8(&w, (uint8_t)kind);
	wr_bytes(&w, user->b, ID_LEN);
	wr_u32(&w, device);
	TRY(item_log(s, 0, wr_done(&w), &seq));
	show = step_show(s, SHOW_WARNING, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->seq = seq;
	show->u.warning.kind = kind;
	show->u.warning.user = *user;
	show->u.warning.device = device;
	return OK;
}

/* What a journal entry refers to, as it stands now. */
static enum err
item_journal_fill(struct step *s, struct rd *r, struct client_show *out)
{
	struct item_place at;
	struct client_mark *m = &out->u.mark;
	struct rec_key k;
	uint64_t v[3];

	switch (rd_u8(r)) {
	case JOURNAL_ITEM:
		out->type = SHOW_MESSAGE;
		TRY(item_place_decode(rd_rest(r), &at));
		return item_get(s, &at, &out->u.item);
	case JOURNAL_MARK:
		out->type = SHOW_MARK;
		rd_bytes(r, m->chat.b, ID_LEN);
		rd_bytes(r, m->user.b, ID_LEN);
		m->kind = (enum client_mark_kind)rd_u8(r);
		k = item_mark_key(&m->chat, &m->user, m->kind);
		TRY(item_mark_get(s, rec_key_span(&k), v));
		m->position = v[0];
		m->time_ms = v[1];
		break;
	case JOURNAL_PERSON:
		out->type = (enum client_show_type)rd_u8(r);
		rd_bytes(r, out->u.person.user.b, ID_LEN);
		out->u.person.version = rd_u64(r);
		out->u.person.devices = rd_u32(r);
		out->u.person.was_verified = rd_u8(r) != 0;
		out->u.person.blocked = rd_u8(r) != 0;
		break;
	case JOURNAL_REACTION:
		out->type = SHOW_REACTION;
		return react_load(s, rd_rest(r), &out->u.reaction);
	case JOURNAL_PIN:
		out->type = SHOW_PIN;
		return react_load_pin(s, rd_rest(r), &out->u.pin);
	case JOURNAL_WARNING:
		out->type = SHOW_WARNING;
		out->u.warning.kind = (enum client_warning_kind)rd_u8(r);
		rd_bytes(r, out->u.warning.user.b, ID_LEN);
		out->u.warning.device = rd_u32(r);
		break;
	default:
		return ERR_FORMAT;
	}
	return rd_done(r) ? OK : ERR_FORMAT;
}

enum err
item_journal(struct step *s, uint64_t *seq, struct client_show *out)
{
	struct rec_key from = rec_key();
	struct span key, value;
	struct rd r;

	rec_key_u64(&from, *seq);
	TRY(rec_seek(&s->r, REC_JOURNAL, (struct span){ NULL, 0 },
	    rec_key_span(&from), false, &key, &value));
	r = rd_init(key);
	*out = (struct client_show){ .seq = rd_u64(&r) };
	if (!rd_done(&r))
		return ERR_FORMAT;
	r = rd_init(value);
	TRY(item_journal_fill(s, &r, out));
	*seq = out->seq;
	return OK;
}
