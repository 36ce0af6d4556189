/*
 * import.c: the file of `nightjard user import`, as rows. A line of either
 * form is decoded by the same record (user_import_req of shapes.def).
 */
#include "server/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/host.h"
#include "wire/shapes.h"

#define COLUMNS_MAX 16

void
import_fault(struct import *im, size_t line, const char *field,
    const char *message)
{
	struct import_fault *f;

	if (im->faults_n == IMPORT_FAULTS_MAX)
		return;
	f = &im->faults[im->faults_n++];
	f->line = line;
	snprintf(f->field, sizeof(f->field), "%s", field);
	snprintf(f->message, sizeof(f->message), "%s", message);
}

static enum err
lower(struct arena *a, struct span in, struct span *out)
{
	uint8_t *p = arena_bytes(a, in.n + 1);

	if (p == NULL)
		return ERR_TOO_LARGE;
	text_lower(in, p);
	*out = span_of(p, in.n);
	return OK;
}

/* One line, decoded: into the rows, or what is wrong with it. */
static enum err
add_row(struct import *im, struct arena *a, size_t line,
    const struct user_import_req *in)
{
	struct import_row *r;
	uint32_t cost;

	if (!host_password_is_bcrypt(in->password_hash, &cost)) {
		import_fault(im, line, "password_hash",
		    "must be bcrypt ($2a$, $2b$ or $2y$), cost 10 to 16");
		return OK;
	}
	if (cost < IMPORT_COST_MIN) {
		import_fault(im, line, "password_hash",
		    "must have a cost of at least 10");
		return OK;
	}
	if (im->rows_n == IMPORT_ROWS_MAX)
		return ERR_TOO_LARGE;
	r = arena_grow(a, im->rows, im->rows_n, &im->cap, sizeof(*r));
	if (r == NULL)
		return ERR_TOO_LARGE;
	im->rows = r;
	r = &im->rows[im->rows_n++];
	r->username = in->username;
	r->hash = in->password_hash;
	r->line = line;
	TRY(lower(a, in->username, &r->key));
	return lower(a, in->email, &r->email);
}

static enum err
decoded(struct import *im, struct arena *a, size_t line, enum err e,
    const struct user_import_req *in, const struct shape_error *faults)
{
	if (e == OK)
		return add_row(im, a, line, in);
	if (e == ERR_TOO_LARGE)
		return e;
	if (faults->n == 0)
		import_fault(im, line, "", "is malformed");
	for (size_t i = 0; i < faults->n; i++)
		import_fault(im, line, faults->fault[i].field,
		    faults->fault[i].message);
	return OK;
}

