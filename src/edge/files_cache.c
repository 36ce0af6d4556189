/*
 * files_cache.c: files by name, small ones kept in memory.
 * exports edge_files_*
 *
 * Implementation notes. A kept file is asked of the file system at each use
 * (one fstatat): device, inode, size, modification and change time are what
 * they were, so it is the file that was read. A time stamp is only as fine as
 * the kernel's tick, or a second or two on some file systems: a file that was
 * written to just before it was read might be again without showing it. So
 * none is kept that was not at rest for REST_MS.
 */
#include "base/text.h"
#include "edge/files_private.h"

#define REST_MS 2500
#define ABSENT_MS 1000		/* how long a missing form is believed missing */
#define KEPT_MAX 65536		/* names in the cache */
#define READ_TRIES 3

/* ---- Names of contents ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* 128 bits that tell contents apart; no defence against who makes both. */
static void
digest(struct span s, uint64_t seed, uint8_t out[static 16])
{
	uint64_t a = seed ^ 0x9e3779b97f4a7c15ULL, b = seed + s.n;
	struct wr w = wr_init(out, 16);
	struct rd r = rd_init(s);

	while (r.n > 0) {
		uint8_t word[8] = { 0 };
		uint64_t v;

		rd_bytes(&r, word, r.n < 8 ? r.n : 8);
		memcpy(&v, word, 8);
		a = mix(a ^ v, 0xd6e8feb86659fd93ULL);
		b = mix(b + v, 0xa0761d6478bd642fULL) ^ a;
	}
	wr_u64(&w, mix(a ^ s.n, 0xe7037ed1a0b428dbULL));
	wr_u64(&w, mix(b ^ s.n, 0x8ebc6af09c88c6e3ULL));
}

/* A strong entity-tag (RFC 9110 8.8.3) of these bytes. */
static uint8_t
tag_of(struct span s, char out[static FILES_TAG_MAX])
{
	uint8_t d[16];

	digest(s, 0, d);
	out[0] = '"';
	hex_encode(SPAN_OF(d), out + 1);
	out[33] = '"';
	return 34;
}

/* ---- What is kept ---- */

static void
drop(struct edge_files *f, struct kept *k)
{
	(void)map_remove(&f->map, k->key);
	list_remove(&k->link);
	f->stats.cached--;
	f->stats.cached_bytes -= k->bytes;
	blob_unref(k->body);
	blob_unref(k->fields[0]);
	blob_unref(k->fields[1]);
	free(k);
}

void
edge_files_drop_all(struct edge_files *f)
{
	const void *key;
	void *k;
	size_t at = 0;

	while (map_next(&f->map, &at, &key, &k)) {
		drop(f, k);
		at = 0;		/* it has changed */
	}
}

static struct kept *
find(const struct edge_files *f, struct span path, uint8_t key[static 16])
{
	struct kept *k;

	digest(path, f->map.seed, key);
	k = map_find(&f->map, key);
	return k != NULL && span_eq(span_of(k->path, k->path_n), path) ? k :
	    NULL;
}

/* NULL: no memory, or no room in a cache that is full of fixed ones. */
static struct kept *
keep(struct edge_files *f, struct span path, struct blob *body, bool fixed)
{
	size_t bytes = sizeof(struct kept) + path.n +
	    (body != NULL ? body->n : 0);
	struct kept *k, *old;

	while (!fixed && (f->stats.cached >= KEPT_MAX ||
	    f->stats.cached_bytes + bytes > f->conf.cache_bytes)) {
		if (list_is_empty(&f->lru))
			return NULL;
		f->stats.dropped++;
		drop(f, LIST_ITEM(f->lru.next, struct kept, link));
	}
	if ((k = calloc(1, sizeof *k + path.n)) == NULL)
		return NULL;
	digest(path, f->map.seed, k->key);
	old = map_find(&f->map, k->key);	/* another name, same digest */
	if (old != NULL && !old->fixed) {
		drop(f, old);
		old = NULL;
	}
	if (old != NULL || map_put(&f->map, k->key, k) != OK) {
		free(k);
		return NULL;
	}
	k->fixed = fixed;
	k->bytes = bytes;
	k->path_n = path.n;
	memcpy(k->path, path.p, path.n);
	if (body != NULL)
		k->body = blob_ref(body);
	if (!fixed)
		list_push(&f->lru, &k->link);
	f->stats.cached++;
	f->stats.cached_bytes += bytes;
	return k;
}

enum err
edge_files_fix(struct edge_files *f, struct span path, struct span type,
    struct span body)
{
	struct blob *b = blob_dup(body);
	struct kept *k = b == NULL ? NULL : keep(f, path, b, true);

	blob_unref(b);
	if (k == NULL)
		return ERR_NOMEM;
	k->type = type;
	k->tag_n = tag_of(body, k->tag);
	return OK;
}

