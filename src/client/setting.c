/*
 * setting.c: see setting.h.
 */
#include "client/setting.h"

#include "base/text.h"
#include "client/prefs.h"
#include "client/secret.h"
#include "client/setup.h"
#include "core/settings.h"
#include "wire/json.h"

#define SETTING_VERSION 1
#define SETTING_BLOB_VERSION 1
#define SETTING_BLOCKS_KNOWN 1u
#define SETTING_CHATS_KNOWN 2u

enum err
setting_load(struct step *s, struct setting *t)
{
	struct span value;
	struct rd r;
	uint8_t known;
	enum err err = rec_get(&s->r, REC_SETTINGS, (struct span){ NULL, 0 },
	    &value);

	*t = (struct setting){ .flags = SETTING_ALL };
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(value);
	if (rd_u8(&r) != SETTING_VERSION)
		return ERR_VERSION;
	t->known = rd_u8(&r) != 0;
	t->stale = rd_u8(&r) != 0;
	known = rd_u8(&r);
	t->blocks_known = known & SETTING_BLOCKS_KNOWN;
	t->chats_known = known & SETTING_CHATS_KNOWN;
	t->version = rd_u64(&r);
	t->flags = rd_u32(&r);
	t->mask = rd_u32(&r);
	t->prefs = rd_u8(&r) != 0;
	t->changes = rd_u64(&r);
	t->cmd = rd_u64(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
setting_save(struct step *s, const struct setting *t)
{
	uint8_t b[64];
	struct wr w = wr_init(b, sizeof(b));

	wr_u8(&w, SETTING_VERSION);
	wr_u8(&w, t->known);
	wr_u8(&w, t->stale);
	wr_u8(&w, (uint8_t)((t->blocks_known ? SETTING_BLOCKS_KNOWN : 0) |
	    (t->chats_known ? SETTING_CHATS_KNOWN : 0)));
	wr_u64(&w, t->version);
	wr_u32(&w, t->flags);
	wr_u32(&w, t->mask);
	wr_u8(&w, t->prefs);
	wr_u64(&w, t->changes);
	wr_u64(&w, t->cmd);
	return rec_put(&s->r, REC_SETTINGS, (struct span){ NULL, 0 },
	    wr_done(&w));
}

static bool
setting_name_is_good(struct span name)
{
	size_t i;

	for (i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '.' || c == '_' || c == '-'))
			return false;
	}
	return name.n >= 1 && name.n <= CLIENT_PREF_NAME_MAX;
}

static enum err
setting_put_pref(struct step *s, struct span name, bool waits,
    struct span value)
{
	struct wr w;

	TRY(step_wr(s, 1 + value.n, &w));
	wr_u8(&w, waits);
	wr_span(&w, value);
	return rec_put(&s->r, REC_PREF, name, wr_done(&w));
}

