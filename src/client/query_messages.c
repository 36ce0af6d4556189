/*
 * query_messages.c: exports client_reaction_next, client_pin_next,
 * client_find_refs, client_settings, client_pref_next, client_cause_next,
 * client_draft, client_waits_for: queries about messages and what is mine alone. Each reads the
 * records as they stand, through a step whose changes are dropped.
 */
#include "client/client.h"

#include "client/item.h"
#include "client/outbox.h"
#include "client/person.h"
#include "client/react.h"
#include "client/setting.h"
#include "client/task.h"

static enum err
query_begin(struct client *c, struct arena *a, struct step **out)
{
	*out = ARENA_NEW(a, struct step);
	if (*out == NULL)
		return ERR_TOO_LARGE;
	return step_init(*out, c, a, 0, false);
}

enum err
client_draft(struct client *c, struct arena *a, const struct client_target *to,
    struct span *out)
{
	struct user_id user = to->user;
	struct chat chat;
	struct step *s;
	enum err err = OK;

	*out = (struct span){ NULL, 0 };
	TRY(query_begin(c, a, &s));
	if (!ID_IS_ZERO(to->chat)) {
		err = person_chat(s, &to->chat, &chat);
		user = chat.user;
	}
	if (err == OK)
		err = rec_get(&s->r, REC_DRAFT, ID_SPAN(user), out);
	step_fini(s);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
client_reaction_next(struct client *c, struct arena *a,
    const struct client_ref *to, struct user_id *after,
    struct client_reaction *out)
{
	struct rec_key prefix = rec_key(), from;
	struct span key = { NULL, 0 }, value;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, &s));
	rec_key_id(&prefix, to->sender.b);
	rec_key_id(&prefix, to->event.b);
	from = prefix;
	rec_key_id(&from, after->b);
	if (!ID_IS_ZERO(*after))
		key = rec_key_span(&from);
	do {
		err = rec_seek(&s->r, REC_REACT, rec_key_span(&prefix), key,
		    false, &key, &value);
		if (err == OK)
			err = react_load(s, key, out);
	} while (err == OK && out->text.n == 0);
	if (err == OK)
		*after = out->user;
	step_fini(s);
	return err;
}

enum err
client_pin_next(struct client *c, struct arena *a, const struct chat_id *chat,
    struct client_ref *after, struct client_pin *out)
{
	struct rec_key prefix = rec_key(), from;
	struct span key = { NULL, 0 }, value;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, &s));
	rec_key_id(&prefix, chat->b);
	from = prefix;
	rec_key_id(&from, after->sender.b);
	rec_key_id(&from, after->event.b);
	if (!ID_IS_ZERO(after->sender))
		key = rec_key_span(&from);
	do {
		err = rec_seek(&s->r, REC_PINNED, rec_key_span(&prefix), key,
		    false, &key, &value);
		if (err == OK)
			err = react_load_pin(s, key, out);
	} while (err == OK && !out->on);
	if (err == OK)
		*after = out->to;
	step_fini(s);
	return err;
}

