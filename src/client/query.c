/*
 * query.c: what hosts ask to show. Each query reads the records as they stand,
 * through a step whose changes are dropped.
 */
#include "client/client.h"

#include "client/arcin.h"
#include "client/arcout.h"
#include "client/fleet.h"
#include "client/item.h"
#include "client/person.h"
#include "client/setup.h"

#define UNREAD_MAX 1000u

/* A step for reading; its clock does not matter. */
static enum err
query_begin(struct client *c, struct arena *a, bool core, struct step **out)
{
	*out = ARENA_NEW(a, struct step);
	if (*out == NULL)
		return ERR_TOO_LARGE;
	return step_init(*out, c, a, 0, core);
}

static enum err
query_own_list(struct step *s, struct client_status *out)
{
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct span key = { NULL, 0 }, value;
	struct rec_key prefix = rec_key();
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, &s->m.user, peer);
	if (err == OK) {
		out->list_version = peer->list.version;
		out->list_expires_ms = peer->list.expires_ms;
		out->devices = peer->list.n;
	} else if (err != ERR_NOT_FOUND) {
		return err;
	}
	rec_key_u32(&prefix, s->m.batch);
	while ((err = rec_seek(&s->r, RECORD_OTP, rec_key_span(&prefix), key,
	    false, &key, &value)) == OK)
		out->prekeys_left++;
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
query_keyring(struct step *s, struct client_status *out)
{
	struct span none = { NULL, 0 };
	uint8_t link = ARCOUT_LINK;
	enum err err;

	out->revoked = (s->m.flags & META_REVOKED) != 0;
	out->renew_due = (s->m.flags & META_RENEW_DUE) != 0;
	out->history_in = arcin_is_open(s);
	out->history_out = rec_has(&s->r, REC_OUTGOING, span_of(&link, 1),
	    &err);
	out->restoring = rec_has(&s->r, REC_RESTORE, none, &err);
}

enum err
client_status(struct client *c, struct arena *a, struct client_status *out)
{
	struct step *s;
	enum err err;

	*out = (struct client_status){ .device = 0 };
	TRY(query_begin(c, a, true, &s));
	out->signed_in = (s->m.flags & META_SIGNED_IN) != 0;
	out->keys_missing = (s->m.flags & META_KEYS_MISSING) != 0;
	out->user = s->m.user;
	out->name = s->m.name;
	out->device = s->m.device;
	out->cursor = s->m.cursor;
	out->generation = s->m.generation;
	out->outbox_n = s->m.out_n;
	out->inbox_n = s->m.inbox_n;
	out->batch_ms = s->m.batch_ms;
	query_keyring(s, out);
	err = setup_is_done(s, &out->ready);
	if (err == OK)
		err = query_own_list(s, out);
	step_fini(s);
	return err;
}

enum err
client_tokens(struct client *c, struct arena *a, struct span *access_out,
    struct span *refresh_out)
{
	struct step *s;
	enum err err = OK;

	TRY(query_begin(c, a, false, &s));
	if (s->m.flags & META_SIGNED_IN) {
		*access_out = s->m.access;
		*refresh_out = s->m.refresh;
	} else {
		err = ERR_NOT_FOUND;
	}
	step_fini(s);
	return err;
}

static enum err
query_person(struct step *s, const struct user_id *user,
    struct client_person *out)
{
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct person p;
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	TRY(person_load(s, user, &p));
	*out = (struct client_person){ .user = *user, .name = p.name,
	    .chat = p.chat };
	out->identity_changed = (p.flags & PERSON_CHANGED) != 0;
	out->blocked = (p.flags & PERSON_WAS_VERIFIED) != 0;
	out->blocked_by_me = (p.flags & PERSON_BLOCKED) != 0;
	out->erased = (p.flags & PERSON_ERASED) != 0;
	out->last_seen_ms = p.last_online_ms;
	err = peer_load(&s->core, user, peer);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	out->version = peer->list.version;
	out->expires_ms = peer->list.expires_ms;
	out->devices = peer->list.n;
	TRY(peer_is_verified(&s->core, user, &out->verified));
	/* Of the key before: of this one nothing was compared. */
	if (out->identity_changed)
		out->verified = false;
	return OK;
}

enum err
client_person(struct client *c, struct arena *a, const struct user_id *user,
    struct client_person *out)
{
	struct span value;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, true, &s));
	err = rec_get(&s->r, REC_PERSON, ID_SPAN(*user), &value);
	if (err == OK)
		err = query_person(s, user, out);
	step_fini(s);
	return err;
}