static enum err
setting_count(struct step *s, size_t *n)
{
	struct span none = { NULL, 0 }, key = none, value;
	enum err err;

	*n = 0;
	while ((err = rec_seek(&s->r, REC_PREF, none, key, false, &key,
	    &value)) == OK)
		++*n;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
setting_change(struct step *s, const struct client_input *in)
{
	struct span name = in->u.settings.name, value = in->u.settings.value;
	uint32_t mask = in->u.settings.mask;
	struct setting t;
	size_t n;

	if ((mask & ~(uint32_t)SETTING_ALL) != 0 || (name.n != 0 &&
	    (!setting_name_is_good(name) || !utf8_valid(value))))
		return ERR_VALIDATION;
	if (value.n > CLIENT_PREF_VALUE_MAX)
		return ERR_LIMIT;
	TRY(setting_load(s, &t));
	if (mask == 0 && name.n == 0)
		return step_show_done(s, in->cmd);
	t.mask |= mask;
	t.flags = (t.flags & ~mask) | (in->u.settings.flags & mask);
	if (name.n != 0) {
		TRY(setting_count(s, &n));
		if (n >= CLIENT_PREFS_MAX)
			return ERR_LIMIT;
		TRY(setting_put_pref(s, name, true, value));
		t.prefs = true;
	}
	/* One waits at a time; the change of the other one is noted. */
	if (t.cmd != 0)
		TRY(step_show_done(s, t.cmd));
	t.cmd = in->cmd;
	t.changes++;
	s->c->dirty = true;
	return setting_save(s, &t);
}

enum err
setting_changed(struct step *s, uint64_t version)
{
	struct setting t;

	TRY(setting_load(s, &t));
	if (version <= t.version)
		return OK;
	t.stale = true;
	s->c->dirty = true;
	return setting_save(s, &t);
}

/* ------------------------------------------------------------ the blob */

static enum err
setting_plain(struct step *s, struct span *out)
{
	struct span none = { NULL, 0 }, key = none, value;
	struct wr w;
	enum err err;

	TRY(step_wr(s, SETTINGS_PLAIN_MAX, &w));
	wr_u8(&w, SETTING_BLOB_VERSION);
	while ((err = rec_seek(&s->r, REC_PREF, none, key, false, &key,
	    &value)) == OK) {
		struct rd r = rd_init(value);

		(void)rd_u8(&r);
		value = rd_rest(&r);
		if (value.n == 0 || w.n + 4 + key.n + value.n > w.cap)
			continue;
		wr_vec16(&w, key);
		wr_vec16(&w, value);
	}
	*out = wr_done(&w);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* base64 of the sealed preferences. ERR_NOT_FOUND: no secret is here yet. */
static enum err
setting_seal(struct step *s, uint64_t version, struct span *out)
{
	uint8_t secret[SECRET_LEN], *text;
	struct span plain;
	struct wr w;
	enum err err;

	TRY(setting_plain(s, &plain));
	TRY(step_wr(s, SETTINGS_SEALED_MAX, &w));
	TRY(secret_get(s, secret));
	err = settings_seal(s->pv, secret, &s->m.user, version, plain, &w);
	wipe(secret, sizeof(secret));
	TRY(err);
	text = arena_bytes(s->a, BASE64_LEN(w.n));
	if (text == NULL)
		return ERR_TOO_LARGE;
	*out = span_of(text, base64_encode(wr_done(&w), (char *)text));
	return OK;
}

/* Takes the preferences of others in; what waits here stays. */
static enum err
setting_join(struct step *s, struct span plain)
{
	struct span none = { NULL, 0 }, key = none, value, name;
	struct rd r = rd_init(plain);
	enum err err;

	if (rd_u8(&r) != SETTING_BLOB_VERSION)
		return OK;
	while ((err = rec_seek(&s->r, REC_PREF, none, key, false, &key,
	    &value)) == OK)
		if (value.n == 0 || value.p[0] == 0)
			TRY(rec_del(&s->r, REC_PREF, key));
	if (err != ERR_NOT_FOUND)
		return err;
	while (r.n != 0) {
		name = rd_vec16(&r);
		value = rd_vec16(&r);
		if (r.bad || !setting_name_is_good(name) ||
		    value.n > CLIENT_PREF_VALUE_MAX || !utf8_valid(value))
			return OK;
		if (rec_has(&s->r, REC_PREF, name, &err))
			continue;
		TRY(err);
		TRY(setting_put_pref(s, name, false, value));
	}
	return OK;
}

static enum err
setting_open(struct step *s, uint64_t version, struct span sealed)
{
	uint8_t secret[SECRET_LEN], *mem = arena_bytes(s->a, sealed.n + 1);
	struct span plain;
	enum err err;

	if (mem == NULL)
		return ERR_TOO_LARGE;
	err = secret_get(s, secret);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = settings_open(s->pv, secret, &s->m.user, version, sealed, mem,
	    &plain);
	wipe(secret, sizeof(secret));
	if (step_is_fatal(err))
		return err;
	/* The server's word alone is no reason to forget what is here. */
	return err == OK ? setting_join(s, plain) : OK;
}

/* ----------------------------------------------------------- the calls */

static enum err
setting_put(struct step *s, const struct setting *t)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ SETTING_READ_RECEIPTS, "readReceipts" },
		{ SETTING_DELIVERY_RECEIPTS, "deliveryReceipts" },
		{ SETTING_TYPING, "typing" },
		{ SETTING_PRESENCE, "presence" },
		{ SETTING_LAST_SEEN, "lastSeen" },
		{ SETTING_SEARCHABLE, "searchable" },
	};
	struct call_new n = { .what = CALL_SETTINGS_PUT, .method = "PUT",
	    .path = SPAN("/api/settings"), .number = t->changes };
	struct span data = { NULL, 0 };
	const char *sep = "";
	bool made;
	struct wr w;
	size_t i;

	if (t->prefs) {
		enum err err = setting_seal(s, t->version + 1, &data);

		if (err == ERR_NOT_FOUND && t->mask == 0)
			return OK;
		if (err != ERR_NOT_FOUND)
			TRY(err);
	}
	TRY(step_wr(s, 512 + data.n, &w));
	wr_str(&w, "{\"version\":");
	json_put_u64(&w, t->version);
	if (data.n != 0) {
		wr_str(&w, ",\"data\":\"");
		wr_span(&w, data);
		wr_str(&w, "\"");
	}
	wr_str(&w, t->mask != 0 ? ",\"flags\":{" : "");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!(t->mask & flags[i].flag))
			continue;
		wr_str(&w, sep);
		wr_str(&w, "\"");
		wr_str(&w, flags[i].name);
		wr_str(&w, t->flags & flags[i].flag ? "\":true" : "\":false");
		sep = ",";
	}
	wr_str(&w, t->mask != 0 ? "}}" : "}");
	n.body = wr_done(&w);
	return call_make(s, &n, &made);
}

