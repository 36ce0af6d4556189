/*
 * link.c: connection and catch-up. The cursor of this device moves only to
 * what an answer of `sync` vouches for as complete; what came live before that
 * is known by its event ids when it comes again.
 * What is said on the connection stands in linksay.c.
 */
#include "client/link.h"

#include "client/prefs.h"
#include "client/setting.h"
#include "client/trust.h"
#include "wire/json.h"

#define SILENCE_MS (5 * 60 * 1000u)
#define RECEIVED_FIRST_MS 200u
#define CATCH_UP_MS 3000u
#define SYNC_AGAIN_MS 2000u
/* A page: the server ends it at its own limit of bytes, if that is less. */
#define SYNC_LIMIT "1000"
/* A connection that is never silent has what came vouched for now and then. */
#define CURSOR_MS (15 * 60 * 1000u)

static enum err
link_show(struct step *s, bool up, bool caught_up)
{
	struct client_show *show = step_show(s, SHOW_LINK, 0);

	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.link.up = up;
	show->u.link.caught_up = caught_up;
	return OK;
}

enum err
link_up(struct step *s)
{
	s->c->up = true;
	s->c->connecting = false;
	s->c->acknowledged = false;
	s->c->heard_ms = s->now;
	return OK;
}

/* Waits for the next attempt; a token that was refused is renewed first. */
enum err
link_down(struct step *s, struct span code)
{
	struct client *c = s->c;
	bool was_up = c->acknowledged;
	uint64_t ms;

	c->up = c->connecting = c->acknowledged = c->caught_up = false;
	c->received = 0;
	c->catch_until = 0;
	memset(c->says, 0, sizeof(c->says));
	outbox_reconnected(s);
	if (span_eq(code, SPAN("invalid_token")) ||
	    span_eq(code, SPAN("token_expired")))
		call_refused_token(s, call_token_tag(s->m.access));
	TRY(step_backoff(s, c->failures, &ms));
	c->failures++;
	c->gone_ms = s->now + ms;
	return was_up ? link_show(s, false, false) : OK;
}

static enum err
link_caught_up(struct step *s)
{
	if (s->c->catch_until == UINT64_MAX)
		return OK;
	s->c->catch_until = UINT64_MAX;
	s->c->caught_up = true;
	return OK;
}

/* Said when what came can be seen, too: no list is being waited for. */
static enum err
link_say_caught_up(struct step *s)
{
	struct span none = { NULL, 0 }, key, value;
	enum err err;

	if (!s->c->caught_up || !s->c->acknowledged ||
	    (s->m.flags & META_TRUST_ASK))
		return OK;
	err = rec_seek(&s->r, REC_WANT, none, none, false, &key, &value);
	if (err != ERR_NOT_FOUND)
		return err;
	s->c->caught_up = false;
	return link_show(s, true, true);
}