enum err
client_person_next(struct client *c, struct arena *a, struct user_id *after,
    struct client_person *out)
{
	struct person p;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, true, &s));
	err = person_next(s, after, &p);
	if (err == OK)
		err = query_person(s, &p.user, out);
	if (err == OK)
		*after = p.user;
	step_fini(s);
	return err;
}

enum err
client_person_by_name(struct client *c, struct arena *a, struct span name,
    struct client_person *out)
{
	struct user_id user;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, true, &s));
	err = person_by_name(s, name, &user);
	if (err == OK)
		err = query_person(s, &user, out);
	step_fini(s);
	return err;
}

enum err
client_person_by_chat(struct client *c, struct arena *a,
    const struct chat_id *chat, struct client_person *out)
{
	struct chat ch;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, true, &s));
	err = person_chat(s, chat, &ch);
	if (err == OK)
		err = query_person(s, &ch.user, out);
	step_fini(s);
	return err;
}

static enum err
query_device(struct step *s, const struct user_id *user,
    const struct devlist_entry *e, struct client_device *out)
{
	struct arena_mark m = step_scratch(s);
	struct address with = { *user, e->device };
	struct cert *cert = ARENA_NEW(&s->scratch, struct cert);
	struct sessions_info info = { .exists = false };
	enum err err;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	*out = (struct client_device){ .device = e->device,
	    .flags = e->flags };
	memcpy(out->fingerprint, e->cert_hash, SHA256_LEN);
	out->own = ID_EQ(*user, s->m.user) && e->device == s->m.device;
	err = peer_load_cert(&s->core, e->cert_hash, cert);
	if (err == OK)
		out->created_ms = cert->created_ms;
	if ((err == OK || err == ERR_NOT_FOUND) && !out->own)
		err = sessions_info(&s->core, &with, &info);
	step_scratch_end(s, m);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	out->has_session = info.exists;
	out->pq_auth = (uint8_t)info.pq_auth;
	out->epoch = info.epoch;
	out->turns = info.turns;
	out->sent = info.sent;
	out->received = info.received;
	out->since_ms = info.created_ms;
	out->mixed_ms = info.last_mix_ms;
	if (!ID_EQ(*user, s->m.user))
		return OK;
	err = fleet_name(s, e->device, &out->name, &out->active_ms);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
query_devices(struct step *s, const struct user_id *user,
    struct client_device *out, size_t *n_out)
{
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	uint8_t i;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	TRY(peer_load(&s->core, user, peer));
	for (i = 0; i < peer->list.n; i++)
		TRY(query_device(s, user, &peer->list.entries[i], &out[i]));
	*n_out = peer->list.n;
	return OK;
}

enum err
client_devices(struct client *c, struct arena *a, const struct user_id *user,
    struct client_device *out, size_t *n_out)
{
	struct step *s;
	enum err err;

	_Static_assert(CLIENT_DEVICES_MAX == DEVLIST_DEVICES_MAX,
	    "the list's own limit");
	*n_out = 0;
	TRY(query_begin(c, a, true, &s));
	err = query_devices(s, user, out, n_out);
	step_fini(s);
	return err;
}

enum err
client_safety(struct client *c, struct arena *a, const struct user_id *user,
    char out[static CLIENT_SAFETY_LEN + 1])
{
	struct peer_safety safety;
	struct step *s;
	size_t i, n = 0;
	enum err err;

	_Static_assert(CLIENT_SAFETY_LEN == SAFETY_DIGITS +
	    SAFETY_DIGITS / 5 - 1, "twelve groups and the spaces between");
	out[0] = '\0';
	TRY(query_begin(c, a, true, &s));
	err = peer_safety(&s->core, user, &safety);
	for (i = 0; err == OK && i < SAFETY_DIGITS; i++) {
		if (i != 0 && i % 5 == 0)
			out[n++] = ' ';
		out[n++] = safety.number[i];
		out[n] = '\0';
	}
	step_fini(s);
	return err;
}

static enum err
query_chat(struct step *s, const struct chat_id *id, struct client_chat *out)
{
	struct client_place at = { .set = false };
	struct client_item it;
	struct person p;
	struct chat c;
	enum err err;

	TRY(person_chat(s, id, &c));
	*out = (struct client_chat){ .chat = *id, .user = c.user,
	    .head = c.head, .flags = c.flags, .expire_s = person_timer(&c),
	    .said = c.said_read };
	TRY(person_load(s, &c.user, &p));
	out->blocked = (p.flags & PERSON_BLOCKED) != 0;
	err = rec_get(&s->r, REC_DRAFT, ID_SPAN(c.user), &out->draft);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	TRY(item_marked(s, id, &s->m.user, MARK_READ, &out->read));
	err = OK;
	while (out->unread_n < UNREAD_MAX && (err = item_next(s, id, true,
	    &at, &it)) == OK) {
		if (out->last_ms == 0)
			out->last_ms = it.server_ms != 0 ? it.server_ms :
			    it.sender_ms;
		if (it.position != 0 && it.position <= out->read)
			break;
		if (it.kind == ITEM_TEXT && it.state == STATE_RECEIVED &&
		    !ID_EQ(it.sender, s->m.user)) {
			out->unread_n++;
			out->mentions_n += (it.flags & ITEM_MENTIONS_ME) != 0;
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
client_chat_next(struct client *c, struct arena *a, struct chat_id *after,
    struct client_chat *out)
{
	struct span key, value, from = { NULL, 0 };
	struct chat_id id;
	struct step *s;
	struct rd r;
	enum err err;

	TRY(query_begin(c, a, false, &s));
	if (!ID_IS_ZERO(*after))
		from = ID_SPAN(*after);
	err = rec_seek(&s->r, REC_CHAT, (struct span){ NULL, 0 }, from, false,
	    &key, &value);
	if (err == OK) {
		r = rd_init(key);
		rd_bytes(&r, id.b, ID_LEN);
		err = query_chat(s, &id, out);
	}
	if (err == OK)
		*after = id;
	step_fini(s);
	return err;
}

enum err
client_chat(struct client *c, struct arena *a, const struct chat_id *chat,
    struct client_chat *out)
{
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, false, &s));
	err = query_chat(s, chat, out);
	step_fini(s);
	return err;
}

enum err
client_history_next(struct client *c, struct arena *a,
    const struct chat_id *chat, bool back, struct client_place *at,
    struct client_item *out)
{
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, false, &s));
	err = item_next(s, chat, back, at, out);
	step_fini(s);
	return err;
}

