/*
 * envelope.c: the outside of sealed messages: suites, names of devices, age.
 */
#include "server/ops/envelope.h"

#include "server/conf.h"

/* kc, the GCM tag and at least one byte (docs/protocol.md, "Messages"). */
#define RATCHET_CONTENT_MIN (32 + 16 + 1)
#define CONTENT_MAX 100000
#define KEY_MAX 4096

/* ---- form ---- */

/* Names in encryptedKeys: all of devices, or all of people. */
static enum err
check_keys(struct call *c, const struct envelope *s)
{
	bool devices = s->suite == MSG_SUITE_RATCHET;
	struct user_id user;
	uint32_t device;

	for (size_t i = 0; i < s->keys.n; i++) {
		const struct shape_pair *p = &s->keys.p[i];

		if (!shape_address_decode(p->name, &user, &device))
			return call_invalid(c, "encryptedKeys",
			    "must be named by <userId>.<device> or <userId>");
		if (s->suite != MSG_SUITE_OTHER && devices != (device != 0))
			return call_invalid(c, "encryptedKeys", devices ?
			    "must be named by <userId>.<device> in this suite" :
			    "must be named by <userId> in this suite");
		if (devices && !shape_is_base64(p->value, 1, KEY_MAX))
			return call_invalid(c, "encryptedKeys",
			    "must hold base64 in this suite");
	}
	/* In ratchet, envelope_devices knows of one device whether it may. */
	if (s->keys.n == 0 && s->suite != MSG_SUITE_GROUP &&
	    s->suite != MSG_SUITE_OTHER &&
	    (s->suite != MSG_SUITE_RATCHET || c->who.device == 0))
		return call_invalid(c, "encryptedKeys",
		    "must have an entry in this suite");
	if (s->keys.n > 0 && s->suite == MSG_SUITE_GROUP)
		return call_invalid(c, "encryptedKeys",
		    "must be empty in this suite");
	return OK;
}

/* In these suites all that tells something is inside the encryption. */
static enum err
check_sealed(struct call *c, const struct envelope *s)
{
	if (s->type != MSG_TYPE_TEXT && s->type != MSG_TYPE_EVENT)
		return call_invalid(c, "messageType",
		    "must be text or event in this suite");
	if (!shape_is_base64(s->content, s->suite == MSG_SUITE_RATCHET ?
	    RATCHET_CONTENT_MIN : 1, CONTENT_MAX))
		return call_invalid(c, "encryptedContent",
		    "must be base64 of a sealed message");
	if (s->suite == MSG_SUITE_RATCHET && !shape_is_base64(s->iv, 12, 12))
		return call_invalid(c, "iv", "must be base64 of 12 bytes");
	if (c->who.device == 0)
		return call_fail(c, ERR_FORBIDDEN,
		    "This session speaks for no device");
	return OK;
}

enum err
envelope_check(struct call *c, const struct envelope *s)
{
	if (!s->has_iv && s->suite != MSG_SUITE_GROUP)
		return call_invalid(c, "iv", "must be given");
	TRY(check_keys(c, s));
	if (s->suite == MSG_SUITE_RATCHET || s->suite == MSG_SUITE_GROUP)
		return check_sealed(c, s);
	return OK;
}

/* ---- devices ---- */

struct device_list {
	struct q_devices_of_chat_out *p;
	size_t n;
};

static enum err
load_devices(struct call *c, struct txn *t, const struct chat_id *chat,
    struct device_list *out)
{
	struct q_devices_of_chat_in in = { *chat };
	struct q_devices_of_chat_out row, *more;
	struct cursor cu;
	size_t cap = 0;
	bool sends = false;
	enum err e;

