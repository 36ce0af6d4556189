/*
 * archive.c: sealed chunks of records, see archive.h.
 */
#include "core/archive.h"

#include "core/pad.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"

#define TYPE_ARCHIVE 0x1A
#define ARCHIVE_VERSION 1
#define FLAG_LAST 1u
#define COMMIT_AT (1 + 1 + 1 + 4)
#define SALT_LEN 16
#define PLAIN_MIN 1024
#define DERIVED_LEN (AES256_KEY_LEN + GCM_NONCE_LEN)
_Static_assert(COMMIT_AT + SHA256_LEN + SALT_LEN == ARCHIVE_HEAD_LEN,
    "docs/protocol.md, Archives");

enum err
archive_init(struct archive *a, const struct provider *p,
    const struct archive_key *key, const struct user_id *account)
{
	uint8_t okm[AES256_KEY_LEN + SHA256_LEN];
	struct span ikm = SPAN_OF(key->b);
	struct span info[2] = { SPAN("NJ1 archive"), ID_SPAN(*account) };
	enum err e = hkdf_derive_parts(p, (struct span){ 0 }, &ikm, 1, info, 2,
	    okm, sizeof(okm));

	*a = (struct archive){ .p = p };
	if (e == OK) {
		memcpy(a->ek, okm, AES256_KEY_LEN);
		memcpy(a->commit, &okm[AES256_KEY_LEN], SHA256_LEN);
	}
	wipe(okm, sizeof(okm));
	return e;
}

void
archive_wipe(struct archive *a)
{
	wipe(a, sizeof(*a));
}

void
archive_begin(struct archive_writer *w, uint8_t *mem)
{
	*w = (struct archive_writer){ .w = wr_init(mem, ARCHIVE_PLAIN_LEN) };
}

enum err
archive_add(struct archive_writer *w, uint8_t kind, struct span bytes)
{
	size_t total;

	if (kind == 0)
		return ERR_ARG;
	if (bytes.n > ARCHIVE_RECORD_MAX)
		return ERR_TOO_LARGE;
	total = pad_len(1 + bytes.n);
	if (total > w->w.cap - w->w.n)
		return ERR_SPACE;
	total += w->w.n;
	/* pad.h over the kind and the bytes, which stand apart. */
	wr_varint(&w->w, (uint32_t)(1 + bytes.n));
	wr_u8(&w->w, kind);
	wr_span(&w->w, bytes);
	wr_zeros(&w->w, total - w->w.n);
	w->records_n++;
	return wr_ok(&w->w) ? OK : ERR_INTERNAL;
}

/* How long the plain of the last chunk is with n bytes of records in it. */
static size_t
last_len(size_t n)
{
	size_t padded = pad_size(n);

	return padded < PLAIN_MIN ? PLAIN_MIN : padded;
}

static enum err
chunk_keys(const struct archive *a, struct span head,
    uint8_t out[static DERIVED_LEN])
{
	struct span info[2] = { SPAN("NJ1 archive chunk"), head };

	return hkdf_expand(a->p, SPAN_OF(a->ek), info, 2, out, DERIVED_LEN);
}

enum err
archive_seal(const struct archive *a, uint32_t index, bool last,
    struct archive_writer *w, uint8_t *out, size_t *n_out)
{
	uint8_t derived[DERIVED_LEN];
	struct wr o = wr_init(out, ARCHIVE_CHUNK_MAX);
	struct span head, plain;
	uint8_t *salt, *room;
	enum err e;

	if (index >= ARCHIVE_CHUNKS_MAX)
		return ERR_ARG;
	wr_zeros(&w->w, (last ? last_len(w->w.n) : ARCHIVE_PLAIN_LEN) -
	    w->w.n);
	if (!wr_ok(&w->w))
		return ERR_INTERNAL;
	plain = wr_done(&w->w);
	wr_u8(&o, TYPE_ARCHIVE);
	wr_u8(&o, ARCHIVE_VERSION);
	wr_u8(&o, last ? FLAG_LAST : 0);
	wr_u32(&o, index);
	wr_bytes(&o, a->commit, SHA256_LEN);
	salt = wr_room(&o, SALT_LEN);
	head = wr_done(&o);
	room = wr_room(&o, plain.n + GCM_TAG_LEN);
	if (salt == NULL || room == NULL)
		return ERR_INTERNAL;
	TRY(a->p->random(a->p->ctx, salt, SALT_LEN));
	e = chunk_keys(a, head, derived);
	if (e == OK)
		e = a->p->gcm_seal(a->p->ctx, derived,
		    &derived[AES256_KEY_LEN], head, plain, room);
	wipe(derived, sizeof(derived));
	if (e == OK)
		*n_out = o.n;
	return e;
}

