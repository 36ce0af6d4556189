/*
 * files.c: static files: which representation of which file, the request's
 * conditions and ranges, the answer. See files.h.
 * exports edge_files_*
 *
 * Implementation notes. The fields of a 200 are the same each time: they are
 * kept as text with the file, once for a request of the file itself and once
 * for it as a form of another.
 */
#include <assert.h>

#include "base/text.h"
#include "edge/files_private.h"
#include "wire/etag.h"
#include "wire/range.h"

#define FIELDS_BYTES 1024
#define BOUNDARY 24		/* characters; 144 random bits */
#define FILE_LIMIT (1u << 20)	/* of conf.file_max */
#define TABLE_MAX 16384		/* files of the table */

/* A request being answered. */
struct ask {
	struct edge_files *files;
	struct edge_ref ref;
	const struct edge_request *req;
	uint64_t seen, now_ms;
	char path[FILES_PATH_MAX + 8];	/* room for ".zst" */
	size_t path_n;
	int coding;			/* enum accept_coding of rep */
	struct rep rep;
	struct span type;		/* of the file, whatever its coding */
};

static const char suffixes[ACCEPT_CODINGS][5] = { ".br", ".zst", ".gz", "" };

/* ---- Start and end ---- */

void
edge_files_conf_default(struct edge_files_conf *c)
{
	*c = (struct edge_files_conf){
		.forms = true,
		.nosniff = true,
		.file_max = 65536,
		.cache_bytes = 16 << 20,
		.ranges_max = 16,
	};
}

/* The texts of the configuration, and types of the table, in one piece. */
static enum err
copy_texts(struct edge_files *f, const struct edge_files_conf *c)
{
	size_t n = c->index.n + c->immutable.n + c->cache_control.n + 1;
	struct wr w;

	if ((f->text = malloc(n)) == NULL)
		return ERR_NOMEM;
	w = wr_init(f->text, n);
	wr_span(&w, c->index);
	wr_span(&w, c->immutable);
	wr_span(&w, c->cache_control);
	f->index = span_sub(wr_done(&w), 0, c->index.n);
	f->immutable = span_sub(wr_done(&w), c->index.n, c->immutable.n);
	f->cache_control = span_sub(wr_done(&w),
	    c->index.n + c->immutable.n, c->cache_control.n);
	return OK;
}

static enum err
add_form(struct edge_files *f, struct span path, const char *suffix,
    struct span body)
{
	uint8_t name[FILES_PATH_MAX + 8];
	struct wr w = wr_init(name, sizeof name);

	if (body.n == 0)
		return OK;
	wr_span(&w, path);
	wr_str(&w, suffix);
	return edge_files_fix(f, wr_done(&w), SPAN(""), body);
}

static enum err
add_table(struct edge_files *f, const struct edge_files_conf *c)
{
	for (size_t i = 0; i < c->table_n; i++) {
		const struct edge_file *t = &c->table[i];

		if (t->path.n == 0 || t->path.n > FILES_PATH_MAX)
			return ERR_ARG;
		TRY(edge_files_fix(f, t->path, t->type, t->body));
		TRY(add_form(f, t->path, suffixes[ACCEPT_BR], t->br));
		TRY(add_form(f, t->path, suffixes[ACCEPT_ZSTD], t->zst));
		TRY(add_form(f, t->path, suffixes[ACCEPT_GZIP], t->gz));
	}
	return OK;
}

enum err
edge_files_open(const struct edge_files_conf *c, struct edge_files **out)
{
	struct edge_files *f;
	uint64_t seed;
	enum err e;

	if (c->ranges_max > RANGE_MAX || c->file_max > FILE_LIMIT ||
	    c->table_n > TABLE_MAX || c->index.n > FILES_PATH_MAX)
		return ERR_ARG;
	if ((f = calloc(1, sizeof *f)) == NULL)
		return ERR_NOMEM;
	f->conf = *c;
	f->conf.table = NULL;
	f->root = -1;
	list_init(&f->lru);
	sys_random(&seed, sizeof seed);
	map_init(&f->map, 16, 131072, seed);
	e = copy_texts(f, c);
	if (e == OK)
		e = add_table(f, c);
	if (e == OK && c->root != NULL)
		e = sys_root_open(c->root, &f->root);
	if (e != OK) {
		edge_files_close(f);
		return e;
	}
	*out = f;
	return OK;
}

