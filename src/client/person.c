/*
 * person.c: people, direct chats, device lists. The server only carries lists;
 * whether one is taken is decided by the account's signature and the rules of
 * succession (core/peer.h). What it cannot settle becomes a warning.
 */
#include "client/person.h"

#include "base/text.h"
#include "client/fleet.h"
#include "client/item.h"
#include "client/receive.h"
#include "client/trust.h"
#include "core/renew.h"

#define PERSON_VERSION 1
#define PERSON_LEN_MAX 256u
#define CHAT_VERSION 2
#define CHAT_VERSION_FIRST 1		/* no flags, no timer */
#define CHAT_LEN_MAX 128u
#define OLD_VIEW_MS (48ull * 3600 * 1000)
#define WARN_AGAIN_MS (24ull * 3600 * 1000)

enum err
person_load(struct step *s, const struct user_id *user, struct person *p)
{
	struct span value;
	struct rd r;
	enum err err = rec_get(&s->r, REC_PERSON, ID_SPAN(*user), &value);

	*p = (struct person){ .user = *user };
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(value);
	if (rd_u8(&r) != PERSON_VERSION)
		return ERR_VERSION;
	p->flags = rd_u32(&r);
	rd_bytes(&r, p->chat.b, ID_LEN);
	p->checked_ms = rd_u64(&r);
	p->wanted_version = rd_u64(&r);
	p->warned_ms = rd_u64(&r);
	p->stale_n = rd_u32(&r);
	p->last_online_ms = rd_u64(&r);
	p->name = rd_vec16(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
person_save(struct step *s, const struct person *p)
{
	uint8_t value[PERSON_LEN_MAX];
	struct wr w = wr_init(value, sizeof(value));

	wr_u8(&w, PERSON_VERSION);
	wr_u32(&w, p->flags);
	wr_bytes(&w, p->chat.b, ID_LEN);
	wr_u64(&w, p->checked_ms);
	wr_u64(&w, p->wanted_version);
	wr_u64(&w, p->warned_ms);
	wr_u32(&w, p->stale_n);
	wr_u64(&w, p->last_online_ms);
	wr_vec16(&w, p->name);
	if (!wr_ok(&w))
		return ERR_SPACE;
	return rec_put(&s->r, REC_PERSON, ID_SPAN(p->user), wr_done(&w));
}

/* Names are unique without regard to case; keys are in lower case. */
static struct rec_key
person_name_key(struct span name)
{
	struct rec_key k = rec_key();
	size_t i;

	for (i = 0; i < name.n && i < CLIENT_KEY_MAX; i++) {
		uint8_t c = name.p[i];

		rec_key_u8(&k, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
	}
	return k;
}

enum err
person_set_name(struct step *s, const struct user_id *user, struct span name)
{
	struct person p;
	struct rec_key k;

	if (name.n == 0 || name.n > CLIENT_NAME_MAX)
		return OK;
	TRY(person_load(s, user, &p));
	if (span_eq(p.name, name))
		return OK;
	if (p.name.n != 0) {
		k = person_name_key(p.name);
		TRY(rec_del(&s->r, REC_NAME, rec_key_span(&k)));
	}
	p.name = name;
	k = person_name_key(name);
	TRY(rec_put(&s->r, REC_NAME, rec_key_span(&k), ID_SPAN(*user)));
	return person_save(s, &p);
}

enum err
person_by_name(struct step *s, struct span name, struct user_id *out)
{
	struct rec_key k = person_name_key(name);
	struct span value;
	struct rd r;

	if (name.n == 0 || name.n > CLIENT_NAME_MAX)
		return ERR_NOT_FOUND;
	TRY(rec_get(&s->r, REC_NAME, rec_key_span(&k), &value));
	r = rd_init(value);
	rd_bytes(&r, out->b, ID_LEN);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
person_next(struct step *s, const struct user_id *after, struct person *out)
{
	struct span key, value, from = { NULL, 0 };
	struct user_id user;
	struct rd r;

	if (!ID_IS_ZERO(*after))
		from = ID_SPAN(*after);
	TRY(rec_seek(&s->r, REC_PERSON, (struct span){ NULL, 0 }, from, false,
	    &key, &value));
	r = rd_init(key);
	rd_bytes(&r, user.b, ID_LEN);
	if (!rd_done(&r))
		return ERR_FORMAT;
	return person_load(s, &user, out);
}

enum err
person_chat(struct step *s, const struct chat_id *chat, struct chat *c)
{
	struct span value;
	struct rd r;
	uint8_t version;

	TRY(rec_get(&s->r, REC_CHAT, ID_SPAN(*chat), &value));
	r = rd_init(value);
	*c = (struct chat){ .id = *chat };
	version = rd_u8(&r);
	if (version < CHAT_VERSION_FIRST || version > CHAT_VERSION)
		return ERR_VERSION;
	rd_bytes(&r, c->user.b, ID_LEN);
	c->head = rd_u64(&r);
	c->has_last = rd_u8(&r) != 0;
	rd_bytes(&r, c->last.b, ID_LEN);
	c->said_read = rd_u64(&r);
	c->pinned = rd_u8(&r) != 0;
	if (version != CHAT_VERSION_FIRST) {
		c->flags = rd_u32(&r);
		c->expire_s = rd_u32(&r);
		c->timer_position = rd_u64(&r);
		c->timer_waits = rd_u8(&r) != 0;
		rd_bytes(&r, c->timer_event.b, ID_LEN);
		c->timer_next = rd_u32(&r);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

uint32_t
person_timer(const struct chat *c)
{
	return c->timer_waits ? c->timer_next : c->expire_s;
}

enum err
person_save_chat(struct step *s, const struct chat *c)
{
	uint8_t value[CHAT_LEN_MAX];
	struct wr w = wr_init(value, sizeof(value));

	wr_u8(&w, CHAT_VERSION);
	wr_bytes(&w, c->user.b, ID_LEN);
	wr_u64(&w, c->head);
	wr_u8(&w, c->has_last);
	wr_bytes(&w, c->last.b, ID_LEN);
	wr_u64(&w, c->said_read);
	wr_u8(&w, c->pinned);
	wr_u32(&w, c->flags);
	wr_u32(&w, c->expire_s);
	wr_u64(&w, c->timer_position);
	wr_u8(&w, c->timer_waits);
	wr_bytes(&w, c->timer_event.b, ID_LEN);
	wr_u32(&w, c->timer_next);
	if (!wr_ok(&w))
		return ERR_SPACE;
	return rec_put(&s->r, REC_CHAT, ID_SPAN(c->id), wr_done(&w));
}

enum err
person_meet(struct step *s, const struct chat_id *chat,
    const struct user_id *user, struct chat *out)
{
	struct person p;
	enum err err = person_chat(s, chat, out);

	if (err == ERR_NOT_FOUND) {
		*out = (struct chat){ .id = *chat, .user = *user };
		TRY(person_save_chat(s, out));
	} else {
		TRY(err);
	}
	TRY(person_load(s, &out->user, &p));
	if (ID_IS_ZERO(p.chat)) {
		p.chat = *chat;
		TRY(person_save(s, &p));
	}
	return OK;
}

enum err
person_heard_chat(struct step *s, const struct chat_rec *rec)
{
	const struct user_id *other = NULL;
	struct chat c;
	size_t i;

	if (rec->type != CHAT_TYPE_DIRECT || !rec->has_members)
		return OK;
	for (i = 0; i < rec->members.n; i++) {
		const struct member_rec *m = &rec->members.p[i];

		TRY(person_set_name(s, &m->user_id, m->username));
		if (other == NULL || !ID_EQ(m->user_id, s->m.user))
			other = &m->user_id;
	}
	if (other == NULL)
		return OK;
	TRY(person_meet(s, &rec->chat_id, other, &c));
	/* Without a message yet: its chain begins where the chat was made. */
	if (!rec->has_last_message_at && rec->position > c.head) {
		c.head = rec->position;
		TRY(person_save_chat(s, &c));
		s->c->dirty = true;
	}
	for (i = 0; i < rec->members.n; i++) {
		const struct member_rec *m = &rec->members.p[i];
		struct client_mark mark = { .chat = rec->chat_id,
		    .user = m->user_id, .time_ms = s->now };

		mark.kind = MARK_DELIVERED;
		mark.position = m->has_delivered ? m->delivered : 0;
		TRY(item_mark(s, &mark));
		mark.kind = MARK_READ;
		mark.position = m->has_read ? m->read : 0;
		TRY(item_mark(s, &mark));
	}
	return OK;
}

enum err
person_want(struct step *s, const struct user_id *user)
{
	s->c->dirty = true;
	return rec_put(&s->r, REC_WANT, ID_SPAN(*user), (struct span){ NULL, 0 });
}

enum err
person_is_wanted(struct step *s, const struct user_id *user, bool *out)
{
	enum err err;

	*out = rec_has(&s->r, REC_WANT, ID_SPAN(*user), &err);
	return err;
}

/* Standard base64 within a query: +, / and = are escaped. */
static void
person_put_hash(struct wr *w, const uint8_t hash[static SHA256_LEN])
{
	char text[BASE64_LEN(SHA256_LEN)];
	size_t i, n = base64_encode(span_of(hash, SHA256_LEN), text);

	for (i = 0; i < n; i++) {
		if (text[i] == '+')
			wr_str(w, "%2B");
		else if (text[i] == '/')
			wr_str(w, "%2F");
		else if (text[i] == '=')
			wr_str(w, "%3D");
		else
			wr_u8(w, (uint8_t)text[i]);
	}
}

enum err
person_fetch_path(struct step *s, const struct user_id *user, struct span *out)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	char id[ID_TEXT_LEN + 1];
	const char *sep = "?known=";
	bool known;
	struct wr w;
	enum err err;
	uint8_t i;

	TRY(step_wr(s, 64 + ID_TEXT_LEN + DEVLIST_DEVICES_MAX * 64, &w));
	id_encode(user->b, id);
	wr_str(&w, "/api/users/");
	wr_str(&w, id);
	wr_str(&w, "/devices");
	err = peer == NULL ? ERR_TOO_LARGE : peer_load(&s->core, user, peer);
	for (i = 0; err == OK && i < peer->list.n; i++) {
		err = peer_has_cert(&s->core, peer->list.entries[i].cert_hash,
		    &known);
		if (err != OK || !known)
			continue;
		wr_str(&w, sep);
		person_put_hash(&w, peer->list.entries[i].cert_hash);
		sep = ",";
	}
	step_scratch_end(s, m);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	*out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_SPACE;
}

static enum err
person_warn(struct step *s, struct person *p, enum client_warning_kind kind,
    uint32_t device)
{
	if (p->warned_ms != 0 && s->now < p->warned_ms + WARN_AGAIN_MS)
		return OK;
	p->warned_ms = s->now;
	return item_warn(s, kind, &p->user, device);
}

/* Two lists of one version: evidence, to be sent to that account's devices. */
static enum err
person_conflict(struct step *s, const struct person *p, struct span list)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	uint8_t body[EVENT_VIEW_CONFLICT_LEN], hash[SHA256_LEN];
	struct wr w = wr_init(body, sizeof(body));
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, &p->user, peer);
	if (err == OK)
		err = devlist_hash(s->pv, list, hash);
	if (err == OK) {
		wr_bytes(&w, p->user.b, ID_LEN);
		wr_u64(&w, peer->list.version);
		wr_bytes(&w, peer->list_hash, SHA256_LEN);
		wr_bytes(&w, hash, SHA256_LEN);
	}
	step_scratch_end(s, m);
	TRY(err);
	return rec_put(&s->r, REC_CONFLICT, ID_SPAN(p->user), wr_done(&w));
}

/* Another account key: kept aside; taken at once unless it was verified. */
static enum err
person_changed(struct step *s, struct person *p, struct span list,
    bool *taken_out)
{
	struct arena_mark m = step_scratch(s);
	struct span known;
	bool verified;
	enum err err;

	*taken_out = false;
	err = rec_get(&s->r, REC_NEWLIST, ID_SPAN(p->user), &known);
	if (err == OK && span_eq(known, list))
		return OK;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	err = peer_is_verified(&s->core, &p->user, &verified);
	step_scratch_end(s, m);
	TRY(err);
	if (verified)
		p->flags |= PERSON_WAS_VERIFIED;
	p->flags |= PERSON_CHANGED;
	TRY(rec_put(&s->r, REC_NEWLIST, ID_SPAN(p->user), list));
	TRY(person_save(s, p));
	if (ID_EQ(p->user, s->m.user)) {
		/* Someone started this account over: these keys are out. */
		s->m.flags |= META_KEYS_MISSING;
		return item_person(s, SHOW_IDENTITY, &p->user, 0, 0, verified,
		    true);
	}
	TRY(item_person(s, SHOW_IDENTITY, &p->user, 0, 0,
	    (p->flags & PERSON_WAS_VERIFIED) != 0,
	    (p->flags & PERSON_WAS_VERIFIED) != 0));
	if (p->flags & PERSON_WAS_VERIFIED)
		return OK;
	*taken_out = true;
	err = person_accept(s, &p->user);
	TRY(person_load(s, &p->user, p));
	return err;
}

static enum err
person_show_news(struct step *s, struct person *p,
    const struct peer_news *news, uint64_t version, uint32_t devices)
{
	uint8_t i;

	p->flags &= ~(uint32_t)PERSON_NO_DEVICES;
	p->stale_n = 0;
	if (news->own_cert_forged) {
		s->m.flags |= META_RENEW;
		/* Nothing is asked for under a certificate that is gone. */
		s->m.flags &= ~(uint32_t)META_STALE;
		TRY(item_warn(s, WARN_CLONE, &p->user, s->m.device));
	}
	if (p->wanted_version > version)
		TRY(person_warn(s, p, WARN_STALE_LIST, 0));
	if (news->age != DEVLIST_FRESH)
		TRY(person_warn(s, p, WARN_LIST_EXPIRED, 0));
	if (news->changed && (news->added_n != 0 || news->removed_n != 0 ||
	    news->renewed_n != 0) && !news->first)
		TRY(item_person(s, SHOW_DEVICES, &p->user, version, devices,
		    false, false));
	TRY(person_save(s, p));
	for (i = 0; i < news->renewed_n && !news->first; i++) {
		struct address renewed = { p->user, news->renewed[i] };

		TRY(receive_ask_again(s, &renewed));
	}
	return OK;
}

/* The core's verdict on a list; a renewed account key is told. */
static enum err
person_offer(struct step *s, const struct user_id *user, struct span list,
    const struct span_list *rotations, struct peer_news *out)
{
	struct renew_news news = { .renewed = false };
	enum err err = renew_accept(&s->core, user, list, rotations != NULL ?
	    rotations->p : NULL, rotations != NULL ? rotations->n : 0, &news);

	*out = news.list;
	if (err != OK || !news.renewed)
		return err;
	TRY(fleet_renewed(s, user));
	TRY(trust_end(s, user));
	return item_person(s, SHOW_RENEWED, user, 0, 0, news.was_verified,
	    false);
}

/* A mark that an own device made for another key than this list's. */
static enum err
person_heard_trust(struct step *s, struct person *p, struct span list)
{
	bool other;

	TRY(trust_heard_list(s, &p->user, &other));
	if (!other)
		return OK;
	p->flags |= PERSON_CHANGED | PERSON_WAS_VERIFIED;
	TRY(rec_put(&s->r, REC_NEWLIST, ID_SPAN(p->user), list));
	TRY(person_save(s, p));
	return item_person(s, SHOW_IDENTITY, &p->user, 0, 0, true, true);
}

enum err
person_take_list(struct step *s, const struct user_id *user, struct span list,
    bool *taken_out)
{
	return person_take_renewed(s, user, list, NULL, taken_out);
}

/*
 * The server refused an own list: what it has is the newest again. Where ours
 * renewed the account key, that may be another manager's under the old one, or
 * ours after all (an answer was lost), and then the old key is over.
 */
static enum err
person_go_back(struct step *s, struct span list, struct peer_news *out)
{
	enum err err = renew_go_back(&s->core, list, out);

	if (err != ERR_CONFLICT && err != ERR_IDENTITY_CHANGED &&
	    err != ERR_FORBIDDEN)
		return err == OK ? trust_sign_again(s) : err;
	TRY(peer_go_back(&s->core, &s->m.user, list, out));
	return renew_done(&s->core);
}

enum err
person_take_renewed(struct step *s, const struct user_id *user,
    struct span list, const struct span_list *rotations, bool *taken_out)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct peer_news news = { .first = false };
	uint64_t version = 0;
	uint32_t devices = 0;
	struct person p;
	bool refused;
	enum err err;

	*taken_out = false;
	TRY(person_load(s, user, &p));
	if (peer == NULL)
		return ERR_TOO_LARGE;
	/* An own list was refused: what the server has is the newest again. */
	refused = ID_EQ(*user, s->m.user) && (s->m.flags & META_REFUSED);
	err = refused ? person_go_back(s, list, &news) :
	    person_offer(s, user, list, rotations, &news);
	if (err == OK && refused)
		s->m.flags &= ~(uint32_t)META_REFUSED;
	if (err == OK && (err = peer_load(&s->core, user, peer)) == OK) {
		version = peer->list.version;
		devices = peer->list.n;
	}
	step_scratch_end(s, m);
	if (step_is_fatal(err))
		return err;
	switch ((int)err) {
	case OK:
		*taken_out = true;
		TRY(person_show_news(s, &p, &news, version, devices));
		return ID_EQ(*user, s->m.user) ? fleet_check(s) :
		    person_heard_trust(s, &p, list);
	case ERR_IDENTITY_CHANGED:
		/* Renewals that may lead there come with the list alone. */
		if (rotations == NULL)
			return person_want(s, user);
		return person_changed(s, &p, list, taken_out);
	case ERR_STALE:
		/* A cache may lag once; twice in a row is told. */
		if (++p.stale_n >= 2)
			TRY(person_warn(s, &p, WARN_STALE_LIST, 0));
		return person_save(s, &p);
	case ERR_CONFLICT:
		if (s->now >= p.warned_ms + WARN_AGAIN_MS)
			TRY(person_conflict(s, &p, list));
		TRY(person_warn(s, &p, WARN_VIEW_CONFLICT, 0));
		return person_save(s, &p);
	default:
		TRY(person_warn(s, &p, WARN_LIST_REFUSED, 0));
		return person_save(s, &p);
	}
}

enum err
person_take_cert(struct step *s, const struct user_id *user, struct span cert)
{
	struct arena_mark m = step_scratch(s);
	enum err err = peer_accept_cert(&s->core, user, cert);

	step_scratch_end(s, m);
	return step_is_fatal(err) ? err : OK;
}

/*
 * It keeps no more from us than an answer of 404 does: nothing is sent. What
 * was said stays here.
 */
enum err
person_erased(struct step *s, const struct user_id *user)
{
	struct person p;

	TRY(rec_del(&s->r, REC_WANT, ID_SPAN(*user)));
	TRY(person_load(s, user, &p));
	if ((p.flags & PERSON_ERASED) || ID_EQ(*user, s->m.user))
		return OK;
	p.flags |= PERSON_GONE | PERSON_ERASED;
	p.last_online_ms = 0;
	TRY(person_save(s, &p));
	s->c->dirty = true;		/* what waits for it fails now */
	return item_person(s, SHOW_GONE, user, 0, 0, false, false);
}

enum err
person_heard_devices(struct step *s, const struct user_id *user,
    const struct user_devices_rep *rep)
{
	struct person p;
	bool taken;
	size_t i;

	TRY(rec_del(&s->r, REC_WANT, ID_SPAN(*user)));
	s->c->dirty = true;
	if (ID_EQ(*user, s->m.user))
		TRY(fleet_heard_devices(s, rep));
	if (rep->has_list) {
		TRY(person_take_renewed(s, user, rep->list, &rep->rotations,
		    &taken));
		for (i = 0; taken && i < rep->certs.n; i++)
			TRY(person_take_cert(s, user, rep->certs.p[i]));
	}
	TRY(person_load(s, user, &p));
	if (!(p.flags & PERSON_ERASED))
		p.flags &= ~(uint32_t)PERSON_GONE;
	if (!rep->has_list)
		p.flags |= PERSON_NO_DEVICES;
	p.checked_ms = s->now;
	return person_save(s, &p);
}

enum err
person_accept(struct step *s, const struct user_id *user)
{
	struct arena_mark m = step_scratch(s);
	struct peer_news news;
	struct span list;
	struct person p;
	enum err err;

	TRY(rec_get(&s->r, REC_NEWLIST, ID_SPAN(*user), &list));
	err = peer_accept_identity(&s->core, user, list, &news);
	step_scratch_end(s, m);
	TRY(err);
	TRY(trust_end(s, user));
	TRY(rec_del(&s->r, REC_NEWLIST, ID_SPAN(*user)));
	TRY(person_load(s, user, &p));
	p.flags &= ~(uint32_t)(PERSON_CHANGED | PERSON_WAS_VERIFIED);
	p.stale_n = 0;
	p.checked_ms = 0;
	TRY(person_save(s, &p));
	/* Its certificates are still to be fetched. */
	return person_want(s, user);
}

enum err
person_heard_view(struct step *s, const struct address *from,
    const struct event *e, bool *conflict_out)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct rd r = rd_init(SPAN_OF(e->view));
	uint64_t theirs = rd_u64(&r), ours = rd_u64(&r), known = 0, own = 0;
	enum view_verdict verdict = VIEW_SAME;
	struct person p;
	enum err err;

	*conflict_out = false;
	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_check_view(&s->core, &from->account, e->view, &verdict);
	if (err == OK && (err = peer_load(&s->core, &from->account,
	    peer)) == OK)
		known = peer->list.version;
	if (err == OK && (err = peer_load(&s->core, &s->m.user, peer)) == OK)
		own = peer->list.version;
	step_scratch_end(s, m);
	if (err != OK)
		return step_is_fatal(err) ? err : OK;
	TRY(person_load(s, &from->account, &p));
	if (verdict == VIEW_CONFLICT) {
		*conflict_out = true;
		TRY(person_warn(s, &p, WARN_VIEW_CONFLICT, from->device));
	}
	if (theirs > known) {
		p.wanted_version = theirs;
		TRY(person_want(s, &from->account));
	}
	if (ours > own)
		TRY(person_want(s, &s->m.user));
	if (ours < own && s->m.published_ms != 0 &&
	    e->time_ms > s->m.published_ms + OLD_VIEW_MS)
		TRY(person_warn(s, &p, WARN_OLD_VIEW, from->device));
	return person_save(s, &p);
}
