/*
 * arcin.c: see arcin.h.
 */
#include "client/arcin.h"

#include "client/arcout.h"
#include "client/keyring.h"

#define ARCIN_VERSION 1
#define ARCIN_LEN_MAX 512u
#define ARCIN_POLL_MS 500u
/* A manager that has to upload a long history over a slow line may take its
 * time; one that never begins is given up after the server's seven days. */
#define ARCIN_WAIT_MS (8ull * 24 * 3600 * 1000)

static enum err
arcin_save(struct step *s, const struct arcin *x)
{
	uint8_t value[ARCIN_LEN_MAX];
	struct wr w = wr_init(value, sizeof(value));
	enum err err;

	wr_u8(&w, ARCIN_VERSION);
	wr_u8(&w, (uint8_t)x->mode);
	wr_u8(&w, x->file);
	wr_u8(&w, x->complete);
	wr_u8(&w, x->ended);
	wr_bytes(&w, x->id.b, ID_LEN);
	wr_bytes(&w, x->account.b, ID_LEN);
	wr_bytes(&w, x->key, sizeof(x->key));
	wr_u32(&w, x->chunks);
	wr_u32(&w, x->parts);
	wr_u32(&w, x->there);
	wr_u64(&w, x->bytes);
	wr_u64(&w, x->size);
	wr_u64(&w, x->begun_ms);
	wr_bytes(&w, x->digest, SHA256_LEN);
	wr_u64(&w, x->n.messages);
	wr_u64(&w, x->n.people);
	wr_u64(&w, x->n.records);
	wr_u32(&w, x->want_chunks);
	wr_bytes(&w, x->want_digest, SHA256_LEN);
	wr_u64(&w, x->want_records);
	s->c->dirty = true;
	err = !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_INCOMING,
	    (struct span){ NULL, 0 }, wr_done(&w));
	wipe(value, sizeof(value));
	return err;
}