enum err
client_item(struct client *c, struct arena *a, const struct user_id *sender,
    const struct event_id *event, struct client_item *out)
{
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, false, &s));
	err = item_find(s, sender, event, out);
	step_fini(s);
	return err;
}

enum err
client_journal_next(struct client *c, struct arena *a, uint64_t *seq,
    struct client_show *out)
{
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, false, &s));
	err = item_journal(s, seq, out);
	step_fini(s);
	return err;
}

enum err
client_journal_last(struct client *c, struct arena *a, uint64_t *seq_out)
{
	struct step *s;

	TRY(query_begin(c, a, false, &s));
	*seq_out = s->m.journal;
	step_fini(s);
	return OK;
}

const char *
client_item_kind_name(enum client_item_kind k)
{
	switch (k) {
	case ITEM_TEXT:
		return "text";
	case ITEM_REFUSED:
		return "refused";
	case ITEM_GAP:
		return "gap";
	case ITEM_OTHER:
		return "other";
	case ITEM_REMOVED:
		return "removed";
	case ITEM_DELETED:
		return "deleted";
	case ITEM_HIDDEN:
		return "hidden";
	case ITEM_TIMER:
		return "timer";
	}
	return "unknown";
}

const char *
client_item_state_name(enum client_item_state state)
{
	switch (state) {
	case STATE_RECEIVED:
		return "received";
	case STATE_WAITING:
		return "waiting";
	case STATE_SENT:
		return "sent";
	case STATE_FAILED:
		return "failed";
	}
	return "unknown";
}

const char *
client_warning_name(enum client_warning_kind k)
{
	switch (k) {
	case WARN_VIEW_CONFLICT:
		return "view_conflict";
	case WARN_STALE_LIST:
		return "stale_list";
	case WARN_OLD_VIEW:
		return "old_view";
	case WARN_LIST_EXPIRED:
		return "list_expired";
	case WARN_CLONE:
		return "clone";
	case WARN_ROLLBACK:
		return "rollback";
	case WARN_REPAIR:
		return "repair";
	case WARN_PREKEYS_DRAINED:
		return "prekeys_drained";
	case WARN_LIST_REFUSED:
		return "list_refused";
	}
	return "unknown";
}
