/*
 * seal.c: encryption of an outbox entry, in the order of docs/protocol.md:
 * the signed device lists say for whom, the event is encrypted once, its key
 * is sealed for each device. Stopping anywhere (a list or a bundle is missing)
 * keeps what is done; going on adds what is missing for the same ciphertext.
 */
#include "client/outbox.h"

#include "base/text.h"
#include "wire/json.h"

/* Bundles asked for a device without result: then wait longer. */
#define SEAL_BUNDLE_WAIT_MS 5000u
#define SEAL_BUNDLE_TRIES 100u
#define SENT_KEEP_MS RETRY_MS

/* For whom: filled from the signed lists. */
struct seal_set {
	uint8_t n;
	struct {
		struct address to;
		uint8_t cert_hash[SHA256_LEN];
	} d[OUTBOX_ENTRIES_MAX];
};

/* The list of user, when it may be sent by; else why not. */
static enum err
seal_load_list(struct step *s, const struct user_id *user,
    struct peer *peer, enum seal_state *state, enum err *cause)
{
	struct person p;
	bool wanted;
	enum err err;

	*state = SEAL_WAIT;
	TRY(person_load(s, user, &p));
	TRY(person_is_wanted(s, user, &wanted));
	if (wanted)
		return OK;
	if ((p.flags & PERSON_GONE) && !(p.flags & PERSON_ERASED) &&
	    s->now >= p.checked_ms + PERSON_GONE_MS)
		return person_want(s, user);
	if (p.flags & PERSON_GONE) {
		*state = SEAL_FAILED;
		*cause = ERR_NOT_FOUND;
		return OK;
	}
	/* A changed identity that was verified: sending waits for the user. */
	if (p.flags & PERSON_CHANGED)
		return OK;
	if (s->now >= p.checked_ms + PERSON_FRESH_MS)
		return person_want(s, user);
	if (p.flags & PERSON_NO_DEVICES) {
		*state = SEAL_FAILED;
		*cause = ERR_NO_KEY;
		return OK;
	}
	err = peer_load(&s->core, user, peer);
	if (err == ERR_NOT_FOUND) {
		/* Looked at, and nothing acceptable was there. */
		*state = SEAL_FAILED;
		*cause = ERR_UNTRUSTED;
		return OK;
	}
	TRY(err);
	if (devlist_age(&peer->list, s->now) == DEVLIST_DEAD) {
		*state = SEAL_FAILED;
		*cause = ERR_EXPIRED;
		return OK;
	}
	*state = SEAL_READY;
	return OK;
}

/* Adds the devices of a list, but for this one. */
static void
seal_add_list(const struct step *s, const struct peer *peer,
    const struct address *only, struct seal_set *set)
{
	uint8_t i;

	for (i = 0; i < peer->list.n && set->n < OUTBOX_ENTRIES_MAX; i++) {
		const struct devlist_entry *e = &peer->list.entries[i];

		if (ID_EQ(peer->list.account, s->m.user) &&
		    e->device == s->m.device)
			continue;
		if (only != NULL && e->device != only->device)
			continue;
		set->d[set->n].to.account = peer->list.account;
		set->d[set->n].to.device = e->device;
		memcpy(set->d[set->n].cert_hash, e->cert_hash, SHA256_LEN);
		set->n++;
	}
}

static enum err
seal_find_devices(struct step *s, const struct out *o, struct seal_set *set,
    enum seal_state *state, enum err *cause)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	bool control = o->only.device != 0;
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	set->n = 0;
	err = seal_load_list(s, control ? &o->only.account : &o->user, peer,
	    state, cause);
	if (err == OK && *state == SEAL_READY)
		seal_add_list(s, peer, control ? &o->only : NULL, set);
	if (err == OK && *state == SEAL_READY && !control &&
	    !ID_EQ(o->user, s->m.user)) {
		err = seal_load_list(s, &s->m.user, peer, state, cause);
		if (err == OK && *state == SEAL_READY)
			seal_add_list(s, peer, NULL, set);
	}
	step_scratch_end(s, m);
	/* A note to oneself needs no other device: it stays here, and goes to
	 * a later one with the history. */
	if (err == OK && *state == SEAL_READY && set->n == 0 &&
	    (control || !ID_EQ(o->user, s->m.user))) {
		/* Nobody to read it: a device that is gone. */
		*state = SEAL_FAILED;
		*cause = ERR_NO_SESSION;
	}
	return err;
}

/* Keeps the record of an own event as long as it may be asked for. */
static enum err
seal_keep(struct step *s, const struct out *o, struct span record)
{
	struct wr w;

	TRY(step_wr(s, 8 + record.n, &w));
	wr_u64(&w, s->now);
	wr_span(&w, record);
	return rec_put(&s->r, REC_SENT, ID_SPAN(o->event), wr_done(&w));
}

