/*
 * search_query.c: finding messages by their words (query.h; exports
 * client_search_next, client_search_ranges).
 *
 * Implementation notes: a page walks the leaves from the newest back, and
 * reads those whose bits say that all words may be there. The texts of a leaf
 * lie side by side, so the longest word is looked for in all of them at once
 * (Horspool), and only where it stands the other words, the chat and what is
 * recent are asked. A leaf is dropped from the arena before the next one is
 * read.
 */
#include "base/text.h"
#include "client/client.h"
#include "client/fold.h"
#include "client/item.h"
#include "client/search.h"

#define LEAVES_MAX 1024u	/* of one call: 64 MiB at most */
#define FOLDED_MAX (FOLD_BYTES_MAX(CLIENT_WORDS_LEN_MAX))

struct words {
	uint8_t mem[FOLDED_MAX];
	struct span w[CLIENT_WORDS_MAX];
	size_t n;
	size_t longest;
	uint8_t skip[256];	/* Horspool's, of the longest */
};

/* The folded words. */
static enum err
words_init(struct words *x, struct span typed)
{
	struct wr w = wr_init(x->mem, sizeof(x->mem));
	struct span rest;

	x->n = x->longest = 0;
	if (typed.n > CLIENT_WORDS_LEN_MAX || !utf8_valid(typed))
		return ERR_VALIDATION;
	fold_text(typed, &w);
	for (rest = wr_done(&w); rest.n > 0;) {
		size_t end = span_find(rest, ' ');

		if (x->n == CLIENT_WORDS_MAX)
			return ERR_VALIDATION;
		x->w[x->n] = span_sub(rest, 0, end);
		if (x->w[x->n].n > x->w[x->longest].n)
			x->longest = x->n;
		x->n++;
		rest = span_sub(rest, end + 1, rest.n);
	}
	return x->n == 0 ? ERR_VALIDATION : OK;
}

/* How far to go on when the byte under the word's end is not its last one. */
static void
skip_init(uint8_t skip[static 256], struct span word)
{
	size_t most = word.n < 255 ? word.n : 255;

	memset(skip, (int)most, 256);
	for (size_t i = 0; i + 1 < word.n; i++) {
		size_t k = word.n - 1 - i;

		skip[word.p[i]] = (uint8_t)(k < most ? k : most);
	}
}

/* Where the word stands in text at or behind `from`; text.n: nowhere. */
static size_t
find_word(struct span text, size_t from, struct span word,
    const uint8_t skip[static 256])
{
	uint8_t last = word.p[word.n - 1];

	for (size_t end = from + word.n - 1; end < text.n;
	    end += skip[text.p[end]])
		if (text.p[end] == last && memcmp(&text.p[end + 1 - word.n],
		    word.p, word.n) == 0)
			return end + 1 - word.n;
	return text.n;
}

static bool
has_word(struct span text, struct span word)
{
	if (word.n > text.n)
		return false;
	for (size_t i = 0; i + word.n <= text.n; i++) {
		i += span_find(span_sub(text, i, text.n - word.n + 1 - i),
		    word.p[0]);
		if (i + word.n <= text.n &&
		    memcmp(&text.p[i], word.p, word.n) == 0)
			return true;
	}
	return false;
}

static bool
has_all(const struct words *x, struct span text)
{
	for (size_t i = 0; i < x->n; i++)
		if (!has_word(text, x->w[i]))
			return false;
	return true;
}

/* A search under way. */
struct search {
	const struct client_search *q;
	struct words words;
	struct search_leaf recent;
	struct search_entry before;	/* only what is before this place */
	bool bounded;			/* before is set */
	struct search_entry *hits;	/* ring: the newest ones of a leaf */
	size_t cap, hits_n;		/* found in all */
};

static bool
in_reach(const struct search *x, const struct search_entry *e)
{
	return (!x->bounded || search_cmp(e, &x->before) < 0) &&
	    (ID_IS_ZERO(x->q->chat) || ID_EQ(x->q->chat, e->chat));
}

static void
hit(struct search *x, const struct search_entry *e)
{
	x->hits[x->hits_n++ % x->cap] = *e;
}

