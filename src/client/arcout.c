/*
 * arcout.c: see arcout.h. An archive is made while the profile goes on
 * changing: each record is as it stood when the walk came by, and what changes
 * behind it comes to the new device live.
 */
#include "client/arcout.h"

#include "wire/json.h"

#define ARCOUT_VERSION 1
#define ARCOUT_LEN_MAX 512u
#define WALK_MAX 1500u		/* records looked at in one step */
#define PART_BODY_MAX (ARCOUT_PART_MAX / 3 * 4 + 64)

static struct span
arcout_key(const uint8_t *purpose)
{
	return span_of(purpose, 1);
}

static enum err
arcout_save(struct step *s, enum arcout_purpose purpose,
    const struct arcout *x)
{
	uint8_t value[ARCOUT_LEN_MAX], p = (uint8_t)purpose;
	struct wr w = wr_init(value, sizeof(value));
	enum err err;

	wr_u8(&w, ARCOUT_VERSION);
	wr_bytes(&w, x->id.b, ID_LEN);
	wr_bytes(&w, x->key.b, ARCHIVE_KEY_LEN);
	wr_u64(&w, x->position);
	wr_u64(&w, x->made_ms);
	wr_u64(&w, x->since_ms);
	wr_u8(&w, x->at);
	wr_vec16(&w, span_of(x->last, x->last_n));
	wr_u8(&w, x->begun);
	wr_u8(&w, x->ended);
	wr_u32(&w, x->chunks);
	wr_u32(&w, x->parts);
	wr_u32(&w, x->sent);
	wr_u64(&w, x->bytes);
	wr_bytes(&w, x->digest, SHA256_LEN);
	wr_u64(&w, x->n.messages);
	wr_u64(&w, x->n.people);
	wr_u64(&w, x->n.records);
	s->c->dirty = true;
	err = !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_OUTGOING,
	    arcout_key(&p), wr_done(&w));
	wipe(value, sizeof(value));
	return err;
}

enum err
arcout_load(struct step *s, enum arcout_purpose purpose, struct arcout *x)
{
	uint8_t p = (uint8_t)purpose, version;
	struct span value, last;
	struct rd r;

	*x = (struct arcout){ .at = 0 };
	TRY(rec_get(&s->r, REC_OUTGOING, arcout_key(&p), &value));
	r = rd_init(value);
	version = rd_u8(&r);
	rd_bytes(&r, x->id.b, ID_LEN);
	rd_bytes(&r, x->key.b, ARCHIVE_KEY_LEN);
	x->position = rd_u64(&r);
	x->made_ms = rd_u64(&r);
	x->since_ms = rd_u64(&r);
	x->at = rd_u8(&r);
	last = rd_vec16(&r);
	x->begun = rd_u8(&r) != 0;
	x->ended = rd_u8(&r) != 0;
	x->chunks = rd_u32(&r);
	x->parts = rd_u32(&r);
	x->sent = rd_u32(&r);
	x->bytes = rd_u64(&r);
	rd_bytes(&r, x->digest, SHA256_LEN);
	x->n.messages = rd_u64(&r);
	x->n.people = rd_u64(&r);
	x->n.records = rd_u64(&r);
	if (version != ARCOUT_VERSION)
		return ERR_VERSION;
	if (!rd_done(&r) || last.n > sizeof(x->last))
		return ERR_FORMAT;
	x->last_n = (uint8_t)last.n;
	if (last.n != 0)
		memcpy(x->last, last.p, last.n);
	return OK;
}

static struct rec_key
arcout_part_key(enum arcout_purpose purpose, uint32_t part)
{
	struct rec_key k = rec_key();

	rec_key_u8(&k, (uint8_t)purpose);
	rec_key_u32(&k, part);
	return k;
}