/* Hexadecimal digits into a prefix; an odd last one is the upper half. */
static bool
query_prefix(struct span text, uint8_t out[static ID_LEN], size_t *digits)
{
	size_t i, n = 0;

	memset(out, 0, ID_LEN);
	for (i = 0; i < text.n; i++) {
		uint8_t c = text.p[i], v;

		if (c == '-')
			continue;
		if (c >= '0' && c <= '9')
			v = (uint8_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = (uint8_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = (uint8_t)(c - 'A' + 10);
		else
			return false;
		if (n == 2u * ID_LEN)
			return false;
		out[n / 2] |= (uint8_t)(n % 2 == 0 ? v << 4 : v);
		n++;
	}
	*digits = n;
	return n != 0;
}

static bool
query_matches(const uint8_t id[static ID_LEN],
    const uint8_t want[static ID_LEN], size_t digits)
{
	return memcmp(id, want, digits / 2) == 0 && (digits % 2 == 0 ||
	    (id[digits / 2] & 0xf0) == want[digits / 2]);
}

/* Of one sender: their ids stand in order. */
static enum err
query_refs_of(struct step *s, const struct chat_id *chat,
    const struct user_id *sender, const uint8_t want[static ID_LEN],
    size_t digits, struct client_ref *out, size_t *n)
{
	struct rec_key prefix = rec_key();
	struct span key = { NULL, 0 }, value;
	struct client_item it;
	struct event_id id;
	enum err err;

	rec_key_id(&prefix, sender->b);
	rec_key_bytes(&prefix, span_of(want, digits / 2));
	while (*n < CLIENT_REFS_MAX && (err = rec_seek(&s->r, REC_EVENT,
	    rec_key_span(&prefix), key, false, &key, &value)) !=
	    ERR_NOT_FOUND) {
		TRY(err);
		memcpy(id.b, key.p + ID_LEN, ID_LEN);
		if (!query_matches(id.b, want, digits))
			continue;
		err = item_find(s, sender, &id, &it);
		if (err == OK && ID_EQ(it.chat, *chat) && ID_EQ(it.event, id) &&
		    it.kind != ITEM_HIDDEN)
			out[(*n)++] = (struct client_ref){ *sender, id };
		else if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return OK;
}

enum err
client_find_refs(struct client *c, struct arena *a, const struct chat_id *chat,
    struct span prefix, struct client_ref out[static CLIENT_REFS_MAX],
    size_t *n_out)
{
	uint8_t want[ID_LEN];
	struct chat ch = { .pinned = false };
	size_t digits;
	struct step *s;
	enum err err;

	*n_out = 0;
	if (!query_prefix(prefix, want, &digits))
		return ERR_VALIDATION;
	TRY(query_begin(c, a, &s));
	err = person_chat(s, chat, &ch);
	if (err == ERR_NOT_FOUND)	/* a chat that is still to be made */
		err = OK;
	if (err == OK)
		err = query_refs_of(s, chat, &s->m.user, want, digits, out,
		    n_out);
	if (err == OK && !ID_IS_ZERO(ch.user) && !ID_EQ(ch.user, s->m.user))
		err = query_refs_of(s, chat, &ch.user, want, digits, out,
		    n_out);
	step_fini(s);
	return err;
}

enum err
client_settings(struct client *c, struct arena *a, struct client_settings *out)
{
	struct setting t;
	struct step *s;
	enum err err;

	*out = (struct client_settings){ .known = false };
	TRY(query_begin(c, a, &s));
	err = setting_load(s, &t);
	if (err == OK)
		*out = (struct client_settings){ t.known && !t.stale,
		    t.version, t.flags, t.mask != 0 || t.prefs };
	step_fini(s);
	return err;
}

enum err
client_pref_next(struct client *c, struct arena *a, struct span *after,
    struct span *value_out)
{
	struct span key = *after, value;
	struct step *s;
	enum err err;

	TRY(query_begin(c, a, &s));
	do {
		err = rec_seek(&s->r, REC_PREF, (struct span){ NULL, 0 }, key,
		    false, &key, &value);
	} while (err == OK && value.n <= 1);
	if (err == OK) {
		*after = key;
		*value_out = span_sub(value, 1, value.n);
	}
	step_fini(s);
	return err;
}

enum err
client_cause_next(struct client *c, struct arena *a, struct span *after,
    struct client_cause *out)
{
	struct span key, value;
	struct step *s;
	struct rd r;
	enum err err;

	*out = (struct client_cause){ .n = 0 };
	TRY(query_begin(c, a, &s));
	err = rec_seek(&s->r, REC_CAUSE, (struct span){ NULL, 0 }, *after,
	    false, &key, &value);
	if (err == OK) {
		r = rd_init(value);
		*after = out->name = key;
		out->n = rd_u64(&r);
		out->last_ms = rd_u64(&r);
	}
	step_fini(s);
	return err;
}

static enum err
query_waits(struct step *s, uint64_t cmd, bool *waits)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	struct span from = { NULL, 0 };
	struct setting t;
	struct rec_key k;
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	TRY(setting_load(s, &t));
	*waits = t.cmd == cmd;
	while (!*waits && (err = outrec_next(s, (struct span){ NULL, 0 },
	    from, o)) != ERR_NOT_FOUND) {
		TRY(err);
		*waits = o->cmd == cmd;
		from = outrec_key(o, &k);
	}
	return *waits ? OK : task_has(s, cmd, waits);
}

enum err
client_waits_for(struct client *c, struct arena *a, uint64_t cmd, bool *out)
{
	struct step *s;
	enum err err;

	*out = false;
	TRY(query_begin(c, a, &s));
	err = query_waits(s, cmd, out);
	step_fini(s);
	return err;
}