static enum err
link_acknowledged(struct step *s, struct span json)
{
	struct acknowledged_ev ev;
	struct client *c = s->c;
	uint64_t ms;

	if (shape_decode(&shape_acknowledged_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	if (!ID_EQ(ev.user_id, s->m.user))
		return OK;
	if (!ev.has_device_id || ev.device_id != s->m.device) {
		/* The session does not speak for this device (any more):
		 * bound anew, and then connected anew, not at once. */
		s->m.bound = (struct session_id){ .b = { 0 } };
		c->dirty = true;
		TRY(step_backoff(s, c->failures, &ms));
		c->failures++;
		c->gone_ms = s->now + ms;
		return OK;
	}
	c->acknowledged = true;
	memset(c->says, 0, sizeof(c->says));
	c->failures = 0;
	c->catch_until = ev.position;
	if (c->options & CLIENT_CATCH_UP)
		c->catch_until = UINT64_MAX - 1;	/* sync says when */
	c->received_at_ms = s->now + RECEIVED_FIRST_MS;
	c->cursor_at_ms = s->now + CURSOR_MS;
	outbox_reconnected(s);
	if (ev.has_generation)
		TRY(setup_check_generation(s, ev.generation));
	TRY(link_show(s, true, false));
	/* What comes now is asked for once more, so that the cursor moves. */
	if (c->options & CLIENT_CATCH_UP)
		c->sync_at_ms = s->now;
	else if (ev.position > s->m.cursor && c->sync_at_ms == 0)
		c->sync_at_ms = s->now + CATCH_UP_MS;
	if (!(c->options & CLIENT_CATCH_UP) && (ev.position <= s->m.cursor ||
	    ev.position <= s->m.applied))
		return link_caught_up(s);
	return OK;
}

/* An event of this position came: was it the last of the catch-up? */
static enum err
link_came(struct step *s, uint64_t position)
{
	if (s->c->acknowledged && position != 0 &&
	    position >= s->c->catch_until)
		return link_caught_up(s);
	return OK;
}

/*
 * Was this applied before? The head of a chat passes a member of its chain only
 * when it was (inbox_advance), and its id is used then: when `sync` names it
 * once more there is nothing to be read in it. What stands outside the chain
 * (between devices) is always read.
 */
static enum err
link_is_applied(struct step *s, const struct message_rec *m, bool *out)
{
	struct event_id id;
	struct chat c;
	enum err err;

	*out = false;
	if (m->position == 0 || !m->has_client_message_id ||
	    (m->message_type == MSG_TYPE_EVENT && !(m->has_metadata &&
	    m->metadata.has_relates_to)))
		return OK;
	err = person_chat(s, &m->chat_id, &c);
	if (err != OK || m->position > c.head)
		return err == ERR_NOT_FOUND ? OK : err;
	memcpy(id.b, m->client_message_id.b, ID_LEN);
	return item_is_used(s, &m->sender_id, &id, out);
}

static enum err
link_message(struct step *s, struct span json, bool *kept)
{
	struct message_rec m;
	bool applied;

	*kept = true;
	if (shape_decode(&shape_message_rec, json, s->a, &m, NULL) != OK)
		return OK;
	TRY(link_is_applied(s, &m, &applied));
	if (applied)
		return link_came(s, m.position);
	TRY(inbox_message(s, &m, json, kept));
	if (!*kept && s->c->sync_at_ms == 0)
		s->c->sync_at_ms = s->now + SYNC_AGAIN_MS;
	return link_came(s, m.position);
}

static enum err
link_edited(struct step *s, struct span json, bool *kept)
{
	struct edited_ev ev;

	*kept = true;
	if (shape_decode(&shape_edited_ev, json, s->a, &ev, NULL) != OK ||
	    !ev.has_position || !ev.has_prev)
		return OK;
	TRY(inbox_edited(s, &ev, json, kept));
	if (!*kept && s->c->sync_at_ms == 0)
		s->c->sync_at_ms = s->now + SYNC_AGAIN_MS;
	return link_came(s, ev.position);
}

/* Something with a place in a chat that needs no order of its own. */
static enum err
link_place(struct step *s, const struct chat_id *chat, bool has,
    uint64_t position, bool has_prev, uint64_t prev)
{
	struct chat c;
	enum err err;

	if (!has || position == 0)
		return OK;
	TRY(link_came(s, position));
	/* Without a `prev` it stands beside the chain, as marks do. */
	if (!has_prev)
		return OK;
	err = person_chat(s, chat, &c);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (position <= c.head)
		return OK;
	return inbox_link(s, chat, position, prev);
}

static enum err
link_receipt(struct step *s, struct span json)
{
	struct receipt_ev ev;
	struct client_mark mark = { .time_ms = s->now };

	if (shape_decode(&shape_receipt_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	mark.chat = ev.chat_id;
	mark.user = ev.user_id;
	mark.kind = ev.kind == RECEIPT_KIND_READ ? MARK_READ : MARK_DELIVERED;
	mark.position = ev.position;
	TRY(link_place(s, &ev.chat_id, ev.has_event_position,
	    ev.event_position, ev.has_prev, ev.prev));
	return item_mark(s, &mark);
}

static enum err
link_was_read(struct step *s, struct span json)
{
	struct read_ev ev;
	struct client_mark mark = { .kind = MARK_READ };

	if (shape_decode(&shape_read_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	mark.chat = ev.chat_id;
	mark.user = ev.user_id;
	mark.position = ev.position;
	mark.time_ms = ev.read_at;
	TRY(link_place(s, &ev.chat_id, ev.has_event_position,
	    ev.event_position, ev.has_prev, ev.prev));
	return item_mark(s, &mark);
}

static enum err
link_was_typing(struct step *s, struct span json)
{
	struct typing_ev ev;
	struct client_show *show;

	if (shape_decode(&shape_typing_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	show = step_show(s, SHOW_TYPING, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.typing.chat = ev.chat_id;
	show->u.typing.user = ev.user_id;
	show->u.typing.on = ev.is_typing;
	return OK;
}

static enum err
link_presence(struct step *s, struct span json)
{
	struct presence_ev ev;
	struct client_show *show;
	struct person p;

	if (shape_decode(&shape_presence_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(person_load(s, &ev.user_id, &p));
	if (ev.timestamp > p.last_online_ms) {
		p.last_online_ms = ev.timestamp;
		TRY(person_save(s, &p));
	}
	show = step_show(s, SHOW_PRESENCE, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.presence.user = ev.user_id;
	show->u.presence.time_ms = ev.timestamp;
	show->u.presence.status = span_str(shape_name(&shape_names_presence_status,
	    (uint32_t)ev.status));
	return OK;
}

/* The own stream: what it names and did not come is asked for. */
static enum err
link_stream(struct step *s, bool has, uint64_t position, bool has_prev,
    uint64_t prev)
{
	if (!has)
		return OK;
	if (has_prev && prev > s->m.stream && prev > s->m.cursor &&
	    s->c->sync_at_ms == 0)
		s->c->sync_at_ms = s->now + INBOX_HOLD_MS;
	if (position > s->m.stream)
		s->m.stream = position;
	return link_came(s, position);
}

/* An account is gone. The record is that of changes of devices. */
static enum err
link_erased(struct step *s, struct span json)
{
	struct devices_ev ev;

	if (shape_decode(&shape_devices_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev));
	return person_erased(s, &ev.user_id);
}

/* Somebody's devices or keys are others now. */
static enum err
link_devices(struct step *s, struct span json)
{
	struct devices_ev ev;
	struct person p;

	if (shape_decode(&shape_devices_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev));
	TRY(person_load(s, &ev.user_id, &p));
	/* People of whom nothing is known are fetched when they are needed;
	 * what a `sync` repeats was fetched already. */
	if (p.checked_ms == 0 && !ID_EQ(ev.user_id, s->m.user))
		return OK;
	if (ev.has_version) {
		struct arena_mark m = step_scratch(s);
		struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
		enum err err = peer == NULL ? ERR_TOO_LARGE :
		    peer_load(&s->core, &ev.user_id, peer);
		bool known = err == OK && peer->list.version == ev.version;

		step_scratch_end(s, m);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		if (known)
			return OK;
	}
	return person_want(s, &ev.user_id);
}

static enum err
link_chat(struct step *s, struct span json)
{
	struct chat_ev ev;

	if (shape_decode(&shape_chat_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev));
	return person_heard_chat(s, &ev.chat);
}

/*
 * The server dropped a message's text. What was shown stays as it is, and is
 * marked: only its sender's encrypted event takes a text back.
 */
static enum err
link_deleted(struct step *s, struct span json)
{
	struct deleted_ev ev;
	struct client_item it;
	enum err err;

	if (shape_decode(&shape_deleted_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	if (ev.scope == DELETE_SCOPE_ME)
		return link_stream(s, ev.has_position, ev.position,
		    ev.has_prev, ev.prev);
	TRY(link_place(s, &ev.chat_id, ev.has_position, ev.position,
	    ev.has_prev, ev.prev));
	err = item_by_message(s, &ev.message_id, &it);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (it.kind != ITEM_TEXT || (it.flags & ITEM_SERVER_REMOVED) ||
	    !ID_EQ(it.chat, ev.chat_id))
		return OK;
	it.flags |= ITEM_SERVER_REMOVED;
	return item_put(s, &it);
}

/* The chain of a chat begins with its making: no message before it is missing. */
static enum err
link_created(struct step *s, struct span json)
{
	struct chat_ev ev;
	struct chat c;
	enum err err;

	TRY(link_chat(s, json));
	if (shape_decode(&shape_chat_ev, json, s->a, &ev, NULL) != OK ||
	    !ev.has_position)
		return OK;
	err = person_chat(s, &ev.chat.chat_id, &c);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (c.head >= ev.position)
		return OK;
	c.head = ev.position;
	s->c->dirty = true;
	return person_save_chat(s, &c);
}

static enum err
link_chat_me(struct step *s, struct span json)
{
	struct chat_me_rec me;

	if (shape_decode(&shape_chat_me_rec, json, s->a, &me, NULL) != OK)
		return OK;
	TRY(link_stream(s, me.has_position, me.position, me.has_prev,
	    me.prev));
	return prefs_heard_me(s, &me);
}

static enum err
link_blocks(struct step *s, struct span json)
{
	struct blocks_ev ev;

	if (shape_decode(&shape_blocks_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev));
	return prefs_heard_block(s, &ev.user_id, ev.blocked);
}

static enum err
link_settings(struct step *s, struct span json)
{
	struct settings_ev ev;

	if (shape_decode(&shape_settings_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev));
	return setting_changed(s, ev.version);
}

static enum err
link_sync_now(struct step *s, struct span json)
{
	struct sync_now_ev ev;
	uint64_t jitter;

	if (shape_decode(&shape_sync_now_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	TRY(step_jitter(s, SYNC_AGAIN_MS, &jitter));
	s->c->sync_at_ms = s->now + jitter;
	return OK;
}

static enum err
link_ended(struct step *s, struct span json)
{
	struct session_ended_ev ev = { .reason = SPAN("ended") };

	if (shape_decode(&shape_session_ended_ev, json, s->a, &ev,
	    NULL) != OK)
		ev.reason = SPAN("ended");
	return call_signed_out(s, ev.reason);
}

static enum err
link_keys_low(struct step *s, struct span json)
{
	struct keys_low_ev ev;

	if (shape_decode(&shape_keys_low_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	return setup_keys_low(s, ev.device_id, ev.left);
}

/* Another device marked somebody as verified, or took that back. */
static enum err
link_verified(struct step *s, struct span json)
{
	struct verification_ev ev;

	if (shape_decode(&shape_verification_ev, json, s->a, &ev, NULL) != OK)
		return OK;
	trust_ask(s);
	return link_stream(s, ev.has_position, ev.position, ev.has_prev,
	    ev.prev);
}

/* Events that are no message. Others than these are none of our business. */
static enum err
link_other(struct step *s, struct span name, struct span json)
{
	static const struct {
		const char *name;
		enum err (*fn)(struct step *, struct span);
	} table[] = {
		{ "blocks:changed", link_blocks },
		{ "chat:created", link_created },
		{ "chat:me", link_chat_me },
		{ "chat:updated", link_chat },
		{ "connection:acknowledged", link_acknowledged },
		{ "device:added", link_devices },
		{ "device:removed", link_devices },
		{ "keys:changed", link_devices },
		{ "keys:low", link_keys_low },
		{ "message:deleted", link_deleted },
		{ "message:read", link_was_read },
		{ "message:receipt", link_receipt },
		{ "presence:update", link_presence },
		{ "session:ended", link_ended },
		{ "settings:changed", link_settings },
		{ "sync:now", link_sync_now },
		{ "typing:indicator", link_was_typing },
		{ "user:erased", link_erased },
		{ "verification:changed", link_verified },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (span_eq(name, span_str(table[i].name)))
			return table[i].fn(s, json);
	return OK;
}

enum err
link_event(struct step *s, struct span name, struct span json)
{
	bool kept;

	s->c->heard_ms = s->now;
	if (span_eq(name, SPAN("message:new")))
		return link_message(s, json, &kept);
	if (span_eq(name, SPAN("message:edited")))
		return link_edited(s, json, &kept);
	return link_other(s, name, json);
}

/* An event of the catch-up: its place is known even where its payload has
 * none. False in *kept: there is no room; the rest has to wait. */
static enum err
link_sync_event(struct step *s, const struct sync_event_rec *e, bool *kept)
{
	*kept = true;
	if (e->position > s->m.applied)
		s->m.applied = e->position;
	if (span_eq(e->event, SPAN("message:new")))
		return link_message(s, e->data, kept);
	if (span_eq(e->event, SPAN("message:edited")))
		return link_edited(s, e->data, kept);
	/* These speak of the present of a connection, not of the past. */
	if (span_eq(e->event, SPAN("session:ended")) ||
	    span_eq(e->event, SPAN("connection:acknowledged")) ||
	    span_eq(e->event, SPAN("sync:now")))
		return OK;
	return link_other(s, e->event, e->data);
}

enum err
link_heard_sync(struct step *s, const struct call_answer *a)
{
	struct sync_rep rep;
	bool kept = true;
	size_t i;

	if (a->err != OK || shape_decode(&shape_sync_rep, a->data, s->a, &rep,
	    NULL) != OK) {
		s->c->sync_at_ms = s->now + SYNC_AGAIN_MS;
		return OK;
	}
	s->c->sync_at_ms = 0;
	s->c->heard_ms = s->now;
	/* Another process may have come further in the meantime. */
	if (a->call->number != s->m.cursor)
		s->c->sync_at_ms = s->now;
	for (i = 0; i < rep.events.n && kept; i++)
		TRY(link_sync_event(s, &rep.events.p[i], &kept));
	if (!kept) {
		/* Goes on from the last one there was room for. */
		s->c->sync_at_ms = s->now + SYNC_AGAIN_MS;
		if (i >= 2 && rep.events.p[i - 2].position > s->m.cursor)
			s->m.cursor = rep.events.p[i - 2].position;
		return OK;
	}
	if (a->call->number <= s->m.cursor && rep.position > s->m.cursor)
		s->m.cursor = rep.position;
	s->c->dirty = true;
	if (rep.more) {
		s->c->sync_at_ms = s->now;
		return OK;
	}
	s->c->synced_ms = a->call->sent_ms;
	s->c->cursor_at_ms = s->now + CURSOR_MS;
	return link_caught_up(s);
}

/* Nobody speaks, or nobody ever stops: what does the server have? */
static void
link_sync_by_age(struct step *s)
{
	struct client *c = s->c;
	uint64_t due = c->heard_ms + SILENCE_MS;

	if (s->m.applied > s->m.cursor && c->cursor_at_ms < due)
		due = c->cursor_at_ms;
	if (s->now >= due)
		c->sync_at_ms = s->now;
	else
		step_wake(s, due);
}

static enum err
link_sync(struct step *s)
{
	struct call_new n = { .what = CALL_SYNC, .method = "GET",
	    .number = s->m.cursor };
	bool made;
	struct wr w;

	if (s->c->sync_at_ms == 0 && s->c->acknowledged)
		link_sync_by_age(s);
	if (s->c->sync_at_ms == 0)
		return OK;
	if (s->now < s->c->sync_at_ms) {
		step_wake(s, s->c->sync_at_ms);
		return OK;
	}
	TRY(step_wr(s, 64, &w));
	wr_str(&w, "/api/sync?after=");
	wr_dec(&w, s->m.cursor);
	wr_str(&w, "&limit=" SYNC_LIMIT);
	n.path = wr_done(&w);
	TRY(call_make(s, &n, &made));
	if (made)
		s->c->sync_at_ms = s->now + 60000;
	return OK;
}

static enum err
link_connect(struct step *s)
{
	struct client *c = s->c;
	bool want = setup_is_ready(s) && ((c->options & CLIENT_LISTEN) ||
	    s->m.out_n != 0);
	struct client_effect *e;

	if (!want) {
		if ((c->up || c->connecting) && !setup_is_ready(s)) {
			c->up = c->connecting = c->acknowledged = false;
			return step_effect(s, CLIENT_DISCONNECT) == NULL ?
			    ERR_TOO_LARGE : OK;
		}
		return OK;
	}
	if (c->up || c->connecting ||
	    c->bad_tag == call_token_tag(s->m.access))
		return OK;
	if (s->now < c->gone_ms) {
		step_wake(s, c->gone_ms);
		return OK;
	}
	e = step_effect(s, CLIENT_CONNECT);
	if (e == NULL)
		return ERR_TOO_LARGE;
	c->connecting = true;
	e->u.connect.has_after = true;
	e->u.connect.after = s->m.cursor;
	return arena_dup(s->a, s->m.access, &e->u.connect.token);
}

enum err
link_pump(struct step *s)
{
	TRY(link_connect(s));
	if (!setup_is_ready(s))
		return OK;
	TRY(link_sync(s));
	TRY(link_say_caught_up(s));
	return link_say(s);
}
