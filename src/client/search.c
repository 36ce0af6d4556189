/*
 * search.c: keeping the index of what was said, see search.h.
 *
 * Implementation notes: a leaf is rewritten whole when it changes, so what a
 * step adds goes into one small record first ("recent"), and only when that is
 * full into the leaves it belongs to: about 2 KiB written for each message
 * instead of 64. What is gone, and what an edit replaced, leaves its leaf at
 * once: a text that has disappeared must not stay on the disk until others
 * come. A leaf that grows too large is split evenly, or, where the newest were
 * added to the newest leaf, behind what is full.
 */
#include "client/search.h"

#include "client/fold.h"
#include "client/item.h"

#define LEAF_FORMAT 1
#define LEAF_HEAD_LEN (1 + 4 + 4)
#define KIND_LEAF 1
#define KIND_RECENT 2
#define KIND_STATE 3
#define KIND_BITS 4

/* ---- leaves ---- */

int
search_cmp(const struct search_entry *a, const struct search_entry *b)
{
	int c;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	c = memcmp(a->chat.b, b->chat.b, ID_LEN);
	if (c != 0)
		return c;
	return a->sub < b->sub ? -1 : a->sub > b->sub;
}

enum err
search_leaf_decode(struct span value, struct search_leaf *out)
{
	struct rd r = rd_init(value);
	uint32_t text_n;

	*out = (struct search_leaf){ .n = 0 };
	if (value.n == 0)
		return OK;
	if (rd_u8(&r) != LEAF_FORMAT)
		return ERR_FORMAT;
	out->n = rd_u32(&r);
	text_n = rd_u32(&r);
	out->entries = rd_span(&r, (size_t)out->n * SEARCH_ENTRY_LEN);
	out->texts = rd_span(&r, text_n);
	if (rd_done(&r))
		return OK;
	*out = (struct search_leaf){ .n = 0 };
	return ERR_FORMAT;
}

size_t
search_leaf_at(const struct search_leaf *l, uint32_t i)
{
	struct rd r;

	if (i >= l->n)
		return l->texts.n;
	r = rd_init(span_sub(l->entries, (size_t)i * SEARCH_ENTRY_LEN +
	    SEARCH_ENTRY_LEN - 4, 4));
	return rd_u32(&r);
}

struct search_entry
search_leaf_entry(const struct search_leaf *l, uint32_t i)
{
	struct rd r = rd_init(span_sub(l->entries,
	    (size_t)i * SEARCH_ENTRY_LEN, SEARCH_ENTRY_LEN));
	struct search_entry e = { .order = rd_u64(&r) };
	size_t from, end;

	rd_bytes(&r, e.chat.b, ID_LEN);
	e.sub = rd_u8(&r);
	from = rd_u32(&r);
	end = search_leaf_at(l, i + 1);
	if (end > from + 1)
		e.text = span_sub(l->texts, from, end - 1 - from);
	return e;
}

static size_t
entry_bytes(const struct search_entry *e)
{
	return SEARCH_ENTRY_LEN + e->text.n + 1;
}

/* Appends a leaf of n entries. */
static void
leaf_encode(const struct search_entry *e, size_t n, struct wr *w)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (uint32_t)e[i].text.n + 1;
	wr_u8(w, LEAF_FORMAT);
	wr_u32(w, (uint32_t)n);
	wr_u32(w, at);
	at = 0;
	for (size_t i = 0; i < n; i++) {
		wr_u64(w, e[i].order);
		wr_bytes(w, e[i].chat.b, ID_LEN);
		wr_u8(w, e[i].sub);
		wr_u32(w, at);
		at += (uint32_t)e[i].text.n + 1;
	}
	for (size_t i = 0; i < n; i++) {
		wr_span(w, e[i].text);
		wr_u8(w, 0);
	}
}

static struct rec_key
one_key(uint8_t kind)
{
	struct rec_key k = rec_key();

	rec_key_u8(&k, kind);
	return k;
}

struct rec_key
search_recent_key(void)
{
	return one_key(KIND_RECENT);
}

struct rec_key
search_state_key(void)
{
	return one_key(KIND_STATE);
}

static struct rec_key
place_key(uint8_t kind, const struct search_entry *from)
{
	struct rec_key k = one_key(kind);

	rec_key_u64(&k, from->order);
	rec_key_id(&k, from->chat.b);
	rec_key_u8(&k, from->sub);
	return k;
}