/* The recent entry at the place, or the first behind it. */
static uint32_t
recent_lower(const struct search *x, const struct search_entry *e)
{
	uint32_t lo = 0, hi = x->recent.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct search_entry m = search_leaf_entry(&x->recent, mid);

		if (search_cmp(&m, e) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Recent hits before the place e (NULL: all), from number *next on. */
static void
recent_hits(struct search *x, uint32_t *next, const struct search_entry *e)
{
	for (; *next < x->recent.n; ++*next) {
		struct search_entry r = search_leaf_entry(&x->recent, *next);

		if (e != NULL && search_cmp(&r, e) >= 0)
			return;
		if (in_reach(x, &r) && has_all(&x->words, r.text))
			hit(x, &r);
	}
}

/* The entry whose text holds the byte at this place of the texts. */
static uint32_t
entry_at(const struct search_leaf *l, size_t at)
{
	uint32_t lo = 0, hi = l->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (search_leaf_at(l, mid) <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* All hits of a leaf, ascending, those among the recent ones between them. */
static void
leaf_hits(struct search *x, const struct search_leaf *l,
    const struct search_entry *low)
{
	struct span word = x->words.w[x->words.longest];
	uint32_t next = recent_lower(x, low), i;
	size_t at = 0;

	x->hits_n = 0;
	while ((at = find_word(l->texts, at, word, x->words.skip)) <
	    l->texts.n) {
		struct search_entry e;
		uint32_t k;

		i = entry_at(l, at);
		e = search_leaf_entry(l, i);
		at = search_leaf_at(l, i + 1);
		if (at == 0)
			return;		/* not a leaf of ours */
		if (x->bounded && search_cmp(&e, &x->before) >= 0)
			break;
		if (!in_reach(x, &e) || !has_all(&x->words, e.text))
			continue;
		recent_hits(x, &next, &e);
		k = recent_lower(x, &e);
		if (k < x->recent.n) {
			struct search_entry r = search_leaf_entry(&x->recent,
			    k);

			if (search_cmp(&r, &e) == 0)
				continue;	/* that one counts */
		}
		hit(x, &e);
	}
	/* `before` is at most where the next leaf begins. */
	recent_hits(x, &next, x->bounded ? &x->before : NULL);
}

static bool
may_hold(const struct search *x, struct span bits)
{
	for (size_t i = 0; i < x->words.n; i++)
		if (!search_bits_have(bits, x->words.w[i]))
			return false;
	return true;
}

/* The last leaf that begins before x->before, and where; empty when its bits
 * say that nothing is there. ERR_NOT_FOUND: none, but what is recent may be
 * older than all leaves. */
static enum err
leaf_before(struct step *s, const struct search *x, struct span *value_out,
    struct search_entry *low_out)
{
	struct rec_key prefix = rec_key(), from = search_bits_key(&x->before);
	struct span key, bits, none = { NULL, 0 };
	enum err err;

	rec_key_u8(&prefix, rec_key_span(&from).p[0]);
	TRY(s->c->host.seek(s->c->host.ctx, REC_SEARCH, rec_key_span(&prefix),
	    x->bounded ? rec_key_span(&from) : none, true, s->a, &key,
	    &bits));
	TRY(search_key_decode(key, low_out));
	*value_out = none;
	if (!may_hold(x, bits))
		return OK;
	from = search_key(low_out);
	err = s->c->host.load(s->c->host.ctx, REC_SEARCH, rec_key_span(&from),
	    s->a, value_out);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The hits of the ring, newest first, as entries that can be shown. */
static enum err
take_hits(struct step *s, struct search *x, struct client_item *out,
    size_t cap, size_t *n)
{
	size_t have = x->hits_n < x->cap ? x->hits_n : x->cap;
	struct item_place at;

	for (size_t i = 1; i <= have && *n < cap; i++) {
		const struct search_entry *e =
		    &x->hits[(x->hits_n - i) % x->cap];
		enum err err;

		at = (struct item_place){ e->chat, e->order, e->sub };
		err = item_get(s, &at, &out[*n]);
		if (err == OK && out[*n].kind == ITEM_TEXT)
			++*n;
		else if (err != OK && err != ERR_NOT_FOUND)
			return err;
		x->before = *e;
		x->before.text = (struct span){ NULL, 0 };
		x->bounded = true;
	}
	return OK;
}

/* One leaf; *end_out: that was the oldest one. */
static enum err
one_leaf(struct step *s, struct search *x, struct client_item *out, size_t cap,
    size_t *n, bool *end_out)
{
	struct arena_mark m = arena_mark(s->a);
	struct search_leaf leaf = { .n = 0 };
	struct search_entry low = { .order = 0 };
	struct span value = { NULL, 0 };
	bool oldest, all;
	enum err err = leaf_before(s, x, &value, &low);

	oldest = err == ERR_NOT_FOUND;
	if (err == OK)
		err = search_leaf_decode(value, &leaf);
	if (err == OK || oldest) {
		leaf_hits(x, &leaf, &low);
		err = OK;
	}
	all = x->hits_n <= x->cap - *n;
	arena_reset(s->a, m);
	TRY(err);
	TRY(take_hits(s, x, out, cap, n));
	if (!all)
		return OK;		/* the same leaf once more */
	*end_out = oldest;
	x->before = low;
	x->bounded = true;
	return OK;
}

static enum err
search_begin(struct step *s, struct search *x, const struct client_search *q,
    struct client_search_at *at, size_t cap)
{
	struct rec_key key = search_recent_key();
	struct span value = { NULL, 0 };
	enum err err;

	x->q = q;
	x->cap = cap;
	x->bounded = at->set;
	x->before = (struct search_entry){ .order = at->order,
	    .chat = at->chat, .sub = at->sub };
	TRY(words_init(&x->words, q->words));
	skip_init(x->words.skip, x->words.w[x->words.longest]);
	x->hits = arena_alloc(s->a, cap * sizeof(x->hits[0]));
	if (x->hits == NULL)
		return ERR_TOO_LARGE;
	err = rec_get(&s->r, REC_SEARCH, rec_key_span(&key), &value);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	TRY(search_leaf_decode(value, &x->recent));
	key = search_state_key();
	err = rec_get(&s->r, REC_SEARCH, rec_key_span(&key), &value);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	at->partial = err != OK || value.n == 0 || value.p[0] != 2;
	return OK;
}

static enum err
search_page(struct step *s, const struct client_search *q,
    struct client_search_at *at, struct client_item *out, size_t cap,
    size_t *n_out)
{
	struct search *x = ARENA_NEW(s->a, struct search);

	if (x == NULL)
		return ERR_TOO_LARGE;
	TRY(search_begin(s, x, q, at, cap));
	for (size_t i = 0; i < LEAVES_MAX && *n_out < cap && !at->end; i++)
		TRY(one_leaf(s, x, out, cap, n_out, &at->end));
	at->set = x->bounded;
	at->order = x->before.order;
	at->chat = x->before.chat;
	at->sub = x->before.sub;
	return OK;
}

enum err
client_search_next(struct client *c, struct arena *a,
    const struct client_search *q, struct client_search_at *at,
    struct client_item *items_out, size_t cap, size_t *n_out)
{
	struct step *s = ARENA_NEW(a, struct step);
	enum err err;

	*n_out = 0;
	if (s == NULL)
		return ERR_TOO_LARGE;
	if (at->end || cap == 0)
		return OK;
	TRY(step_init(s, c, a, 0, false));
	err = search_page(s, q, at, items_out, cap, n_out);
	step_fini(s);
	return err;
}

/* ---- where the words stand ---- */

/* Does the word begin with the k-th folded character of text's first one? How
 * many bytes of the text it takes; 0: no. */
static size_t
match_at(struct span text, size_t k, struct span word)
{
	uint32_t code, to[FOLD_MAX];
	uint8_t utf8[4];
	size_t used, n, taken = 0, bytes;

	while (word.n > 0) {
		if (taken == text.n)
			return 0;
		used = utf8_next(span_sub(text, taken, text.n - taken),
		    &code);
		n = fold_char(code, to);
		for (; k < n && word.n > 0; k++) {
			bytes = utf8_put(to[k], utf8);
			if (!span_starts(word, span_of(utf8, bytes)))
				return 0;
			word = span_sub(word, bytes, word.n - bytes);
		}
		k = 0;
		taken += used;
	}
	/* Marks that vanish belong to the character before them. */
	while (taken < text.n) {
		used = utf8_next(span_sub(text, taken, text.n - taken),
		    &code);
		if (fold_char(code, to) != 0)
			break;
		taken += used;
	}
	return taken;
}

/* The longest of the words that begins here. */
static size_t
match_any(const struct words *x, struct span text)
{
	uint32_t code, to[FOLD_MAX];
	size_t n, best = 0;

	(void)utf8_next(text, &code);
	n = fold_char(code, to);
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < n; k++) {
			size_t got = match_at(text, k, x->w[i]);

			if (got > best)
				best = got;
		}
	return best;
}

size_t
client_search_ranges(const struct client_search *q, struct span text,
    struct client_range *out, size_t cap)
{
	struct words x;
	size_t n = 0, from = 0;
	uint32_t code;

	if (words_init(&x, q->words) != OK)
		return 0;
	while (from < text.n && n < cap) {
		struct span rest = span_sub(text, from, text.n - from);
		size_t got = match_any(&x, rest);

		if (got != 0)
			out[n++] = (struct client_range){ from, got };
		from += got != 0 ? got : utf8_next(rest, &code);
	}
	return n;
}