enum err
arcout_drop(struct step *s, enum arcout_purpose purpose)
{
	uint8_t p = (uint8_t)purpose;
	struct span key = { NULL, 0 }, value;
	enum err err;

	while ((err = rec_seek(&s->r, REC_PART, arcout_key(&p), key, false,
	    &key, &value)) == OK)
		TRY(rec_del(&s->r, REC_PART, key));
	if (err != ERR_NOT_FOUND)
		return err;
	return rec_del(&s->r, REC_OUTGOING, arcout_key(&p));
}

enum err
arcout_delete(struct step *s, const struct any_id *id)
{
	struct call_new n = { .what = CALL_ARCHIVE_DROP, .method = "DELETE" };
	bool made;

	memcpy(n.chat.b, id->b, ID_LEN);
	TRY(call_path(s, "/api/archives/", id->b, "", &n.path));
	return call_make(s, &n, &made);
}

enum err
arcout_abandon(struct step *s, enum arcout_purpose purpose)
{
	struct arcout x;
	enum err err = arcout_load(s, purpose, &x);

	if (err == OK)
		err = arcout_delete(s, &x.id);
	wipe(&x, sizeof(x));
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return arcout_drop(s, purpose);
}

enum err
arcout_ask_id(struct step *s, enum arcout_purpose purpose)
{
	struct call_new n = { .what = CALL_ARCHIVE_NEW, .method = "POST",
	    .path = SPAN("/api/archives"), .number = (uint64_t)purpose };
	struct archive_create_req req = { .purpose = purpose == ARCOUT_LINK ?
	    ARCHIVE_PURPOSE_LINK : ARCHIVE_PURPOSE_BACKUP };
	bool made;

	n.chat.b[0] = (uint8_t)purpose;
	TRY(step_json(s, &shape_archive_create_req, &req, &n.body));
	return call_make(s, &n, &made);
}

enum err
arcout_begin(struct step *s, enum arcout_purpose purpose,
    const struct any_id *id, const uint8_t key[static ARCHIVE_KEY_LEN],
    uint64_t since_ms)
{
	struct arcout x = { .id = *id, .position = s->m.cursor,
	    .made_ms = s->now, .since_ms = since_ms };
	enum err err;

	memcpy(x.key.b, key, ARCHIVE_KEY_LEN);
	TRY(arcout_drop(s, purpose));
	err = arcout_save(s, purpose, &x);
	wipe(&x, sizeof(x));
	return err;
}

/* ---- the walk ---- */

struct walk {
	struct arcout *x;
	struct archive a;
	struct archive_writer w;
	uint8_t *plain, *out;
	size_t n;
	unsigned chunks, looked;
};

static enum err
walk_seal(struct walk *k, bool last)
{
	size_t n;

	TRY(archive_seal(&k->a, k->x->chunks, last, &k->w, &k->out[k->n], &n));
	TRY(archive_digest(k->a.p, k->x->digest, span_of(&k->out[k->n], n)));
	k->n += n;
	k->x->bytes += n;
	k->x->chunks++;
	k->chunks++;
	k->x->ended = last;
	archive_begin(&k->w, k->plain);
	return OK;
}

/* ERR_SPACE: the chunk was full, and is sealed now: the same once more. */
static enum err
walk_add(struct walk *k, uint8_t kind, struct span bytes)
{
	enum err err = archive_add(&k->w, kind, bytes);

	if (err == ERR_SPACE) {
		TRY(walk_seal(k, false));
		return ERR_SPACE;
	}
	TRY(err);
	k->x->n.records++;
	if (kind == ARCREC_PERSON)
		k->x->n.people++;
	if (kind == ARCREC_ITEM)
		k->x->n.messages += bytes.p[ID_LEN + 8] != 0;
	return OK;
}

static enum err
walk_head(struct walk *k)
{
	struct arcrec_head h = { k->x->position, k->x->made_ms,
	    k->x->since_ms };
	uint8_t mem[32];
	struct wr w = wr_init(mem, sizeof(mem));

	arcrec_put_head(&h, &w);
	k->x->begun = true;
	return walk_add(k, ARCREC_HEAD, wr_done(&w));
}