void
edge_files_close(struct edge_files *f)
{
	if (f == NULL)
		return;
	edge_files_drop_all(f);
	map_fini(&f->map);
	sys_close(f->root);
	free(f->text);
	free(f);
}

const struct edge_files_stats *
edge_files_stats(const struct edge_files *f)
{
	return &f->stats;
}

/* ---- Which representation ---- */

static struct span
path_of(const struct ask *a)
{
	return span_of(a->path, a->path_n);
}

/* Is the form beside the file to be had, and not of an older content? */
static bool
get_form(struct ask *a, int coding, const struct rep *whole, struct rep *out)
{
	size_t n = a->path_n + strlen(suffixes[coding]);
	enum err e;

	memcpy(a->path + a->path_n, suffixes[coding],
	    strlen(suffixes[coding]) + 1);
	e = edge_files_get(a->files, span_of(a->path, n), a->seen, a->now_ms,
	    false, out);
	a->path[a->path_n] = '\0';
	if (e != OK)
		return false;
	if (out->fixed == whole->fixed && out->mtime_ns >= whole->mtime_ns)
		return true;
	edge_files_put(out);
	return false;
}

/*
 * The best form that the client takes (RFC 9110 12.5.3), from a->rep, which
 * is the file itself. False: it takes none that there is.
 */
static bool
choose(struct ask *a)
{
	unsigned have = 1u << ACCEPT_IDENTITY;
	struct accept accept;

	a->coding = ACCEPT_IDENTITY;
	if (!a->files->conf.forms)
		return true;
	accept_read(a->req->head, &accept);
	if (accept.named)
		have |= 1u << ACCEPT_BR | 1u << ACCEPT_ZSTD | 1u << ACCEPT_GZIP;
	for (;;) {
		int best = accept_best(&accept, have);
		struct rep form;

		if (best < 0)
			return false;
		if (best == ACCEPT_IDENTITY)
			return true;
		if (get_form(a, best, &a->rep, &form)) {
			edge_files_put(&a->rep);
			a->rep = form;
			a->coding = best;
			return true;
		}
		have &= ~(1u << best);
	}
}

/* Finds the file, or what stands for it. */
static enum err
look_up(struct ask *a, struct span raw)
{
	struct edge_files *f = a->files;
	enum err e = ERR_NOT_FOUND;

	if (raw.n > 0 && edge_files_path(raw, a->path, &a->path_n)) {
		e = edge_files_get(f, path_of(a), a->seen, a->now_ms, true,
		    &a->rep);
		if (e != ERR_NOT_FOUND)
			return e;
		if (!f->conf.spa || edge_files_has_suffix(path_of(a)))
			return e;
	} else if (raw.n > 0) {
		return e;
	}
	if (f->index.n == 0)
		return e;
	memcpy(a->path, f->index.p, f->index.n);
	a->path[f->index.n] = '\0';
	a->path_n = f->index.n;
	return edge_files_get(f, path_of(a), a->seen, a->now_ms, true,
	    &a->rep);
}

/* ---- Fields ---- */

static struct span
tag_of(const struct ask *a)
{
	return span_of(a->rep.tag, a->rep.tag_n);
}

/* Those that a 304 has, too (RFC 9110 15.4.5). */
static void
put_validators(const struct ask *a, struct wr *w)
{
	const struct edge_files *f = a->files;

	http_put_field(w, "ETag", tag_of(a));
	if (f->conf.forms)
		wr_str(w, "Vary: Accept-Encoding\r\n");
	if (f->index.n > 0 && span_eq(path_of(a), f->index))
		wr_str(w, "Cache-Control: no-cache\r\n");
	else if (f->immutable.n > 0 && span_starts(path_of(a), f->immutable))
		wr_str(w, "Cache-Control: "
		    "public, max-age=31536000, immutable\r\n");
	else if (f->cache_control.n > 0)
		http_put_field(w, "Cache-Control", f->cache_control);
}

/* Those of the representation but for its type. */
static void
put_fields(const struct ask *a, struct wr *w)
{
	const struct edge_files *f = a->files;
	uint64_t ms = a->rep.mtime_ns / 1000000;

	put_validators(a, w);
	/* RFC 9110 8.8.2.1: never later than the Date of the answer. */
	if (ms > 0)
		http_put_date(w, "Last-Modified",
		    ms < a->now_ms ? ms : a->now_ms);
	if (f->conf.ranges_max > 0)
		wr_str(w, "Accept-Ranges: bytes\r\n");
	if (a->coding != ACCEPT_IDENTITY)
		http_put_field_str(w, "Content-Encoding",
		    accept_name((enum accept_coding)a->coding));
	if (f->conf.nosniff)
		wr_str(w, "X-Content-Type-Options: nosniff\r\n");
}