/* ---- Files ---- */

static void
rep_of(struct kept *k, struct rep *out)
{
	*out = (struct rep){ .kept = k, .body = blob_ref(k->body),
	    .size = k->body->n, .mtime_ns = k->id.mtime_ns,
	    .type = k->type, .fixed = k->fixed, .tag_n = k->tag_n };
	memcpy(out->tag, k->tag, k->tag_n);
}

/* Reads all of it; NULL: it changed meanwhile, or no memory. */
static struct blob *
read_whole(const struct sys_file *file)
{
	struct blob *b = blob_new((size_t)file->id.size);
	size_t at = 0;

	while (b != NULL && at < b->n) {
		long n = sys_file_pread(file->fd, b->p + at, b->n - at, at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (b != NULL && (at < b->n || !sys_file_is_same(file))) {
		blob_unref(b);
		return NULL;
	}
	return b;
}

static bool
is_at_rest(const struct sys_file_id *id, uint64_t now_ms)
{
	uint64_t last = id->mtime_ns > id->ctime_ns ? id->mtime_ns :
	    id->ctime_ns;

	return last / 1000000 + REST_MS < now_ms;
}

/* A small one, into memory. */
static enum err
load(struct edge_files *f, struct span path, uint64_t seen, uint64_t now_ms,
    const struct sys_file *file, struct rep *out)
{
	struct blob *b = read_whole(file);
	struct kept *k = NULL;

	if (b == NULL)
		return ERR_IO;
	f->stats.reads++;
	if (f->conf.cache_bytes > 0 && is_at_rest(&file->id, now_ms))
		k = keep(f, path, b, false);
	*out = (struct rep){ .kept = k, .body = b, .size = b->n,
	    .mtime_ns = file->id.mtime_ns };
	out->tag_n = tag_of(blob_span(b), out->tag);
	if (k != NULL) {
		k->id = file->id;
		k->seen = seen;
		k->tag_n = out->tag_n;
		memcpy(k->tag, out->tag, k->tag_n);
	}
	return OK;
}

/* Looks on the disk. */
static enum err
open_file(struct edge_files *f, struct span path, uint64_t seen,
    uint64_t now_ms, struct rep *out)
{
	struct sys_file file;
	enum err e = ERR_IO;

	for (int i = 0; e == ERR_IO && i < READ_TRIES; i++) {
		TRY(sys_file_open(f->root, (const char *)path.p, &file));
		if (file.id.size > f->conf.file_max) {
			*out = (struct rep){ .file = file,
			    .size = file.id.size,
			    .mtime_ns = file.id.mtime_ns };
			out->tag_n = tag_of(span_of(&file.id,
			    sizeof file.id), out->tag);
			f->stats.reads++;
			return OK;
		}
		e = load(f, path, seen, now_ms, &file, out);
		sys_close(file.fd);
	}
	return e;
}

/* Is what was kept still so? */
static bool
is_fresh(struct edge_files *f, struct kept *k, struct span path,
    uint64_t seen, uint64_t now_ms)
{
	struct sys_file_id now;

	if (k->fixed)
		return true;
	if (k->body == NULL)
		return now_ms < k->until_ms && k->until_ms <= now_ms +
		    ABSENT_MS;
	if (k->seen == seen)
		return true;
	if (sys_file_find(f->root, (const char *)path.p, &now) != OK ||
	    !sys_file_id_eq(&now, &k->id))
		return false;
	k->seen = seen;
	return true;
}

enum err
edge_files_get(struct edge_files *f, struct span path, uint64_t seen,
    uint64_t now_ms, bool sure, struct rep *out)
{
	uint8_t key[16];
	struct kept *k = find(f, path, key);
	enum err e;

	if (k != NULL && (k->body != NULL || !sure) &&
	    is_fresh(f, k, path, seen, now_ms)) {
		if (!k->fixed) {
			list_remove(&k->link);
			list_push(&f->lru, &k->link);
		}
		if (k->body == NULL)
			return ERR_NOT_FOUND;
		f->stats.hits++;
		rep_of(k, out);
		return OK;
	}
	if (k != NULL) {
		f->stats.dropped += k->body != NULL;
		drop(f, k);
	}
	if (f->root < 0)
		return ERR_NOT_FOUND;
	e = open_file(f, path, seen, now_ms, out);
	if (e == ERR_NOT_FOUND && !sure && f->conf.cache_bytes > 0 &&
	    (k = keep(f, path, NULL, false)) != NULL)
		k->until_ms = now_ms + ABSENT_MS;
	return e;
}

void
edge_files_put(struct rep *r)
{
	if (r->body != NULL)
		blob_unref(r->body);
	else
		sys_close(r->file.fd);
	r->body = NULL;
	r->file.fd = -1;
}