enum err
setting_pump(struct step *s)
{
	struct call_new get = { .what = CALL_SETTINGS_GET, .method = "GET",
	    .path = SPAN("/api/settings") };
	struct call_new blocks = { .what = CALL_BLOCKS, .method = "GET",
	    .path = SPAN("/api/blocks") };
	struct setting t;
	bool made;

	if (!setup_is_ready(s))
		return OK;
	TRY(setting_load(s, &t));
	if (!t.blocks_known)
		TRY(call_make(s, &blocks, &made));
	if (!t.chats_known)
		TRY(prefs_ask_chats(s, (struct span){ NULL, 0 }));
	if (!t.known || t.stale)
		return call_make(s, &get, &made);
	if ((t.mask == 0 && !t.prefs) || call_is_open(s->c,
	    CALL_SETTINGS_PUT, NULL))
		return OK;
	return setting_put(s, &t);
}

static uint32_t
setting_flags(const struct settings_flags_rec *f)
{
	uint32_t flags = SETTING_ALL;

	if (f->has_read_receipts && !f->read_receipts)
		flags &= ~(uint32_t)SETTING_READ_RECEIPTS;
	if (f->has_delivery_receipts && !f->delivery_receipts)
		flags &= ~(uint32_t)SETTING_DELIVERY_RECEIPTS;
	if (f->has_typing && !f->typing)
		flags &= ~(uint32_t)SETTING_TYPING;
	if (f->has_presence && !f->presence)
		flags &= ~(uint32_t)SETTING_PRESENCE;
	if (f->has_last_seen && !f->last_seen)
		flags &= ~(uint32_t)SETTING_LAST_SEEN;
	if (f->has_searchable && !f->searchable)
		flags &= ~(uint32_t)SETTING_SEARCHABLE;
	return flags;
}

enum err
setting_heard(struct step *s, const struct call_answer *a)
{
	struct settings_rep rep;
	struct setting t;
	bool older;

	TRY(setting_load(s, &t));
	if (a->err != OK || shape_decode(&shape_settings_rep, a->data, s->a,
	    &rep, NULL) != OK) {
		if (a->status < 400 || a->status >= 500 || a->status == 401 ||
		    a->status == 429)
			return OK;
		t.known = true;		/* a server without settings */
		t.stale = false;
		return setting_save(s, &t);
	}
	t.known = true;
	t.stale = false;
	/* Older than what was here: put back, or an old copy. It is not taken,
	 * and what is here goes up again behind it. */
	older = rep.version < t.version;
	t.prefs = t.prefs || older;
	t.version = rep.version;
	t.flags = (t.flags & t.mask) | (setting_flags(&rep.flags) & ~t.mask);
	if (rep.has_data && !older)
		TRY(setting_open(s, rep.version, rep.data));
	s->c->dirty = true;
	TRY(setting_save(s, &t));
	return step_show(s, SHOW_SETTINGS, 0) == NULL ? ERR_TOO_LARGE : OK;
}

/* All that waited is at the server. */
static enum err
setting_settle(struct step *s, struct setting *t)
{
	struct span none = { NULL, 0 }, key = none, value;
	enum err err;

	t->mask = 0;
	t->prefs = false;
	while ((err = rec_seek(&s->r, REC_PREF, none, key, false, &key,
	    &value)) == OK) {
		struct span rest = span_sub(value, 1, value.n);

		if (rest.n == 0)
			TRY(rec_del(&s->r, REC_PREF, key));
		else if (value.p[0] != 0)
			TRY(setting_put_pref(s, key, false, rest));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
setting_heard_put(struct step *s, const struct call_answer *a)
{
	struct settings_put_rep rep;
	struct setting t;
	bool good = a->err == OK && shape_decode(&shape_settings_put_rep,
	    a->data, s->a, &rep, NULL) == OK;

	TRY(setting_load(s, &t));
	s->c->dirty = true;
	if (!good && a->status == 409) {
		t.stale = true;		/* another device was faster */
		return setting_save(s, &t);
	}
	if (!good && (a->status < 400 || a->status >= 500 ||
	    a->status == 401 || a->status == 429))
		return OK;
	if (good)
		t.version = rep.version;
	/* What was changed since goes up next, on this version. */
	if (a->call->number == t.changes) {
		TRY(setting_settle(s, &t));
		t.stale = !good;
		if (t.cmd != 0 && good)
			TRY(step_show_done(s, t.cmd));
		else if (t.cmd != 0)
			TRY(step_show_error(s, t.cmd, a->err,
			    a->error.message));
		t.cmd = 0;
	}
	TRY(setting_save(s, &t));
	return step_show(s, SHOW_SETTINGS, 0) == NULL ? ERR_TOO_LARGE : OK;
}
