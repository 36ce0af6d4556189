/*
 * search.c: people by a part of their name: the exact name first, then those
 * that begin so, then those that are like it.
 *
 * Implementation notes: a name is like what is sought when it holds it, or at
 * least half of its parts of three characters. user_trigrams says which names
 * hold which part. Parts that many names have say little and are left out
 * (TRIGRAM_MAX); when all of them are common, those names count that have the
 * first, the middle and the last. So no search looks at more than a fixed
 * number of rows, however many people there are.
 */
#include <stdlib.h>

#include "server/ops.h"
#include "store/txn.h"

#define SEARCH_MAX 20
#define NAME_MAX 30
#define TRIGRAMS_MAX (NAME_MAX - 2)
#define TRIGRAM_MAX 2000	/* names that an uncommon part is in */
#define COMMON_LOOKED_AT 20000	/* names that a common part is in */
#define PREFIX_LOOKED_AT 2000
#define CANDIDATES_MAX 2000	/* whose names are read */

struct search {
	char text[NAME_MAX];
	size_t n;		/* 0: no name is like that */
};

enum err
search_check(struct call *c)
{
	const struct user_search_req *in = c->req;
	struct search *s = ARENA_NEW(&c->arena, struct search);

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	if (in->q.n > NAME_MAX || !shape_is_class(SHAPE_USERNAME, in->q))
		return OK;		/* no name has such characters */
	for (size_t i = 0; i < in->q.n; i++) {
		uint8_t ch = in->q.p[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (uint8_t)(ch - 'A' + 'a');
		s->text[s->n++] = (char)ch;
	}
	return OK;
}

static bool
has_user(const struct user_search_rep *out, const struct user_id *id)
{
	for (size_t i = 0; i < out->users.n; i++)
		if (ID_EQ(out->users.p[i].id, *id))
			return true;
	return false;
}

/* Names that begin so; in order, so the exact one comes first. */
static enum err
add_prefix(struct call *c, struct txn *t, const struct search *s,
    uint32_t limit, struct user_search_rep *out)
{
	struct q_user_search_prefix_in in = { .caller = c->who.user,
	    .limit = limit, .looked_at = PREFIX_LOOKED_AT };
	struct q_user_search_prefix_out row;
	struct cursor cu = { 0 };
	char to[NAME_MAX + 1];
	enum err e;

	/* '{' follows 'z', the greatest character of a name. */
	memcpy(to, s->text, s->n);
	to[s->n] = '{';
	in.from = span_of(s->text, s->n);
	in.to = span_of(to, s->n + 1);
	TRY(q_user_search_prefix_open(t, &in, &cu));
	while ((e = q_user_search_prefix_next(&cu, &row)) == OK)
		if (out->users.n < limit)
			out->users.p[out->users.n++] = (struct user_hit_rec){
			    row.user, row.username };
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- names that are like it ---- */

struct part {
	char text[3];
};

/* Its different parts of three characters, in order. */
static size_t
split(const struct search *s, struct part parts[static TRIGRAMS_MAX])
{
	size_t n = 0, k;

	for (size_t i = 0; i + 3 <= s->n; i++) {
		for (k = 0; k < n; k++)
			if (memcmp(parts[k].text, s->text + i, 3) == 0)
				break;
		if (k == n)
			memcpy(parts[n++].text, s->text + i, 3);
	}
	return n;
}

struct ids {
	struct user_id *p;
	size_t n, cap;
};

/* Those who have this part; a common one leaves ids as it was. */
static enum err
add_part(struct call *c, struct txn *t, const struct part *part,
    struct ids *ids, size_t *parts_n)
{
	struct q_user_trigram_in in = { span_of(part->text, 3),
	    TRIGRAM_MAX + 1 };
	struct q_user_trigram_out row;
	struct cursor cu = { 0 };
	size_t before = ids->n;
	enum err e;

	TRY(q_user_trigram_open(t, &in, &cu));
	while ((e = q_user_trigram_next(&cu, &row)) == OK) {
		ids->p = arena_grow(&c->arena, ids->p, ids->n, &ids->cap,
		    sizeof(*ids->p));
		if (ids->p == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		ids->p[ids->n++] = row.user;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	if (ids->n - before > TRIGRAM_MAX)
		ids->n = before;
	else
		(*parts_n)++;
	return OK;
}

/* All parts are common: those who have three of them. */
static enum err
add_common(struct call *c, struct txn *t, const struct part *parts, size_t n,
    struct ids *ids)
{
	struct q_user_trigrams_all_in in = { span_of(parts[n - 1].text, 3),
	    span_of(parts[n / 2].text, 3), span_of(parts[0].text, 3),
	    CANDIDATES_MAX, COMMON_LOOKED_AT };
	struct q_user_trigrams_all_out row;
	struct cursor cu = { 0 };
	enum err e;

	ids->p = arena_alloc(&c->arena, CANDIDATES_MAX * sizeof(*ids->p));
	if (ids->p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_user_trigrams_all_open(t, &in, &cu));
	while ((e = q_user_trigrams_all_next(&cu, &row)) == OK)
		ids->p[ids->n++] = row.user;
	return e == ERR_NOT_FOUND ? OK : e;
}

struct candidate {
	struct user_id id;
	struct span key;
	size_t score;		/* parts in common, more for the whole */
};

static int
compare_id(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/* The better first; then the shorter, then by name. */
static int
compare_score(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	int order = x->key.n == 0 ? 0 : memcmp(x->key.p, y->key.p, x->key.n);
	return order != 0 ? order : memcmp(x->id.b, y->id.b, ID_LEN);
}

/* Each of them once, with how often he came. */
static enum err
count(struct call *c, struct ids *ids, struct candidate **out, size_t *n_out)
{
	struct candidate *p = arena_alloc(&c->arena,
	    (ids->n + 1) * sizeof(*p));
	size_t n = 0;

	if (p == NULL)
		return ERR_TOO_LARGE;
	if (ids->n > 0)
		qsort(ids->p, ids->n, sizeof(*ids->p), compare_id);
	for (size_t i = 0; i < ids->n; i++) {
		if (n == 0 || !ID_EQ(p[n - 1].id, ids->p[i]))
			p[n++] = (struct candidate){ .id = ids->p[i] };
		p[n - 1].score++;
	}
	if (n > 0)
		qsort(p, n, sizeof(*p), compare_score);
	*out = p;
	*n_out = n < CANDIDATES_MAX ? n : CANDIDATES_MAX;
	return OK;
}

static bool
holds(struct span name, const char *text, size_t n)
{
	for (size_t i = 0; i + n <= name.n; i++)
		if (memcmp(name.p + i, text, n) == 0)
			return true;
	return false;
}

/*
 * Reads the names of those who come into question and ranks them by all of
 * their parts.
 */
static enum err
rank(struct txn *t, const struct search *s, const struct part *parts,
    size_t parts_n, struct candidate *p, size_t *n)
{
	struct q_user_key_out row;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		enum err e = q_user_key(t, &(struct q_user_key_in){ p[i].id },
		    &row);

		if (e == ERR_NOT_FOUND)
			continue;
		TRY(e);
		struct candidate k = { p[i].id, row.key, 0 };
		for (size_t j = 0; j < parts_n; j++)
			k.score += holds(k.key, parts[j].text, 3);
		if (holds(k.key, s->text, s->n))
			k.score += TRIGRAMS_MAX;
		else if (2 * k.score < parts_n || k.score < 2)
			continue;
		p[kept++] = k;
	}
	if (kept > 0)
		qsort(p, kept, sizeof(*p), compare_score);
	*n = kept;
	return OK;
}

/* The best of them, but for whom the caller may not see. */
static enum err
add_best(struct call *c, struct txn *t, const struct candidate *p, size_t n,
    uint32_t limit, struct user_search_rep *out)
{
	struct q_user_search_get_out row;

	for (size_t i = 0; i < n && out->users.n < limit; i++) {
		enum err e;

		if (has_user(out, &p[i].id))
			continue;
		e = q_user_search_get(t, &(struct q_user_search_get_in){
		    p[i].id, c->who.user }, &row);
		if (e == ERR_NOT_FOUND)
			continue;
		TRY(e);
		out->users.p[out->users.n++] = (struct user_hit_rec){
		    p[i].id, row.username };
	}
	return OK;
}

static enum err
add_like(struct call *c, struct txn *t, const struct search *s,
    uint32_t limit, struct user_search_rep *out)
{
	struct part parts[TRIGRAMS_MAX];
	size_t parts_n = split(s, parts), uncommon = 0, n;
	struct ids ids = { NULL, 0, 0 };
	struct candidate *p;

	for (size_t i = 0; i < parts_n; i++)
		TRY(add_part(c, t, &parts[i], &ids, &uncommon));
	if (uncommon == 0)
		TRY(add_common(c, t, parts, parts_n, &ids));
	TRY(count(c, &ids, &p, &n));
	TRY(rank(t, s, parts, parts_n, p, &n));
	return add_best(c, t, p, n, limit, out);
}

enum err
search_read(struct call *c, struct txn *t)
{
	const struct user_search_req *in = c->req;
	const struct search *s = c->state;
	struct user_search_rep *out = c->rep;
	uint32_t limit = in->has_limit ? in->limit : SEARCH_MAX;

	out->users.p = arena_alloc(&c->arena, limit * sizeof(*out->users.p));
	if (out->users.p == NULL)
		return ERR_TOO_LARGE;
	if (s->n == 0)
		return OK;
	TRY(add_prefix(c, t, s, limit, out));
	if (out->users.n < limit && s->n >= 3)
		TRY(add_like(c, t, s, limit, out));
	return OK;
}