/* One record; ERR_NOT_FOUND: that was the last one of all. */
static enum err
walk_one(struct step *s, struct walk *k)
{
	struct arcout *x = k->x;
	struct arcrec_what what = { x->since_ms, x->timed };
	struct span key, value;
	struct wr w;
	uint8_t kind;
	enum err err;

	if (arcrec_walk[x->at] == 0)
		return ERR_NOT_FOUND;
	err = rec_seek(&s->r, arcrec_walk[x->at], (struct span){ NULL, 0 },
	    span_of(x->last, x->last_n), false, &key, &value);
	if (err == ERR_NOT_FOUND) {
		x->at++;
		x->last_n = 0;
		return OK;
	}
	TRY(err);
	TRY(step_wr(s, key.n + value.n + 64, &w));
	TRY(arcrec_make(s, arcrec_walk[x->at], key, value, &what, &w, &kind));
	if (!wr_ok(&w))
		return ERR_SPACE;
	/* A record that no chunk can hold stays here; none is that long. */
	if (kind != 0 && w.n <= ARCHIVE_RECORD_MAX)
		TRY(walk_add(k, kind, wr_done(&w)));
	x->last_n = (uint8_t)key.n;
	memcpy(x->last, key.p, key.n);
	return OK;
}

static enum err
walk_run(struct step *s, struct walk *k)
{
	enum err err;

	archive_begin(&k->w, k->plain);
	if (!k->x->begun)
		TRY(walk_head(k));
	while (k->chunks < ARCOUT_CHUNKS) {
		err = walk_one(s, k);
		if (err == ERR_NOT_FOUND)
			return walk_seal(k, true);
		if (err != OK && err != ERR_SPACE)
			return err;
		/* What was read is kept until the step ends: for breath. */
		if (++k->looked >= WALK_MAX)
			return k->w.records_n != 0 ? walk_seal(k, false) : OK;
	}
	return OK;
}

enum err
arcout_walk(struct step *s, const struct user_id *account, struct arcout *x,
    uint8_t *out, size_t *n_out)
{
	struct walk k = { .x = x, .out = out,
	    .plain = arena_bytes(s->a, ARCHIVE_PLAIN_LEN) };
	enum err err;

	if (k.plain == NULL)
		return ERR_TOO_LARGE;
	err = archive_init(&k.a, s->pv, &x->key, account);
	if (err == OK)
		err = walk_run(s, &k);
	archive_wipe(&k.a);
	wipe(k.plain, ARCHIVE_PLAIN_LEN);
	*n_out = k.n;
	return err;
}

/* ---- to the server ---- */

static enum err
arcout_make_part(struct step *s, enum arcout_purpose purpose,
    struct arcout *x)
{
	uint8_t *part = arena_bytes(s->a, ARCOUT_PART_MAX);
	struct rec_key k = arcout_part_key(purpose, x->parts);
	size_t n;

	if (part == NULL)
		return ERR_TOO_LARGE;
	/* A backup stays: what has disappeared would stay in it. */
	x->timed = purpose == ARCOUT_LINK;
	TRY(arcout_walk(s, &s->m.user, x, part, &n));
	if (n != 0) {
		TRY(rec_put(&s->r, REC_PART, rec_key_span(&k),
		    span_of(part, n)));
		x->parts++;
	} else {
		step_wake(s, s->now);	/* more in a step of its own */
	}
	return arcout_save(s, purpose, x);
}

static enum err
arcout_send_part(struct step *s, const struct arcout *x, struct span part)
{
	struct call_new n = { .what = CALL_PART_PUT, .method = "PUT",
	    .number = x->sent };
	struct span head;
	struct wr w;
	bool made;

	memcpy(n.chat.b, x->id.b, ID_LEN);
	TRY(call_path(s, "/api/archives/", x->id.b, "/parts/", &head));
	TRY(step_wr(s, head.n + 16, &w));
	wr_span(&w, head);
	wr_dec(&w, x->sent);
	n.path = wr_done(&w);
	TRY(step_wr(s, PART_BODY_MAX, &w));
	wr_str(&w, "{\"data\":");
	json_put_b64(&w, part);
	wr_str(&w, "}");
	if (!wr_ok(&w))
		return ERR_SPACE;
	n.body = wr_done(&w);
	return call_make(s, &n, &made);
}

