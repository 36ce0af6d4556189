/*
 * search_pump.c: indexes a history that was there before there was an index,
 * in steps of bounded size (search.h; exports search_pump).
 *
 *	state: u8 1 under way, 2 done | chat | u8 set | u64 order | u8 sub
 */
#include "client/item.h"
#include "client/search.h"

#define PIECE_ITEMS 300u
#define PIECE_BYTES (256u * 1024)
#define STATE_LEN (1 + ID_LEN + 1 + 8 + 1)

enum { UNDER_WAY = 1, DONE = 2 };

struct pump {
	uint8_t state;
	struct chat_id chat;
	struct client_place at;
};

static enum err
pump_load(struct step *s, struct pump *p)
{
	struct rec_key key = search_state_key();
	struct span value;
	struct rd r;

	*p = (struct pump){ .state = UNDER_WAY };
	TRY(rec_get(&s->r, REC_SEARCH, rec_key_span(&key), &value));
	r = rd_init(value);
	p->state = rd_u8(&r);
	rd_bytes(&r, p->chat.b, ID_LEN);
	p->at.set = rd_u8(&r) != 0;
	p->at.order = rd_u64(&r);
	p->at.sub = rd_u8(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
pump_store(struct step *s, const struct pump *p)
{
	struct rec_key key = search_state_key();
	uint8_t mem[STATE_LEN];
	struct wr w = wr_init(mem, sizeof(mem));

	wr_u8(&w, p->state);
	wr_bytes(&w, p->chat.b, ID_LEN);
	wr_u8(&w, p->at.set);
	wr_u64(&w, p->at.order);
	wr_u8(&w, p->at.sub);
	return rec_put(&s->r, REC_SEARCH, rec_key_span(&key), wr_done(&w));
}

/* The first entry of the next chat, by the order of the records' keys. */
static enum err
next_chat(struct step *s, struct pump *p)
{
	struct rec_key from = rec_key();
	struct span none = { NULL, 0 }, key, value;
	struct rd r;

	/* Behind every key of the chat that is through; zeros at first. */
	if (!ID_IS_ZERO(p->chat)) {
		rec_key_id(&from, p->chat.b);
		rec_key_u64(&from, UINT64_MAX);
		rec_key_u8(&from, UINT8_MAX);
		rec_key_u8(&from, UINT8_MAX);
	}
	TRY(rec_seek(&s->r, REC_ITEM, none, rec_key_span(&from), false, &key,
	    &value));
	r = rd_init(key);
	rd_bytes(&r, p->chat.b, ID_LEN);
	p->at = (struct client_place){ .set = false };
	return r.bad ? ERR_FORMAT : OK;
}

static enum err
piece(struct step *s, struct pump *p)
{
	struct client_item it;
	size_t bytes = 0;
	enum err err = OK;

	if (ID_IS_ZERO(p->chat))
		err = next_chat(s, p);
	for (size_t i = 0; err == OK && i < PIECE_ITEMS &&
	    bytes < PIECE_BYTES; i++) {
		err = item_next(s, &p->chat, false, &p->at, &it);
		if (err == ERR_NOT_FOUND) {
			err = next_chat(s, p);
			continue;
		}
		if (err == OK && it.kind == ITEM_TEXT) {
			err = search_note(s, &it);
			bytes += it.text.n;
		}
	}
	if (err == ERR_NOT_FOUND) {
		p->state = DONE;
		err = OK;
	}
	return err;
}

enum err
search_pump(struct step *s)
{
	struct pump p;
	enum err err;

	if (s->c->search_done)
		return OK;
	err = pump_load(s, &p);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	/* Done is what was read: this step may not be committed. */
	s->c->search_done = err == OK && p.state == DONE;
	if (s->c->search_done)
		return OK;
	TRY(piece(s, &p));
	TRY(pump_store(s, &p));
	step_wake(s, s->now + 1);
	return OK;
}
