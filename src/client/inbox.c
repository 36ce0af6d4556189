/*
 * inbox.c: holding back, ordering, gaps.
 */
#include "client/inbox.h"

#include "client/receive.h"

#define INBOX_VERSION 1
#define INBOX_STEP_MAX 128u		/* events applied in one step */

enum { INBOX_MESSAGE = 1, INBOX_LINK = 2, INBOX_EDITED = 3 };

struct inbox_entry {
	struct chat_id chat;
	uint64_t position, prev;
	uint8_t type, tries;
	struct span json;
};

static struct rec_key
inbox_key(const struct chat_id *chat, uint64_t position)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, chat->b);
	rec_key_u64(&k, position);
	return k;
}

static enum err
inbox_save(struct step *s, const struct inbox_entry *e)
{
	struct rec_key k = inbox_key(&e->chat, e->position);
	struct wr w;

	TRY(step_wr(s, 16 + e->json.n, &w));
	wr_u8(&w, INBOX_VERSION);
	wr_u8(&w, e->type);
	wr_u8(&w, e->tries);
	wr_u64(&w, e->prev);
	wr_span(&w, e->json);
	if (!wr_ok(&w))
		return ERR_SPACE;
	return rec_put(&s->r, REC_INBOX, rec_key_span(&k), wr_done(&w));
}

static enum err
inbox_load(struct span key, struct span value, struct inbox_entry *e)
{
	struct rd r = rd_init(key);
	uint8_t version;

	rd_bytes(&r, e->chat.b, ID_LEN);
	e->position = rd_u64(&r);
	if (!rd_done(&r))
		return ERR_FORMAT;
	r = rd_init(value);
	version = rd_u8(&r);
	e->type = rd_u8(&r);
	e->tries = rd_u8(&r);
	e->prev = rd_u64(&r);
	e->json = rd_rest(&r);
	return version == INBOX_VERSION && rd_done(&r) ? OK : ERR_FORMAT;
}

/* Puts an event down, once. */
static enum err
inbox_add(struct step *s, const struct inbox_entry *e, bool *kept_out)
{
	struct rec_key k = inbox_key(&e->chat, e->position);
	struct span value;
	enum err err = rec_get(&s->r, REC_INBOX, rec_key_span(&k), &value);

	*kept_out = true;
	s->c->dirty = true;
	if (e->position > s->m.applied)
		s->m.applied = e->position;
	if (err == OK && e->type == INBOX_LINK)
		return OK;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == ERR_NOT_FOUND) {
		if (s->m.inbox_n >= CLIENT_INBOX_MAX) {
			*kept_out = false;
			return OK;
		}
		s->m.inbox_n++;
	}
	return inbox_save(s, e);
}

enum err
inbox_message(struct step *s, const struct message_rec *m, struct span json,
    bool *kept_out)
{
	struct inbox_entry e = { .chat = m->chat_id, .position = m->position,
	    .prev = m->prev, .type = INBOX_MESSAGE, .json = json };

	return inbox_add(s, &e, kept_out);
}

enum err
inbox_edited(struct step *s, const struct edited_ev *ev, struct span json,
    bool *kept_out)
{
	struct inbox_entry e = { .chat = ev->message.chat_id,
	    .position = ev->position, .prev = ev->prev,
	    .type = INBOX_EDITED, .json = json };

	return inbox_add(s, &e, kept_out);
}

enum err
inbox_link(struct step *s, const struct chat_id *chat, uint64_t position,
    uint64_t prev)
{
	struct inbox_entry e = { .chat = *chat, .position = position,
	    .prev = prev, .type = INBOX_LINK };
	bool kept;

	return inbox_add(s, &e, &kept);
}

static enum err
inbox_remove(struct step *s, const struct inbox_entry *e)
{
	struct rec_key k = inbox_key(&e->chat, e->position);

	if (s->m.inbox_n > 0)
		s->m.inbox_n--;
	return rec_del(&s->r, REC_INBOX, rec_key_span(&k));
}

/* The event was applied: the chat stands there now. */
static enum err
inbox_advance(struct step *s, const struct inbox_entry *e)
{
	struct chat c;
	enum err err = person_chat(s, &e->chat, &c);

	TRY(inbox_remove(s, e));
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (e->position <= c.head)
		return OK;
	c.head = e->position;
	return person_save_chat(s, &c);
}

/* Opens a message event; *done_out is false while it has to wait. */
static enum err
inbox_apply(struct step *s, struct inbox_entry *e, bool *done_out)
{
	struct edited_ev ev;
	enum receive_state state = RECEIVE_DONE;
	enum err err;

	*done_out = true;
	if (e->type == INBOX_LINK)
		return OK;
	/* It was decoded once before it was put down. */
	if (e->type == INBOX_EDITED)
		err = shape_decode(&shape_edited_ev, e->json, s->a, &ev, NULL);
	else
		err = shape_decode(&shape_message_rec, e->json, s->a,
		    &ev.message, NULL);
	if (err != OK)
		return OK;
	TRY(receive_message(s, &ev.message, e->position, e->tries, &state));
	if (state == RECEIVE_DONE)
		return OK;
	*done_out = false;
	if (state == RECEIVE_AGAIN && e->tries < UINT8_MAX) {
		e->tries++;
		return inbox_save(s, e);
	}
	return OK;
}

/* All that can be applied of one chat, in order. */
static enum err
inbox_pump_chat(struct step *s, const struct chat_id *chat, unsigned *left)
{
	struct rec_key prefix = rec_key();
	struct span key, value;
	struct inbox_entry e;
	struct chat c;
	bool done;
	enum err err;

	rec_key_id(&prefix, chat->b);
	while (*left > 0) {
		err = rec_seek(&s->r, REC_INBOX, rec_key_span(&prefix),
		    (struct span){ NULL, 0 }, false, &key, &value);
		if (err == ERR_NOT_FOUND)
			return OK;
		TRY(err);
		TRY(inbox_load(key, value, &e));
		err = person_chat(s, chat, &c);
		if (err == ERR_NOT_FOUND)
			c.head = 0;
		else
			TRY(err);
		if (e.prev > c.head && e.prev > s->m.cursor) {
			if (s->c->sync_at_ms == 0)
				s->c->sync_at_ms = s->now + INBOX_HOLD_MS;
			return OK;
		}
		TRY(inbox_apply(s, &e, &done));
		if (!done)
			return OK;
		TRY(inbox_advance(s, &e));
		(*left)--;
	}
	return OK;
}

enum err
inbox_pump(struct step *s)
{
	struct span from = { NULL, 0 }, key, value;
	struct rec_key k;
	struct inbox_entry e;
	unsigned left = INBOX_STEP_MAX;
	enum err err;

	if (s->m.inbox_n == 0 || !(s->m.flags & META_KEYS))
		return OK;
	while (left > 0 && (err = rec_seek(&s->r, REC_INBOX,
	    (struct span){ NULL, 0 }, from, false, &key, &value)) !=
	    ERR_NOT_FOUND) {
		TRY(err);
		TRY(inbox_load(key, value, &e));
		k = inbox_key(&e.chat, UINT64_MAX);
		from = rec_key_span(&k);
		TRY(inbox_pump_chat(s, &e.chat, &left));
	}
	if (left == 0)
		step_wake(s, s->now);	/* the rest in a step of its own */
	return OK;
}