	*out = (struct device_list){ NULL, 0 };
	TRY(q_devices_of_chat_open(t, &in, &cu));
	while ((e = q_devices_of_chat_next(&cu, &row)) == OK) {
		/* The sending device has no entry of its own. */
		if (ID_EQ(row.user, c->who.user) && row.device ==
		    c->who.device) {
			sends = true;
			continue;
		}
		more = arena_grow(&c->arena, out->p, out->n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->p = more;
		out->p[out->n++] = row;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	/* It may have been removed since the session was looked up. */
	return sends ? OK : call_fail(c, ERR_FORBIDDEN,
	    "This session's device is not in the list any more");
}

/* Does the request name this device? */
static bool
is_named(const struct envelope *in, const struct q_devices_of_chat_out *d)
{
	struct user_id user;
	uint32_t device;

	for (size_t i = 0; i < in->keys.n; i++)
		if (shape_address_decode(in->keys.p[i].name, &user,
		    &device) && device == d->device && ID_EQ(user, d->user))
			return true;
	return false;
}

static bool
is_current(struct span name, const struct device_list *l)
{
	struct user_id user;
	uint32_t device;

	if (!shape_address_decode(name, &user, &device))
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (device == l->p[i].device && ID_EQ(user, l->p[i].user))
			return true;
	return false;
}

/* listVersions of devices_changed. */
static enum err
load_versions(struct call *c, struct txn *t, const struct chat_id *chat,
    struct shape_count_list *out)
{
	struct q_devlist_versions_in in = { *chat };
	struct q_devlist_versions_out row;
	struct shape_count *more;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	*out = (struct shape_count_list){ NULL, 0 };
	TRY(q_devlist_versions_open(t, &in, &cu));
	while ((e = q_devlist_versions_next(&cu, &row)) == OK) {
		char *text = (char *)arena_bytes(&c->arena, ID_TEXT_LEN + 1);

		more = arena_grow(&c->arena, out->p, out->n, &cap,
		    sizeof(*more));
		if (more == NULL || text == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		id_encode(row.user.b, text);
		out->p = more;
		out->p[out->n++] = (struct shape_count){
			span_of(text, ID_TEXT_LEN), row.version };
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* 409: which devices are missing, which are none. */
static enum err
refuse_devices(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct envelope *in, const struct device_list *l)
{
	struct devices_changed_rec d = { .missing.n = 0 };
	struct span json;
	char *text;
	size_t n;

	d.missing.p = arena_alloc(&c->arena, (l->n + 1) * sizeof(struct span));
	d.extra.p = arena_alloc(&c->arena,
	    (in->keys.n + 1) * sizeof(struct span));
	if (d.missing.p == NULL || d.extra.p == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < l->n; i++) {
		if (is_named(in, &l->p[i]))
			continue;
		text = (char *)arena_bytes(&c->arena, SHAPE_ADDRESS_MAX);
		if (text == NULL)
			return ERR_TOO_LARGE;
		n = shape_address_encode(&l->p[i].user, l->p[i].device, text);
		d.missing.p[d.missing.n++] = span_of(text, n);
	}
	for (size_t i = 0; i < in->keys.n; i++)
		if (!is_current(in->keys.p[i].name, l))
			d.extra.p[d.extra.n++] = in->keys.p[i].name;
	TRY(load_versions(c, t, chat, &d.list_versions));
	TRY(shape_encode_arena(&shape_devices_changed_rec, &d, &c->arena,
	    &json));
	return call_conflict(c, ERR_DEVICES_CHANGED, json);
}

/*
 * For no device: a note to oneself of whoever has one device alone. The chat
 * keeps it in its order, and a later device gets it with the history.
 */
static enum err
check_none(struct call *c, struct txn *t, const struct chat_id *chat,
    bool is_partial)
{
	struct q_chat_member_ids_out row;
	struct cursor cu;
	bool alone = !is_partial;
	enum err e;

	TRY(q_chat_member_ids_open(t, &(struct q_chat_member_ids_in){ *chat },
	    &cu));
	while ((e = q_chat_member_ids_next(&cu, &row)) == OK)
		alone = alone && ID_EQ(row.user, c->who.user);
	if (e != ERR_NOT_FOUND)
		return e;
	return alone ? OK : call_invalid(c, "encryptedKeys",
	    "must have an entry in this suite");
}

enum err
envelope_devices(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct envelope *in, bool is_partial)
{
	struct device_list l;
	bool good = true;

	if (in->keys.n == 0)
		TRY(check_none(c, t, chat, is_partial));
	TRY(load_devices(c, t, chat, &l));
	for (size_t i = 0; i < in->keys.n; i++)
		good = good && is_current(in->keys.p[i].name, &l);
	for (size_t i = 0; i < l.n && !is_partial; i++)
		good = good && is_named(in, &l.p[i]);
	return good ? OK : refuse_devices(c, t, chat, in, &l);
}

/* ---- age ---- */

enum err
envelope_age_check(struct call *c, bool has_sent_at, uint64_t sent_at)
{
	uint64_t window = c->conf->messages_replay_ms;

	if (window != 0 && has_sent_at && sent_at < c->now_ms &&
	    c->now_ms - sent_at > window)
		return call_fail(c, ERR_REPLAY, "The send is too old");
	return OK;
}

/* A nonce is taken once within the window. */
enum err
envelope_nonce_take(struct call *c, struct txn *t, struct span nonce)
{
	struct q_send_nonce_insert_in n = { c->who.user, nonce,
	    c->now_ms + 2 * c->conf->messages_replay_ms };
	uint64_t rows;

	if (nonce.n == 0 || c->conf->messages_replay_ms == 0)
		return OK;
	TRY(q_send_nonce_insert(t, &n, &rows));
	if (rows == 0)
		return call_fail(c, ERR_REPLAY, "The nonce was seen before");
	return OK;
}