enum err
arcin_load(struct step *s, struct arcin *x)
{
	struct span value;
	struct rd r;
	uint8_t version;

	*x = (struct arcin){ .parts = 0 };
	TRY(rec_get(&s->r, REC_INCOMING, (struct span){ NULL, 0 }, &value));
	r = rd_init(value);
	version = rd_u8(&r);
	x->mode = (enum arcin_mode)rd_u8(&r);
	x->file = rd_u8(&r) != 0;
	x->complete = rd_u8(&r) != 0;
	x->ended = rd_u8(&r) != 0;
	rd_bytes(&r, x->id.b, ID_LEN);
	rd_bytes(&r, x->account.b, ID_LEN);
	rd_bytes(&r, x->key, sizeof(x->key));
	x->chunks = rd_u32(&r);
	x->parts = rd_u32(&r);
	x->there = rd_u32(&r);
	x->bytes = rd_u64(&r);
	x->size = rd_u64(&r);
	x->begun_ms = rd_u64(&r);
	rd_bytes(&r, x->digest, SHA256_LEN);
	x->n.messages = rd_u64(&r);
	x->n.people = rd_u64(&r);
	x->n.records = rd_u64(&r);
	x->want_chunks = rd_u32(&r);
	rd_bytes(&r, x->want_digest, SHA256_LEN);
	x->want_records = rd_u64(&r);
	if (version != ARCIN_VERSION)
		return ERR_VERSION;
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
arcin_begin_backup(struct step *s, const struct arcin *x)
{
	struct arcin y = *x;
	enum err err;

	y.begun_ms = s->now;
	err = arcin_save(s, &y);
	wipe(&y, sizeof(y));
	return err;
}

enum err
arcin_begin(struct step *s, enum arcin_mode mode, const struct any_id *id,
    const uint8_t key[static ARCHIVE_KEY_LEN], const struct user_id *account)
{
	struct arcin x = { .mode = mode, .id = *id, .account = *account };
	enum err err;

	memcpy(x.key, key, ARCHIVE_KEY_LEN);
	err = arcin_begin_backup(s, &x);
	wipe(&x, sizeof(x));
	return err;
}

bool
arcin_is_open(struct step *s)
{
	enum err err;

	return rec_has(&s->r, REC_INCOMING, (struct span){ NULL, 0 }, &err);
}

enum err
arcin_drop(struct step *s)
{
	return rec_del(&s->r, REC_INCOMING, (struct span){ NULL, 0 });
}

static enum err
arcin_progress(struct step *s, const struct arcin *x)
{
	struct client_show *show = step_show(s, SHOW_PROGRESS, 0);

	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.progress.what = x->mode == ARCIN_CHECK ? PROGRESS_CHECK :
	    PROGRESS_HISTORY_IN;
	show->u.progress.done = x->bytes;
	show->u.progress.total = x->ended ? x->bytes :
	    x->complete ? x->size : 0;
	return OK;
}

/* ---- one part ---- */

static enum err
arcin_records(struct step *s, struct arcin *x, struct span plain)
{
	struct archive_reader r = archive_read(plain);
	struct span bytes;
	uint8_t kind;
	enum err err;

	while (archive_next(&r, &kind, &bytes)) {
		err = arcrec_take(s, kind, bytes, x->mode != ARCIN_CHECK,
		    &x->n);
		/* One that is not well-formed is left out, and counted: the
		 * rest of the history does not depend on it. */
		if (err != OK && (x->mode == ARCIN_CHECK ||
		    step_is_fatal(err)))
			return err;
	}
	return archive_end(&r);
}

static enum err
arcin_chunks(struct step *s, struct arcin *x, struct archive *a,
    struct span part, uint8_t *plain)
{
	struct span chunk;
	size_t at, n;

	for (at = 0; at < part.n; at += chunk.n) {
		chunk = span_sub(part, at, ARCHIVE_CHUNK_MAX);
		if (x->ended)
			return ERR_FORMAT;	/* behind the last one */
		TRY(archive_open(a, x->chunks, chunk, plain, &n, &x->ended));
		TRY(archive_digest(s->pv, x->digest, chunk));
		TRY(arcin_records(s, x, span_of(plain, n)));
		x->chunks++;
		x->bytes += chunk.n;
	}
	x->parts++;
	return part.n != 0 ? OK : ERR_FORMAT;
}

/* All of a backup's archive, and nothing else? */
static enum err
arcin_is_whole(const struct arcin *x)
{
	static const uint8_t none[SHA256_LEN];

	if (memcmp(x->want_digest, none, sizeof(none)) == 0)
		return OK;
	return x->chunks == x->want_chunks && x->n.records ==
	    x->want_records && memcmp(x->digest, x->want_digest,
	    SHA256_LEN) == 0 ? OK : ERR_AUTH;
}

static enum err
arcin_end(struct step *s, const struct arcin *x, enum err why)
{
	TRY(arcin_drop(s));
	s->c->dirty = true;
	return keyring_arrived(s, x, why);
}

static enum err
arcin_take(struct step *s, struct arcin *x, struct span part)
{
	uint8_t *plain = arena_bytes(s->a, ARCHIVE_PLAIN_LEN);
	struct archive a;
	enum err err;

	if (plain == NULL)
		return ERR_TOO_LARGE;
	err = archive_init(&a, s->pv, (const struct archive_key *)x->key,
	    &x->account);
	if (err == OK)
		err = arcin_chunks(s, x, &a, part, plain);
	archive_wipe(&a);
	wipe(plain, ARCHIVE_PLAIN_LEN);
	if (step_is_fatal(err))
		return err;
	if (err == OK && x->ended)
		err = arcin_is_whole(x);
	if (err != OK)
		return arcin_end(s, x, err);
	TRY(arcin_progress(s, x));
	return x->ended ? arcin_end(s, x, OK) : arcin_save(s, x);
}

/* ---- from the server ---- */

static enum err
arcin_ask_state(struct step *s, const struct arcin *x)
{
	struct call_new n = { .what = CALL_ARCHIVE_GET, .method = "GET" };
	bool made;

	if (s->now < s->c->arrive_at_ms) {
		step_wake(s, s->c->arrive_at_ms);
		return OK;
	}
	memcpy(n.chat.b, x->id.b, ID_LEN);
	TRY(call_path(s, "/api/archives/", x->id.b, "", &n.path));
	return call_make(s, &n, &made);
}

static enum err
arcin_ask_part(struct step *s, const struct arcin *x)
{
	struct call_new n = { .what = CALL_PART_GET, .method = "GET",
	    .number = x->parts };
	struct client_show *show;
	struct span head;
	struct wr w;
	bool made;

	if (x->file) {
		if (s->c->part_asked == x->parts + 1)
			return OK;
		s->c->part_asked = x->parts + 1;
		show = step_show(s, SHOW_PART, 0);
		if (show == NULL)
			return ERR_TOO_LARGE;
		show->u.part.number = x->parts;
		return OK;
	}
	memcpy(n.chat.b, x->id.b, ID_LEN);
	TRY(call_path(s, "/api/archives/", x->id.b, "/parts/", &head));
	TRY(step_wr(s, head.n + 16, &w));
	wr_span(&w, head);
	wr_dec(&w, x->parts);
	n.path = wr_done(&w);
	return call_make(s, &n, &made);
}

enum err
arcin_pump(struct step *s)
{
	struct arcin x;
	enum err err = arcin_load(s, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	/* Until it is in the list, this session may not ask. */
	if (s->m.flags & META_LINKING)
		err = OK;
	else if (x.file || x.parts < x.there)
		err = arcin_ask_part(s, &x);
	else if (s->now > x.begun_ms + ARCIN_WAIT_MS)
		err = arcin_end(s, &x, ERR_EXPIRED);
	else
		err = arcin_ask_state(s, &x);
	wipe(&x, sizeof(x));
	return err;
}

static enum err
arcin_heard_state(struct step *s, struct arcin *x,
    const struct call_answer *a)
{
	struct archive_rec rec;

	if (shape_decode(&shape_archive_rec, a->data, s->a, &rec, NULL) != OK)
		return OK;
	s->c->arrive_at_ms = s->now + ARCIN_POLL_MS;
	x->there = rec.parts;
	x->complete = rec.complete;
	x->size = rec.size;
	/* All parts are read, and the last chunk was in none of them. */
	if (x->complete && x->parts >= x->there)
		return arcin_end(s, x, ERR_FORMAT);
	return arcin_save(s, x);
}

static enum err
arcin_take_answer(struct step *s, struct arcin *x,
    const struct call_answer *a)
{
	struct archive_part_rep rep;

	s->c->arrive_at_ms = s->now + ARCIN_POLL_MS;
	if (a->err != OK)
		return a->status == 404 || a->status == 410 ?
		    arcin_end(s, x, ERR_NOT_FOUND) : OK;
	if (a->call->what == CALL_ARCHIVE_GET)
		return arcin_heard_state(s, x, a);
	if (a->call->number != x->parts)
		return OK;	/* another process has it */
	if (shape_decode(&shape_archive_part_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return arcin_end(s, x, ERR_FORMAT);
	return arcin_take(s, x, rep.data);
}

enum err
arcin_heard(struct step *s, const struct call_answer *a)
{
	struct arcin x;
	enum err err = arcin_load(s, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == OK && memcmp(x.id.b, a->call->chat.b, ID_LEN) == 0)
		err = arcin_take_answer(s, &x, a);
	wipe(&x, sizeof(x));
	return err;
}

enum err
arcin_part(struct step *s, uint32_t number, struct span data)
{
	struct arcin x;
	enum err err = arcin_load(s, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (x.file && number == x.parts)
		err = data.n != 0 ? arcin_take(s, &x, data) :
		    arcin_end(s, &x, ERR_IO);
	wipe(&x, sizeof(x));
	return err;
}