static enum err
arcout_complete(struct step *s, const struct arcout *x)
{
	struct call_new n = { .what = CALL_ARCHIVE_DONE, .method = "POST" };
	struct wr w;
	bool made;

	memcpy(n.chat.b, x->id.b, ID_LEN);
	TRY(call_path(s, "/api/archives/", x->id.b, "/complete", &n.path));
	TRY(step_wr(s, 64, &w));
	wr_str(&w, "{\"parts\":");
	wr_dec(&w, x->parts);
	wr_str(&w, "}");
	n.body = wr_done(&w);
	return call_make(s, &n, &made);
}

enum err
arcout_pump(struct step *s, enum arcout_purpose purpose)
{
	struct rec_key k;
	struct arcout x;
	struct span part;
	enum err err = arcout_load(s, purpose, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	k = arcout_part_key(purpose, x.sent);
	if (x.sent == x.parts && !x.ended) {
		err = arcout_make_part(s, purpose, &x);
	} else if (x.sent == x.parts) {
		err = arcout_complete(s, &x);
	} else if (!call_is_open(s->c, CALL_PART_PUT, NULL) && call_may(s)) {
		err = rec_get(&s->r, REC_PART, rec_key_span(&k), &part);
		if (err == OK)
			err = arcout_send_part(s, &x, part);
	}
	wipe(&x, sizeof(x));
	return err;
}

/* ---- answers ---- */

static enum err
arcout_progress(struct step *s, enum arcout_purpose purpose,
    const struct arcout *x)
{
	struct client_show *show = step_show(s, SHOW_PROGRESS, 0);

	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.progress.what = purpose == ARCOUT_LINK ?
	    PROGRESS_HISTORY_OUT : PROGRESS_BACKUP;
	show->u.progress.done = x->n.messages;
	show->u.progress.total = x->ended && x->sent == x->parts ?
	    x->n.messages : 0;
	return OK;
}

/* That part is there: by this answer, or it was before. */
static enum err
arcout_part_sent(struct step *s, enum arcout_purpose purpose,
    struct arcout *x)
{
	struct rec_key k = arcout_part_key(purpose, x->sent);

	TRY(rec_del(&s->r, REC_PART, rec_key_span(&k)));
	x->sent++;
	TRY(arcout_save(s, purpose, x));
	return arcout_progress(s, purpose, x);
}

/* A refusal for good? */
static bool
arcout_is_refused(const struct call_answer *a)
{
	return a->status >= 400 && a->status < 500 && a->status != 401 &&
	    a->status != 408 && a->status != 429;
}

/* Whose archive the answer is about. ERR_NOT_FOUND: of none any more. */
static enum err
arcout_find(struct step *s, const struct call_answer *a,
    enum arcout_purpose *purpose, struct arcout *x)
{
	enum arcout_purpose p;
	enum err err;

	for (p = ARCOUT_LINK; p <= ARCOUT_BACKUP; p++) {
		err = arcout_load(s, p, x);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		*purpose = p;
		if (err == OK && memcmp(x->id.b, a->call->chat.b, ID_LEN) == 0)
			return OK;
	}
	return ERR_NOT_FOUND;
}

enum err
arcout_heard(struct step *s, const struct call_answer *a,
    enum arcout_purpose *purpose_out, bool *done_out)
{
	struct arcout x;
	enum err err = arcout_find(s, a, purpose_out, &x);

	*done_out = false;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (a->call->what == CALL_ARCHIVE_DONE)
		*done_out = a->err == OK;
	else if (a->err == OK && a->call->number == x.sent &&
	    x.sent < x.parts)
		err = arcout_part_sent(s, *purpose_out, &x);
	wipe(&x, sizeof(x));
	TRY(err);
	return a->err != OK && arcout_is_refused(a) ? a->err : OK;
}