/* Takes a line off the front, without its end. */
static struct span
take_line(struct span *left)
{
	size_t n = span_find(*left, '\n');
	struct span line = span_sub(*left, 0, n);

	*left = span_sub(*left, n + 1, left->n);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static enum err
read_json(struct span text, struct arena *a, struct import *im)
{
	struct user_import_req in;
	struct shape_error faults;

	for (size_t n = 1; text.n > 0; n++) {
		struct span line = take_line(&text);

		if (line.n == 0)
			continue;
		faults.n = 0;
		enum err e = shape_decode(&shape_user_import_req, line, a,
		    &in, &faults);
		TRY(decoded(im, a, n, e, &in, &faults));
	}
	return OK;
}

/* ---- CSV, RFC 4180 2 ---- */

struct csv {
	struct span left;
	size_t line;			/* of the next byte */
	struct arena *a;
};

/* Drops n bytes at the front, counting lines. */
static void
drop(struct csv *c, size_t n)
{
	for (size_t i = 0; i < n && i < c->left.n; i++)
		c->line += c->left.p[i] == '\n';
	c->left = span_sub(c->left, n, c->left.n);
}

/* Takes a quoted field: two quotes within stand for one. */
static enum err
take_quoted(struct csv *c, struct span *out)
{
	size_t end = 1, n = 0;
	uint8_t *p;

	while (end < c->left.n && (c->left.p[end] != '"' ||
	    (end + 1 < c->left.n && c->left.p[end + 1] == '"'))) {
		end += c->left.p[end] == '"' ? 2 : 1;
		n++;
	}
	if (end >= c->left.n)
		return ERR_FORMAT;
	p = arena_bytes(c->a, n + 1);
	if (p == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 1, k = 0; i < end; i++) {
		p[k++] = c->left.p[i];
		i += c->left.p[i] == '"';
	}
	*out = span_of(p, n);
	drop(c, end + 1);
	return OK;
}

static struct span
take_bare(struct csv *c)
{
	struct span field;
	size_t end = 0;

	while (end < c->left.n && c->left.p[end] != ',' &&
	    c->left.p[end] != '\n')
		end++;
	field = span_sub(c->left, 0, end);
	if (field.n > 0 && field.p[field.n - 1] == '\r' &&
	    end < c->left.n && c->left.p[end] == '\n')
		field.n--;
	drop(c, end);
	return field;
}

/*
 * The fields of one record, and its end. ERR_FORMAT: it is malformed, and
 * nothing behind it can be read.  ERR_LIMIT: more than COLUMNS_MAX fields.
 */
static enum err
take_record(struct csv *c, struct span *fields, size_t *n_out)
{
	size_t n = 0;

	for (;;) {
		if (n == COLUMNS_MAX)
			return ERR_LIMIT;
		if (c->left.n > 0 && c->left.p[0] == '"')
			TRY(take_quoted(c, &fields[n]));
		else
			fields[n] = take_bare(c);
		n++;
		if (c->left.n == 0 || c->left.p[0] != ',')
			break;
		drop(c, 1);
	}
	*n_out = n;
	if (c->left.n == 0)
		return OK;
	if (!span_starts(c->left, SPAN("\n")) &&
	    !span_starts(c->left, SPAN("\r\n")))
		return ERR_FORMAT;
	drop(c, c->left.p[0] == '\r' ? 2 : 1);
	return OK;
}

/* The record of one line by the names of the first. */
static enum err
add_record(struct import *im, struct arena *a, size_t line,
    const struct span *names, size_t names_n, const struct span *fields,
    size_t n)
{
	struct shape_param params[COLUMNS_MAX];
	struct user_import_req in;
	struct shape_error faults = { .n = 0 };

	if (n != names_n) {
		import_fault(im, line, "", "must have as many fields as the "
		    "first line has");
		return OK;
	}
	for (size_t i = 0; i < n; i++)
		params[i] = (struct shape_param){ names[i], fields[i] };
	enum err e = shape_decode_call(&shape_user_import_req, params, n,
	    SPAN(""), a, &in, &faults);
	return decoded(im, a, line, e, &in, &faults);
}

static enum err
read_csv(struct span text, struct arena *a, struct import *im)
{
	struct csv c = { .left = text, .line = 1, .a = a };
	struct span names[COLUMNS_MAX], fields[COLUMNS_MAX];
	size_t names_n, n, line = 1;
	enum err e = take_record(&c, names, &names_n);

	while (e == OK && c.left.n > 0) {
		line = c.line;
		e = take_record(&c, fields, &n);
		if (e == OK && (n > 1 || fields[0].n > 0))
			e = add_record(im, a, line, names, names_n, fields,
			    n);
	}
	if (e != ERR_FORMAT && e != ERR_LIMIT)
		return e;
	import_fault(im, line, "", e == ERR_LIMIT ? "has too many fields" :
	    "has a quoted field that does not end right");
	return OK;
}

/* ---- all of it ---- */

/* Sorted by one of its texts, then by line. */
static int
compare_keys(const void *a, const void *b)
{
	const struct import_row *x = *(const struct import_row *const *)a;
	const struct import_row *y = *(const struct import_row *const *)b;
	int d = span_cmp(x->key, y->key);

	return d != 0 ? d : x->line < y->line ? -1 : x->line > y->line;
}

static int
compare_emails(const void *a, const void *b)
{
	const struct import_row *x = *(const struct import_row *const *)a;
	const struct import_row *y = *(const struct import_row *const *)b;
	int d = span_cmp(x->email, y->email);

	return d != 0 ? d : x->line < y->line ? -1 : x->line > y->line;
}

static enum err
find_doubles(struct import *im, struct arena *a)
{
	const struct import_row **all = arena_alloc(a,
	    (im->rows_n + 1) * sizeof(*all));

	if (all == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < im->rows_n; i++)
		all[i] = &im->rows[i];
	qsort(all, im->rows_n, sizeof(*all), compare_keys);
	for (size_t i = 1; i < im->rows_n; i++)
		if (span_eq(all[i]->key, all[i - 1]->key))
			import_fault(im, all[i]->line, "username",
			    "stands in the file twice (case does not count)");
	qsort(all, im->rows_n, sizeof(*all), compare_emails);
	for (size_t i = 1; i < im->rows_n; i++)
		if (span_eq(all[i]->email, all[i - 1]->email))
			import_fault(im, all[i]->line, "email",
			    "stands in the file twice (case does not count)");
	return OK;
}

enum err
import_read(struct span text, struct arena *a, struct import *out)
{
	size_t i = 0;

	memset(out, 0, sizeof(*out));
	if (span_starts(text, SPAN("\xef\xbb\xbf")))
		text = span_sub(text, 3, text.n);
	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\n' ||
	    text.p[i] == '\r' || text.p[i] == '\t'))
		i++;
	if (i == text.n) {
		import_fault(out, 0, "", "has no lines");
		return ERR_VALIDATION;
	}
	TRY(text.p[i] == '{' ? read_json(text, a, out) :
	    read_csv(text, a, out));
	TRY(find_doubles(out, a));
	if (out->rows_n == 0 && out->faults_n == 0)
		import_fault(out, 0, "", "has no accounts");
	return out->faults_n > 0 ? ERR_VALIDATION : OK;
}
