/*
 * erase.c: see erase.h. A clock that steps back delays what is still to
 * disappear, and brings nothing back: what is erased is not there any more.
 */
#include "client/erase.h"

#include "client/react.h"

#define ERASE_STEP_MAX 64u		/* entries in one step */

static struct rec_key
erase_key(uint64_t when, const struct client_item *it)
{
	struct rec_key k = rec_key();

	rec_key_u64(&k, when != 0 ? when : UINT64_MAX);
	rec_key_id(&k, it->chat.b);
	rec_key_u64(&k, it->order);
	rec_key_u8(&k, it->sub);
	return k;
}

/* Copies of own events that are kept for those who ask again: that one, and
 * what was said of it (`all`: edits, reactions). */
static enum err
erase_kept(struct step *s, const struct client_item *it, bool all)
{
	struct span key = { NULL, 0 }, value;
	struct event e;
	enum err err;

	TRY(rec_del(&s->r, REC_SENT, ID_SPAN(it->event)));
	if (!all)
		return OK;
	while ((err = rec_seek(&s->r, REC_SENT, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		struct rd r = rd_init(value);

		(void)rd_u64(&r);
		if (event_decode(rd_rest(&r), &e) == OK &&
		    (e.kind == EVENT_EDIT || e.kind == EVENT_REACTION) &&
		    ID_EQ(e.target, it->event))
			TRY(rec_del(&s->r, REC_SENT, key));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
erase_item(struct step *s, struct client_item *it, enum client_item_kind kind)
{
	struct client_ref ref = { it->sender, it->event };
	struct rec_key k = erase_key(it->expires_at_ms, it);
	bool own;

	if (it->expire_s != 0)
		TRY(rec_del(&s->r, REC_EXPIRY, rec_key_span(&k)));
	TRY(react_drop(s, &it->chat, &ref, &own));
	own = own || (ID_EQ(it->sender, s->m.user) && it->edit_number != 0);
	if (it->sub != 0)
		TRY(erase_kept(s, it, own));
	it->kind = kind;
	it->cause = OK;
	it->flags &= ITEM_DELIVERED | ITEM_READ | ITEM_LATE;
	it->text = it->mentions = (struct span){ NULL, 0 };
	it->reply_to = (struct client_ref){ .sender = { { 0 } } };
	it->edit_number = it->edit_device = 0;
	it->expire_s = it->gap_n = 0;
	it->edited_ms = it->edit_server_ms = it->expires_at_ms = 0;
	memset(it->history, 0, sizeof(it->history));
	memset(it->history_before, 0, sizeof(it->history_before));
	return item_put(s, it);
}

enum err
erase_note(struct step *s, struct client_item *it, uint64_t start_ms)
{
	uint64_t read = 0;
	struct rec_key k;

	if (it->expire_s == 0)
		return OK;
	if (it->expires_at_ms == 0 && !ID_EQ(it->sender, s->m.user)) {
		TRY(item_marked(s, &it->chat, &s->m.user, MARK_READ, &read));
		if (read >= it->order)
			it->expires_at_ms = s->now + 1000ull * it->expire_s;
	} else if (it->expires_at_ms == 0) {
		/* A clock ahead of ours must not keep it longer. */
		it->expires_at_ms = (start_ms < s->now ? start_ms : s->now) +
		    1000ull * it->expire_s;
	}
	k = erase_key(it->expires_at_ms, it);
	s->c->dirty = true;
	return rec_put(&s->r, REC_EXPIRY, rec_key_span(&k),
	    (struct span){ NULL, 0 });
}

static enum err
erase_place(struct span key, uint64_t *when, struct item_place *at)
{
	struct rd r = rd_init(key);

	*when = rd_u64(&r);
	rd_bytes(&r, at->chat.b, ID_LEN);
	at->order = rd_u64(&r);
	at->sub = rd_u8(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
erase_read(struct step *s, const struct chat_id *chat, uint64_t position)
{
	struct rec_key prefix = rec_key(), k;
	struct span key = { NULL, 0 }, value;
	struct item_place at;
	struct client_item it;
	uint64_t when;
	enum err err;

	rec_key_u64(&prefix, UINT64_MAX);
	rec_key_id(&prefix, chat->b);
	while ((err = rec_seek(&s->r, REC_EXPIRY, rec_key_span(&prefix), key,
	    false, &key, &value)) == OK) {
		TRY(erase_place(key, &when, &at));
		if (at.order > position)
			return OK;
		TRY(rec_del(&s->r, REC_EXPIRY, key));
		err = item_get(s, &at, &it);
		if (err == ERR_NOT_FOUND)
			continue;
		TRY(err);
		if (it.expire_s == 0)
			continue;
		it.expires_at_ms = s->now + 1000ull * it.expire_s;
		k = erase_key(it.expires_at_ms, &it);
		TRY(rec_put(&s->r, REC_EXPIRY, rec_key_span(&k),
		    (struct span){ NULL, 0 }));
		TRY(item_save(s, &it));
		s->c->dirty = true;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
erase_pump(struct step *s)
{
	struct span none = { NULL, 0 }, key, value;
	struct item_place at;
	struct client_item it;
	unsigned n = 0;
	uint64_t when;
	enum err err;

	while ((err = rec_seek(&s->r, REC_EXPIRY, none, none, false, &key,
	    &value)) == OK) {
		TRY(erase_place(key, &when, &at));
		if (when == UINT64_MAX)
			return OK;
		if (when > s->now || n++ >= ERASE_STEP_MAX) {
			step_wake(s, when > s->now ? when : s->now);
			return OK;
		}
		TRY(rec_del(&s->r, REC_EXPIRY, key));
		err = item_get(s, &at, &it);
		if (err == OK && it.expire_s != 0)
			TRY(erase_item(s, &it, ITEM_HIDDEN));
		else if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