enum err
archive_peek(struct span chunk, struct archive_head *out)
{
	struct rd r = rd_init(chunk);
	uint8_t type = rd_u8(&r), version = rd_u8(&r), flags = rd_u8(&r);
	uint32_t index = rd_u32(&r);
	size_t n;

	*out = (struct archive_head){ .index = 0 };
	if (!r.bad && type == TYPE_ARCHIVE && version != ARCHIVE_VERSION)
		return ERR_VERSION;
	if (r.bad || type != TYPE_ARCHIVE || (flags & ~FLAG_LAST) != 0 ||
	    index >= ARCHIVE_CHUNKS_MAX || chunk.n < ARCHIVE_HEAD_LEN +
	    PLAIN_MIN + GCM_TAG_LEN || chunk.n > ARCHIVE_CHUNK_MAX)
		return ERR_FORMAT;
	n = chunk.n - ARCHIVE_HEAD_LEN - GCM_TAG_LEN;
	/* A size that a chunk can have: nothing is learned from others. */
	if ((flags & FLAG_LAST) ? last_len(n) != n : n != ARCHIVE_PLAIN_LEN)
		return ERR_FORMAT;
	*out = (struct archive_head){ index, (flags & FLAG_LAST) != 0 };
	return OK;
}

enum err
archive_open(const struct archive *a, uint32_t index, struct span chunk,
    uint8_t *plain_out, size_t *n_out, bool *last_out)
{
	uint8_t derived[DERIVED_LEN];
	struct archive_head h;
	struct span head, sealed;
	enum err e;

	TRY(archive_peek(chunk, &h));
	if (h.index != index)
		return ERR_CONFLICT;
	head = span_sub(chunk, 0, ARCHIVE_HEAD_LEN);
	sealed = span_sub(chunk, ARCHIVE_HEAD_LEN, chunk.n);
	/* docs/protocol.md, Archives: commit first, in constant time. */
	if (!ct_eq(span_sub(head, COMMIT_AT, SHA256_LEN).p, a->commit,
	    SHA256_LEN))
		return ERR_NO_KEY;
	e = chunk_keys(a, head, derived);
	if (e == OK)
		e = a->p->gcm_open(a->p->ctx, derived,
		    &derived[AES256_KEY_LEN], head, sealed, plain_out);
	wipe(derived, sizeof(derived));
	if (e != OK)
		return e;
	*n_out = sealed.n - GCM_TAG_LEN;
	*last_out = h.last;
	return OK;
}

struct archive_reader
archive_read(struct span plain)
{
	return (struct archive_reader){ .r = rd_init(plain) };
}

bool
archive_next(struct archive_reader *r, uint8_t *kind_out,
    struct span *bytes_out)
{
	struct rd at = r->r;
	struct span padded, x;
	uint32_t n;

	if (r->bad || at.n == 0 || at.p[0] == 0)
		return false;
	n = rd_varint(&at);
	if (at.bad || n > ARCHIVE_RECORD_MAX + 1) {
		r->bad = true;
		return false;
	}
	padded = rd_span(&r->r, pad_len(n));
	r->bad = r->r.bad || pad_read(padded, &x) != OK || x.n < 1 ||
	    x.p[0] == 0;
	if (r->bad)
		return false;
	*kind_out = x.p[0];
	*bytes_out = span_sub(x, 1, x.n - 1);
	return true;
}

enum err
archive_end(const struct archive_reader *r)
{
	struct rd at = r->r;

	if (r->bad)
		return ERR_FORMAT;
	while (at.n > 0 && !at.bad)
		if (rd_u8(&at) != 0)
			return ERR_FORMAT;
	return OK;
}

enum err
archive_digest(const struct provider *p, uint8_t digest[static SHA256_LEN],
    struct span chunk)
{
	uint8_t next[SHA256_LEN];

	TRY(hash_tuple2(p, "NJ1 archive digest", span_of(digest, SHA256_LEN),
	    chunk, next));
	memcpy(digest, next, SHA256_LEN);
	return OK;
}