/* All fields of a 200, kept with the file where it is kept. */
static struct span
whole_fields(struct ask *a, struct wr *w)
{
	struct kept *k = a->rep.kept;
	size_t role = a->coding != ACCEPT_IDENTITY;

	if (k != NULL && k->fields[role] != NULL)
		return blob_span(k->fields[role]);
	http_put_field(w, "Content-Type", a->type);
	put_fields(a, w);
	if (k != NULL && wr_ok(w))
		k->fields[role] = blob_dup(wr_done(w));
	return wr_done(w);
}

/* ---- Answers ---- */

static void
answer_plain(const struct ask *a, int status, struct span fields)
{
	const struct edge_answer answer = { .status = status,
	    .fields = fields };

	edge_answer(a->ref, &answer);
}

/* n bytes of the representation. */
static struct edge_piece
piece(const struct ask *a, uint64_t at, uint64_t n)
{
	return (struct edge_piece){ .blob = a->rep.body,
	    .file = a->rep.file, .at = at, .n = n };
}

/* The whole, or one range of it. */
static void
answer_range(struct ask *a, int status, struct span fields,
    const struct range *r)
{
	const struct edge_piece p = piece(a, r->at, r->n);
	const struct edge_answer answer = { .status = status,
	    .fields = fields, .pieces = &p, .pieces_n = 1 };

	a->rep.file.fd = -1;	/* it is edge's now */
	edge_answer(a->ref, &answer);
}

static void
put_content_range(struct wr *w, const struct range *r, uint64_t size)
{
	wr_str(w, "Content-Range: bytes ");
	if (r == NULL) {
		wr_str(w, "*");
	} else {
		wr_dec(w, r->at);
		wr_str(w, "-");
		wr_dec(w, r->at + r->n - 1);
	}
	wr_str(w, "/");
	wr_dec(w, size);
	wr_str(w, "\r\n");
}

static void
put_boundary(struct wr *w, const char boundary[static BOUNDARY],
    const char *before, const char *after)
{
	wr_str(w, before);
	wr_bytes(w, boundary, BOUNDARY);
	wr_str(w, after);
}

/*
 * The texts between the parts (RFC 9110 14.6): for each range one before it,
 * and the last one; their ends in ends[].
 */
static struct blob *
part_texts(const struct ask *a, const struct range *r, size_t n,
    const char boundary[static BOUNDARY], uint32_t *ends)
{
	const size_t room = (n + 1) * (BOUNDARY + a->type.n + 160);
	struct blob *b = blob_new(room);
	struct wr w;

	if (b == NULL)
		return NULL;
	w = wr_init(b->p, room);
	for (size_t i = 0; i < n; i++) {
		put_boundary(&w, boundary, i == 0 ? "--" : "\r\n--", "\r\n");
		http_put_field(&w, "Content-Type", a->type);
		put_content_range(&w, &r[i], a->rep.size);
		wr_str(&w, "\r\n");
		ends[i] = (uint32_t)w.n;
	}
	put_boundary(&w, boundary, "\r\n--", "--\r\n");
	ends[n] = (uint32_t)w.n;
	assert(wr_ok(&w));
	return b;
}

static void
answer_parts(struct ask *a, const struct range *r, size_t n)
{
	struct edge_piece pieces[2 * RANGE_MAX + 1];
	uint32_t ends[RANGE_MAX + 1];
	uint8_t text[FIELDS_BYTES], raw[BOUNDARY / 4 * 3];
	struct wr w = wr_init(text, sizeof text);
	char boundary[BOUNDARY];
	struct edge_answer answer = { .status = 206, .pieces = pieces };
	struct blob *b;

	/* Random, so that no content can have it in it on purpose. */
	sys_random(raw, sizeof raw);
	(void)base64url_encode(SPAN_OF(raw), boundary);
	b = part_texts(a, r, n, boundary, ends);
	if (b == NULL) {
		answer_plain(a, 503, SPAN("Retry-After: 1\r\n"));
		return;
	}
	for (size_t i = 0; i <= n; i++) {
		uint32_t at = i == 0 ? 0 : ends[i - 1];

		pieces[answer.pieces_n++] = (struct edge_piece){ .blob = b,
		    .at = at, .n = ends[i] - at };
		if (i < n)
			pieces[answer.pieces_n++] = piece(a, r[i].at, r[i].n);
	}
	put_boundary(&w, boundary,
	    "Content-Type: multipart/byteranges; boundary=", "\r\n");
	put_fields(a, &w);
	answer.fields = wr_done(&w);
	a->rep.file.fd = -1;	/* it is edge's now */
	edge_answer(a->ref, &answer);
	blob_unref(b);
}