enum err
seal_kept(struct step *s, const struct event_id *event, struct span *record_out)
{
	struct span value;
	struct rd r;

	TRY(rec_get(&s->r, REC_SENT, ID_SPAN(*event), &value));
	r = rd_init(value);
	if (s->now >= rd_u64(&r) + SENT_KEEP_MS)
		return ERR_NOT_FOUND;
	*record_out = rd_rest(&r);
	return OK;
}

/* An edit goes on from the text that it replaces. */
static enum err
seal_edit(struct step *s, struct out *o, struct event *e)
{
	struct client_item it;

	TRY(item_find(s, &s->m.user, &o->target, &it));
	o->edit_number = e->edit_number = it.edit_number + 1;
	memcpy(o->history, it.history, EVENT_HISTORY_LEN);
	memcpy(e->history, it.history, EVENT_HISTORY_LEN);
	e->has |= EVENT_HAS_EDIT | EVENT_HAS_HISTORY;
	return OK;
}

/* What it is about, and for how long. */
static enum err
seal_fields(struct step *s, struct out *o, struct event *e)
{
	size_t at;
	struct wr w;

	if (o->body.n != 0) {
		e->has |= EVENT_HAS_BODY;
		e->body = o->body;
	}
	if (!ID_IS_ZERO(o->target)) {
		e->has |= EVENT_HAS_TARGET;
		e->target = o->target;
	}
	if (o->expire_s != 0 || o->kind == EVENT_TIMER) {
		e->has |= EVENT_HAS_EXPIRE;
		e->expire_s = o->expire_s;
	}
	if (!ID_IS_ZERO(o->reply_to.event)) {
		e->has |= EVENT_HAS_REPLY | EVENT_HAS_REPLY_AUTHOR;
		e->reply_to = o->reply_to.event;
		e->reply_author = o->reply_to.sender;
	}
	if (o->mentions.n == 0)
		return OK;
	TRY(step_wr(s, o->mentions.n / ID_LEN * (2 + ID_LEN), &w));
	for (at = 0; at < o->mentions.n; at += ID_LEN)
		wr_vec16(&w, span_sub(o->mentions, at, ID_LEN));
	e->has |= EVENT_HAS_MENTIONS;
	e->mentions = wr_done(&w);
	return OK;
}