struct rec_key
search_key(const struct search_entry *from)
{
	return place_key(KIND_LEAF, from);
}

struct rec_key
search_bits_key(const struct search_entry *from)
{
	return place_key(KIND_BITS, from);
}

enum err
search_key_decode(struct span key, struct search_entry *out)
{
	struct rd r = rd_init(key);
	uint8_t kind = rd_u8(&r);

	*out = (struct search_entry){ .order = 0 };

	if (kind != KIND_LEAF && kind != KIND_BITS)
		return ERR_FORMAT;
	out->order = rd_u64(&r);
	rd_bytes(&r, out->chat.b, ID_LEN);
	out->sub = rd_u8(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

/* Two or three bytes that follow each other, as one of SEARCH_BITS_LEN * 8
 * bits (Knuth's multiplication). 0xff is in no text, so pairs stand apart. */
static uint32_t
bit_of(const uint8_t *p, size_t n)
{
	uint32_t x = p[0] | (uint32_t)p[1] << 8 |
	    (n == 3 ? (uint32_t)p[2] : 0xffu) << 16;

	_Static_assert(SEARCH_BITS_LEN * 8 == 1u << 15, "the shift below");
	return (x * 2654435761u) >> (32 - 15);
}

bool
search_bits_have(struct span bits, struct span word)
{
	size_t n = word.n < 3 ? word.n : 3;

	if (bits.n != SEARCH_BITS_LEN || n < 2)
		return true;
	for (size_t i = 0; i + n <= word.n; i++) {
		uint32_t b = bit_of(&word.p[i], n);

		if ((bits.p[b / 8] & 1u << b % 8) == 0)
			return false;
	}
	return true;
}

/* Sets the bits of all that stands in a text. */
static void
bits_add(uint8_t bits[static SEARCH_BITS_LEN], struct span text)
{
	for (size_t n = 2; n <= 3; n++)
		for (size_t i = 0; i + n <= text.n; i++) {
			uint32_t b = bit_of(&text.p[i], n);

			bits[b / 8] |= (uint8_t)(1u << b % 8);
		}
}

static enum err
bits_put(struct step *s, const struct rec_key *leaf,
    const struct search_entry *e, size_t n)
{
	struct rec_key key = *leaf;
	uint8_t *bits;

	key.b[0] = KIND_BITS;
	if (n == 0)
		return rec_del(&s->r, REC_SEARCH, rec_key_span(&key));
	bits = arena_alloc(s->a, SEARCH_BITS_LEN);
	if (bits == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < n; i++)
		bits_add(bits, e[i].text);
	return rec_put(&s->r, REC_SEARCH, rec_key_span(&key),
	    span_of(bits, SEARCH_BITS_LEN));
}

static enum err
leaf_put(struct step *s, const struct rec_key *key,
    const struct search_entry *e, size_t n)
{
	size_t bytes = LEAF_HEAD_LEN;
	struct wr w;

	if (key->b[0] == KIND_LEAF)
		TRY(bits_put(s, key, e, n));
	if (n == 0)
		return rec_del(&s->r, REC_SEARCH, rec_key_span(key));
	for (size_t i = 0; i < n; i++)
		bytes += entry_bytes(&e[i]);
	TRY(step_wr(s, bytes, &w));
	leaf_encode(e, n, &w);
	if (!wr_ok(&w))
		return ERR_INTERNAL;
	return rec_put(&s->r, REC_SEARCH, rec_key_span(key), wr_done(&w));
}

/* ---- changes ---- */

static enum err
push(struct step *s, const struct search_entry *e, bool replaces)
{
	struct search_op *op = ARENA_NEW(s->a, struct search_op);

	if (op == NULL)
		return ERR_TOO_LARGE;
	op->e = *e;
	op->replaces = replaces;
	op->next = s->search;
	s->search = op;
	s->search_n++;
	return OK;
}

enum err
search_gone(struct step *s, const struct item_place *at)
{
	struct search_entry e = { .order = at->order, .chat = at->chat,
	    .sub = at->sub, .gone = true };

	return push(s, &e, true);
}

enum err
search_note(struct step *s, const struct client_item *it)
{
	struct search_entry e = { .order = it->order, .chat = it->chat,
	    .sub = it->sub };
	struct wr w;

	if (it->kind == ITEM_GAP || it->kind == ITEM_TIMER)
		return OK;		/* never had a text */
	if (it->kind == ITEM_TEXT && it->text.n != 0) {
		TRY(step_wr(s, FOLD_BYTES_MAX(it->text.n), &w));
		fold_text(it->text, &w);
		e.text = wr_done(&w);
	}
	e.gone = e.text.n == 0;
	return push(s, &e, e.gone || it->edit_number > 0 ||
	    (it->flags & ITEM_CHANGING) != 0);
}

/*
 * The changes, sorted, one for each place: the last one. Merge sort on the
 * list, which has the newest first; it is stable, so the newest stays first.
 */
static struct search_op *
sort_ops(struct search_op *list, size_t n)
{
	struct search_op *a = list, *b = list, **end = &list;

	if (n < 2)
		return list;
	for (size_t i = 0; i + 1 < n / 2; i++)
		b = b->next;
	struct search_op *cut = b;

	b = b->next;
	cut->next = NULL;
	a = sort_ops(a, n / 2);
	b = sort_ops(b, n - n / 2);
	while (a != NULL || b != NULL) {
		bool first = b == NULL ||
		    (a != NULL && search_cmp(&a->e, &b->e) <= 0);

		*end = first ? a : b;
		end = &(*end)->next;
		if (first)
			a = a->next;
		else
			b = b->next;
	}
	return list;
}

/*
 * Two sorted sources into out, which has room for both; at one place `over`
 * counts. What is gone stays as such, or leaves. *last_out: did `over` have
 * the last place?
 */
static size_t
merge(const struct search_leaf *under, const struct search_entry *over,
    size_t over_n, bool keep_gone, struct search_entry *out, bool *last_out)
{
	size_t n = 0, k = 0;
	uint32_t i = 0;

	*last_out = true;
	while (i < under->n || k < over_n) {
		struct search_entry u = { .order = 0 };
		int c = 1;

		if (i < under->n) {
			u = search_leaf_entry(under, i);
			c = k < over_n ? search_cmp(&u, &over[k]) : -1;
		}
		if (c < 0) {
			out[n++] = u;
			i++;
			*last_out = k < over_n;
			continue;
		}
		i += c == 0;
		if (!over[k].gone || keep_gone)
			out[n++] = over[k];
		*last_out = true;
		k++;
	}
	return n;
}

static struct search_entry *
entries_new(struct step *s, size_t n)
{
	return arena_alloc(s->a, (n + 1) * sizeof(struct search_entry));
}

/* Into leaves of at most SEARCH_LEAF_MAX bytes, the first one under `key`. */
static enum err
leaves_put(struct step *s, struct rec_key key, const struct search_entry *e,
    size_t n, bool append)
{
	size_t total = 0, target, bytes = 0, from = 0;

	for (size_t i = 0; i < n; i++)
		total += entry_bytes(&e[i]);
	target = SEARCH_LEAF_MAX - LEAF_HEAD_LEN;
	if (!append && total > target)
		target = total / (total / target + 1) + 1;
	for (size_t i = 0; i < n; i++) {
		if (bytes != 0 && bytes + entry_bytes(&e[i]) > target) {
			TRY(leaf_put(s, &key, &e[from], i - from));
			key = search_key(&e[i]);
			from = i;
			bytes = 0;
		}
		bytes += entry_bytes(&e[i]);
	}
	return leaf_put(s, &key, &e[from], n - from);
}

/* The leaf in which this place is: its key, its value, and how many of the n
 * entries belong to it. */
static enum err
leaf_of(struct step *s, const struct search_entry *e, size_t n,
    struct rec_key *key_out, struct span *value_out, size_t *n_out)
{
	struct rec_key prefix = one_key(KIND_LEAF), k = search_key(e);
	struct span key, value;
	struct search_entry next;
	size_t count = 0;
	enum err err;

	rec_key_u8(&k, 0);		/* right behind its own place */
	err = rec_seek(&s->r, REC_SEARCH, rec_key_span(&prefix),
	    rec_key_span(&k), true, &key, value_out);
	if (err == ERR_NOT_FOUND) {
		*key_out = search_key(&(struct search_entry){ .order = 0 });
		*value_out = (struct span){ NULL, 0 };
	} else {
		TRY(err);
		*key_out = rec_key();
		rec_key_bytes(key_out, key);
	}
	err = rec_seek(&s->r, REC_SEARCH, rec_key_span(&prefix),
	    rec_key_span(key_out), false, &key, &value);
	if (err == ERR_NOT_FOUND) {
		*n_out = n;
		return OK;
	}
	TRY(err);
	TRY(search_key_decode(key, &next));
	while (count < n && search_cmp(&e[count], &next) < 0)
		count++;
	*n_out = count;
	return OK;
}

static enum err
merge_into_leaves(struct step *s, const struct search_entry *e, size_t n)
{
	struct search_leaf leaf;
	struct search_entry *all;
	struct rec_key key;
	struct span value;
	size_t mine, all_n;
	bool append;

	while (n > 0) {
		TRY(leaf_of(s, e, n, &key, &value, &mine));
		TRY(search_leaf_decode(value, &leaf));
		all = entries_new(s, leaf.n + mine);
		if (all == NULL)
			return ERR_TOO_LARGE;
		all_n = merge(&leaf, e, mine, false, all, &append);
		TRY(leaves_put(s, key, all, all_n, append && mine == n));
		e += mine;
		n -= mine;
	}
	return OK;
}

/* Is there an entry at this place in a leaf? */
static enum err
is_in_leaf(struct step *s, const struct search_entry *e, bool *out)
{
	struct search_leaf leaf;
	struct rec_key key;
	struct span value;
	uint32_t lo = 0, hi;
	size_t n;

	TRY(leaf_of(s, e, 1, &key, &value, &n));
	TRY(search_leaf_decode(value, &leaf));
	hi = leaf.n;
	*out = false;
	while (lo < hi && !*out) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct search_entry m = search_leaf_entry(&leaf, mid);
		int c = search_cmp(&m, e);

		*out = c == 0;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return OK;
}

/* The changes in their order, the last one of each place. *now_out: one of
 * them takes something out of a leaf. */
static enum err
take_ops(struct step *s, struct search_entry *out, size_t *n_out,
    bool *now_out)
{
	struct search_op *op = sort_ops(s->search, s->search_n);
	bool replaces = false, there;
	size_t n = 0;

	*now_out = false;
	for (; op != NULL; op = op->next) {
		bool same = n > 0 && search_cmp(&out[n - 1], &op->e) == 0;

		replaces = op->replaces || (same && replaces);
		if (!same)
			out[n++] = op->e;
		if (*now_out || !replaces)
			continue;
		TRY(is_in_leaf(s, &op->e, &there));
		*now_out = there;
	}
	*n_out = n;
	return OK;
}

/* What was recent before, and what this step changed. */
static enum err
gather(struct step *s, struct search_entry **out, size_t *n_out, bool *now_out)
{
	struct rec_key key = search_recent_key();
	struct search_entry *ops = entries_new(s, s->search_n);
	struct search_leaf recent;
	struct span value;
	size_t n;
	bool last;
	enum err err;

	if (ops == NULL)
		return ERR_TOO_LARGE;
	TRY(take_ops(s, ops, &n, now_out));
	err = rec_get(&s->r, REC_SEARCH, rec_key_span(&key), &value);
	if (err == ERR_NOT_FOUND)
		value = (struct span){ NULL, 0 };
	else
		TRY(err);
	TRY(search_leaf_decode(value, &recent));
	*out = entries_new(s, recent.n + n);
	if (*out == NULL)
		return ERR_TOO_LARGE;
	/* What is gone is kept only where a leaf has to hear of it. */
	*n_out = merge(&recent, ops, n, *now_out, *out, &last);
	return OK;
}

enum err
search_flush(struct step *s)
{
	struct rec_key key = search_recent_key();
	struct search_entry *e;
	size_t n, bytes = LEAF_HEAD_LEN;
	bool now;

	if (s->search_n == 0)
		return OK;
	TRY(gather(s, &e, &n, &now));
	s->search = NULL;
	s->search_n = 0;
	for (size_t i = 0; i < n; i++)
		bytes += entry_bytes(&e[i]);
	if (!now && bytes <= SEARCH_RECENT_MAX)
		return leaf_put(s, &key, e, n);
	TRY(merge_into_leaves(s, e, n));
	return leaf_put(s, &key, NULL, 0);
}