/* ---- Conditions and ranges ---- */

/* The ranges that are to be sent; WHOLE where none are. */
static enum range_is
ranges_of(const struct ask *a, const struct etag_of *of, struct range *r,
    size_t *n_out)
{
	const struct http_msg *m = a->req->head;
	struct span v = http_find(m, "range");
	size_t max = a->files->conf.ranges_max;
	enum range_is is;

	/* RFC 9110 14.2: for GET only; 13.2.2, step 5. */
	if (v.p == NULL || max == 0 || m->method != HTTP_M_GET ||
	    http_count(m, "range") != 1 || !etag_if_range(m, of))
		return RANGE_WHOLE;
	is = range_parse(v, a->rep.size, max, r, n_out);
	/* Each part of a file has its weight in the queue. */
	if (is == RANGE_SOME && a->rep.body == NULL && *n_out > 1 &&
	    (*n_out + 1) * (STREAM_FILE_WEIGHT + 256) >
	    a->ref.edge->conf.out_max / 2)
		return RANGE_WHOLE;
	return is;
}

static void
answer_ranges(struct ask *a, const struct range *r, size_t n)
{
	uint8_t text[FIELDS_BYTES];
	struct wr w = wr_init(text, sizeof text);

	if (n > 1) {
		answer_parts(a, r, n);
		return;
	}
	put_content_range(&w, r, a->rep.size);
	http_put_field(&w, "Content-Type", a->type);
	put_fields(a, &w);
	answer_range(a, 206, wr_done(&w), r);
}

static void
answer_file(struct ask *a)
{
	uint8_t text[FIELDS_BYTES];
	struct wr w = wr_init(text, sizeof text);
	const struct etag_of of = { tag_of(a),
	    a->rep.mtime_ns / 1000000000, a->now_ms / 1000 };
	struct range r[RANGE_MAX];
	size_t n = 0;

	switch (etag_conditions(a->req->head, &of)) {
	case ETAG_NOT_MODIFIED:
		put_validators(a, &w);
		answer_plain(a, 304, wr_done(&w));
		return;
	case ETAG_FAILED:
		put_validators(a, &w);
		answer_plain(a, 412, wr_done(&w));
		return;
	case ETAG_GO_ON:
		break;
	}
	switch (ranges_of(a, &of, r, &n)) {
	case RANGE_NONE:
		/* RFC 9110 15.5.17 */
		put_content_range(&w, NULL, a->rep.size);
		wr_str(&w, "Accept-Ranges: bytes\r\n");
		answer_plain(a, 416, wr_done(&w));
		return;
	case RANGE_SOME:
		answer_ranges(a, r, n);
		return;
	case RANGE_WHOLE:
		r[0] = (struct range){ 0, a->rep.size };
		answer_range(a, 200, whole_fields(a, &w), r);
		return;
	}
}

bool
edge_files_answer(struct edge_ref request, struct edge_files *f,
    const struct edge_request *req, struct span path)
{
	enum http_m m = req->head->method;
	struct ask a = { .files = f, .ref = request, .req = req };
	enum err e;

	a.seen = edge_stats(request.edge)->bytes_in;
	a.now_ms = reactor_unix_ms(request.edge->reactor);
	if (m != HTTP_M_GET && m != HTTP_M_HEAD) {
		answer_plain(&a, 405, SPAN("Allow: GET, HEAD\r\n"));
		return true;
	}
	e = look_up(&a, path);
	if (e == ERR_NOT_FOUND)
		return false;
	if (e != OK) {
		answer_plain(&a, 503, SPAN("Retry-After: 1\r\n"));
		return true;
	}
	a.type = a.rep.type.n > 0 ? a.rep.type : edge_files_type(path_of(&a));
	/* 12.5.3, 15.5.7: whoever excludes identity is to get nothing else. */
	if (choose(&a))
		answer_file(&a);
	else
		answer_plain(&a, 406, SPAN("Vary: Accept-Encoding\r\n"));
	edge_files_put(&a.rep);
	return true;
}