/* The event itself, as it will be encrypted. */
static enum err
seal_event(struct step *s, struct out *o, struct event *e)
{
	struct arena_mark m = step_scratch(s);
	struct chat c;
	enum err err;

	*e = (struct event){ .kind = o->kind, .id = o->event,
	    .time_ms = o->time_ms };
	TRY(seal_fields(s, o, e));
	if (o->kind == EVENT_EDIT)
		TRY(seal_edit(s, o, e));
	TRY(content_conv_direct(s->pv, &s->m.user, &o->user, &e->conv));
	err = peer_view(&s->core, &o->user, e->view);
	step_scratch_end(s, m);
	if (err == OK)
		e->has |= EVENT_HAS_VIEW;
	else if (err != ERR_NOT_FOUND)
		return err;
	if (!event_is_chained(o->kind) || o->only.device != 0)
		return OK;
	err = person_chat(s, &o->chat, &c);
	if (err == OK && c.has_last) {
		e->has |= EVENT_HAS_PREV;
		e->prev = c.last;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
seal_content(struct step *s, struct out *o)
{
	struct content_place place = { .is_group = false };
	struct content_sender from = { s->m.user, s->m.device };
	struct event e;
	struct wr record, c;

	TRY(seal_event(s, o, &e));
	place.conv = e.conv;
	TRY(step_wr(s, EVENT_LEN_MAX, &record));
	TRY(event_encode(&e, &record));
	TRY(step_wr(s, CONTENT_LEN_MAX, &c));
	TRY(content_seal(s->pv, &place, &from, wr_done(&record), &c, &o->env,
	    o->nonce));
	o->c = wr_done(&c);
	return o->only.device == 0 ? seal_keep(s, o, wr_done(&record)) : OK;
}

/* Drops entries that the lists no longer have with that certificate. */
static void
seal_drop_old(struct out *o, const struct seal_set *set)
{
	uint8_t i, j, n = 0;

	for (i = 0; i < o->n; i++) {
		for (j = 0; j < set->n; j++)
			if (address_eq(&o->entries[i].to, &set->d[j].to) &&
			    memcmp(o->entries[i].cert_hash,
			    set->d[j].cert_hash, SHA256_LEN) == 0)
				break;
		if (j < set->n)
			o->entries[n++] = o->entries[i];
	}
	o->n = n;
}

static bool
seal_has(const struct out *o, const struct address *to)
{
	uint8_t i;

	for (i = 0; i < o->n; i++)
		if (address_eq(&o->entries[i].to, to))
			return true;
	return false;
}

/* A reset goes on the old session, everything else on the present one. */
static enum err
seal_one(struct step *s, struct out *o, const struct address *to,
    struct span *out)
{
	struct sessions_reset reset;

	if (o->kind != EVENT_SESSION_RESET)
		return sessions_seal(&s->core, to, SPAN_OF(o->env.b), out,
		    NULL);
	TRY(sessions_reset_due(&s->core, to, &reset));
	if (!reset.due)
		return ERR_STALE;
	return sessions_seal_reset(&s->core, to, &reset, SPAN_OF(o->env.b),
	    out);
}

/* Seals the envelope for one device. ERR_NO_SESSION: a bundle is needed. */
static enum err
seal_add(struct step *s, struct out *o, const struct address *to,
    const uint8_t cert_hash[static SHA256_LEN])
{
	struct arena_mark m = step_scratch(s);
	struct out_entry *e = &o->entries[o->n];
	struct span sealed = { NULL, 0 };
	enum err err;

	err = seal_one(s, o, to, &sealed);
	if (err == OK)
		err = arena_dup(s->a, sealed, &e->bytes);
	if (err == OK && o->only.device == 0)
		err = retry_sent(&s->core, &o->event, to);
	step_scratch_end(s, m);
	TRY(err);
	e->to = *to;
	memcpy(e->cert_hash, cert_hash, SHA256_LEN);
	o->n++;
	return OK;
}

/* Asks for bundles of those devices of one account. */
static enum err
seal_fetch(struct step *s, struct out *o, const struct user_id *user,
    const struct address *lack, size_t lack_n)
{
	struct prekey_bundles_req req = { .has_device_ids = true };
	struct call_new n = { .what = CALL_BUNDLES, .method = "POST",
	    .user = *user };
	uint32_t ids[OUTBOX_ENTRIES_MAX];
	bool made;
	struct wr w;
	size_t i;

	req.device_ids.p = ids;
	for (i = 0; i < lack_n; i++)
		if (ID_EQ(lack[i].account, *user))
			ids[req.device_ids.n++] = lack[i].device;
	if (req.device_ids.n == 0)
		return OK;
	/* `id` is in the path and must not be in the body as well. */
	TRY(step_wr(s, 32 + 12 * OUTBOX_ENTRIES_MAX, &w));
	wr_str(&w, "{\"deviceIds\":[");
	for (i = 0; i < req.device_ids.n; i++) {
		if (i != 0)
			wr_str(&w, ",");
		json_put_u64(&w, ids[i]);
	}
	wr_str(&w, "]}");
	n.body = wr_done(&w);
	TRY(call_path(s, "/api/users/", user->b, "/prekey-bundles", &n.path));
	TRY(call_make(s, &n, &made));
	if (made) {
		o->fetched++;
		o->next_ms = o->fetched < 2 ? 0 : s->now + SEAL_BUNDLE_WAIT_MS;
		TRY(outrec_save(s, o));
	}
	return OK;
}

/* Seals for all of the set; *lack gets those that have no session. */
static enum err
seal_all(struct step *s, struct out *o, const struct seal_set *set,
    struct address *lack, size_t *lack_n, enum err *cause)
{
	enum err err;
	uint8_t i;

	*lack_n = 0;
	*cause = OK;
	for (i = 0; i < set->n; i++) {
		if (seal_has(o, &set->d[i].to))
			continue;
		err = o->fresh ? ERR_NO_SESSION : seal_add(s, o,
		    &set->d[i].to, set->d[i].cert_hash);
		if (step_is_fatal(err))
			return err;
		if (err == ERR_NO_SESSION || err == ERR_NOT_FOUND)
			lack[(*lack_n)++] = set->d[i].to;
		else if (err != OK)
			*cause = err;
	}
	return OK;
}

enum err
seal_prepare(struct step *s, struct out *o, enum seal_state *state,
    enum err *cause)
{
	struct address lack[OUTBOX_ENTRIES_MAX];
	struct seal_set set;
	size_t lack_n;
	enum err err;

	TRY(seal_find_devices(s, o, &set, state, cause));
	if (*state != SEAL_READY)
		return OK;
	if (o->c.n == 0) {
		err = seal_content(s, o);
		if (step_is_fatal(err))
			return err;
		if (err != OK) {
			*state = SEAL_FAILED;
			*cause = err;
			return OK;
		}
	}
	seal_drop_old(o, &set);
	TRY(seal_all(s, o, &set, lack, &lack_n, cause));
	TRY(outrec_save(s, o));
	if (*cause != OK || (lack_n != 0 && o->fetched >= SEAL_BUNDLE_TRIES)) {
		*state = SEAL_FAILED;
		if (*cause == OK)
			*cause = ERR_NO_SESSION;
		return OK;
	}
	if (lack_n == 0)
		return OK;
	*state = SEAL_WAIT;
	/* Farther ahead it was never set: the clock went back. */
	if (s->now < o->next_ms && o->next_ms - s->now <=
	    SEAL_BUNDLE_WAIT_MS) {
		step_wake(s, o->next_ms);
		return OK;
	}
	TRY(seal_fetch(s, o, o->only.device != 0 ? &o->only.account : &o->user,
	    lack, lack_n));
	if (o->only.device == 0 && !ID_EQ(o->user, s->m.user))
		TRY(seal_fetch(s, o, &s->m.user, lack, lack_n));
	return OK;
}

/* base64 of bytes, in the arena. */
static enum err
seal_b64(struct step *s, struct span bytes, struct span *out)
{
	uint8_t *p = arena_bytes(s->a, BASE64_LEN(bytes.n));

	if (p == NULL)
		return ERR_TOO_LARGE;
	*out = span_of(p, base64_encode(bytes, (char *)p));
	return OK;
}

/* One-time value of an attempt. */
static enum err
seal_nonce(struct step *s, struct span *out)
{
	uint8_t random[16], *text = arena_bytes(s->a, 2 * sizeof(random));

	if (text == NULL)
		return ERR_TOO_LARGE;
	TRY(s->pv->random(s->pv->ctx, random, sizeof(random)));
	hex_encode(SPAN_OF(random), (char *)text);
	*out = span_of(text, 2 * sizeof(random));
	return OK;
}

/* The map of entries, in the arena. */
static enum err
seal_pairs(struct step *s, const struct out *o, struct shape_pair **out)
{
	struct shape_pair *pairs = arena_alloc(s->a,
	    (o->n + 1u) * sizeof(*pairs));
	uint8_t i;

	if (pairs == NULL)
		return ERR_TOO_LARGE;
	for (i = 0; i < o->n; i++) {
		const struct out_entry *e = &o->entries[i];
		char *name = arena_alloc(s->a, SHAPE_ADDRESS_MAX);

		if (name == NULL)
			return ERR_TOO_LARGE;
		pairs[i].name = span_of(name, shape_address_encode(
		    &e->to.account, e->to.device, name));
		TRY(seal_b64(s, e->bytes, &pairs[i].value));
	}
	*out = pairs;
	return OK;
}

static enum err
seal_json_edit(struct step *s, const struct out *o, struct span *out)
{
	struct msg_edit_req req = { .message_id = o->about,
	    .has_encrypted_keys = true, .has_iv = true,
	    .has_client_message_id = true, .client_message_id = o->event,
	    .has_sent_at = !s->c->clock_wrong, .sent_at = s->now,
	    .has_nonce = true };
	struct shape_pair *pairs;

	TRY(seal_pairs(s, o, &pairs));
	req.encrypted_keys.p = pairs;
	req.encrypted_keys.n = o->n;
	TRY(seal_b64(s, o->c, &req.encrypted_content));
	TRY(seal_b64(s, SPAN_OF(o->nonce), &req.iv));
	TRY(seal_nonce(s, &req.nonce));
	return step_json(s, &shape_msg_edit_req, &req, out);
}

enum err
seal_json(struct step *s, const struct out *o, struct span *out)
{
	struct msg_send_req req = { .has_chat_id = true, .chat_id = o->chat,
	    .has_suite = true, .suite = MSG_SUITE_RATCHET,
	    .has_encrypted_keys = true, .has_iv = true,
	    .has_message_type = true, .has_client_message_id = true,
	    .client_message_id = o->event,
	    .has_sent_at = !s->c->clock_wrong, .sent_at = s->now,
	    .has_nonce = true };
	struct shape_pair *pairs;

	if (o->kind == EVENT_EDIT && o->only.device == 0)
		return seal_json_edit(s, o, out);
	TRY(seal_pairs(s, o, &pairs));
	req.encrypted_keys.p = pairs;
	req.encrypted_keys.n = o->n;
	req.message_type = o->only.device != 0 || o->kind != EVENT_TEXT ?
	    MSG_TYPE_EVENT : MSG_TYPE_TEXT;
	if (o->only.device == 0 && o->kind != EVENT_TEXT) {
		/* For all devices: it says what it is about, the message or,
		 * where the server has no name for that, the chat. */
		req.has_metadata = req.metadata.has_relates_to = true;
		memcpy(req.metadata.relates_to.b, ID_IS_ZERO(o->about) ?
		    o->chat.b : o->about.b, ID_LEN);
	}
	TRY(seal_b64(s, o->c, &req.encrypted_content));
	TRY(seal_b64(s, SPAN_OF(o->nonce), &req.iv));
	TRY(seal_nonce(s, &req.nonce));
	return step_json(s, &shape_msg_send_req, &req, out);
}
