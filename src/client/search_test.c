/*
 * search_test.c: folding, and the index against a plain scan of the history:
 * random messages, edits, deletions and moves, in steps of random size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/fold.h"
#include "client/item.h"
#include "client/search.h"
#include "crypto/openssl.h"

/* ---- records in memory ---- */

struct row {
	uint8_t kind, key_n, key[CLIENT_KEY_MAX];
	uint8_t *value;
	size_t n;
};

static struct row *rows;
static size_t rows_n, rows_cap;
static struct provider p;
static struct client client;
static uint8_t *memory;
#define MEMORY ((size_t)24 << 20)

static int
row_cmp(const struct row *r, uint8_t kind, struct span key)
{
	if (r->kind != kind)
		return r->kind < kind ? -1 : 1;
	return span_cmp(span_of(r->key, r->key_n), key);
}

static size_t
lower(uint8_t kind, struct span key)
{
	size_t lo = 0, hi = rows_n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (row_cmp(&rows[mid], kind, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum err
load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *value_out)
{
	size_t i = lower(kind, key);

	(void)ctx;
	if (i == rows_n || row_cmp(&rows[i], kind, key) != 0)
		return ERR_NOT_FOUND;
	return arena_dup(a, span_of(rows[i].value, rows[i].n), value_out);
}

static enum err
seek(void *ctx, uint8_t kind, struct span prefix, struct span from, bool back,
    struct arena *a, struct span *key_out, struct span *value_out)
{
	static uint8_t end[CLIENT_KEY_MAX];
	size_t i;

	(void)ctx;
	memset(end, 0xff, sizeof(end));
	if (prefix.n != 0)
		memcpy(end, prefix.p, prefix.n);
	if (!back) {
		i = lower(kind, from.n == 0 ? prefix : from);
		if (i < rows_n && from.n != 0 &&
		    row_cmp(&rows[i], kind, from) == 0)
			i++;
	} else {
		i = lower(kind, from.n == 0 ? SPAN_OF(end) : from);
		if (i == 0)
			return ERR_NOT_FOUND;
		i--;
	}
	if (i >= rows_n || rows[i].kind != kind || !span_starts(span_of(
	    rows[i].key, rows[i].key_n), prefix))
		return ERR_NOT_FOUND;
	TRY(arena_dup(a, span_of(rows[i].key, rows[i].key_n), key_out));
	return arena_dup(a, span_of(rows[i].value, rows[i].n), value_out);
}

static void
store(uint8_t kind, bool del, struct span key, struct span value)
{
	size_t i = lower(kind, key);
	bool there = i < rows_n && row_cmp(&rows[i], kind, key) == 0;

	if (there)
		free(rows[i].value);
	if (del) {
		if (there)
			memmove(&rows[i], &rows[i + 1],
			    (--rows_n - i) * sizeof(rows[0]));
		return;
	}
	if (!there) {
		if (rows_n == rows_cap) {
			rows_cap = rows_cap * 2 + 64;
			rows = realloc(rows, rows_cap * sizeof(rows[0]));
			assert_non_null(rows);
		}
		memmove(&rows[i + 1], &rows[i], (rows_n++ - i) *
		    sizeof(rows[0]));
		rows[i].kind = kind;
		rows[i].key_n = (uint8_t)key.n;
		memset(rows[i].key, 0, sizeof(rows[i].key));
		if (key.n != 0)
			memcpy(rows[i].key, key.p, key.n);
	}
	rows[i].value = malloc(value.n + 1);
	rows[i].n = value.n;
	if (value.n != 0)
		memcpy(rows[i].value, value.p, value.n);
}

static int
setup(void **state)
{
	const struct client_host host = { NULL, load, seek };

	(void)state;
	assert_int_equal(openssl_provider_open(&p), OK);
	memory = malloc(MEMORY);
	client_init(&client, &p, &host, 0);
	return memory == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	while (rows_n > 0)
		free(rows[--rows_n].value);
	free(rows);
	rows = NULL;
	rows_cap = 0;
	free(memory);
	openssl_provider_close(&p);
	return 0;
}

static struct step step;
static struct arena arena;

static void
begin(void)
{
	arena_init(&arena, memory, MEMORY);
	assert_int_equal(step_init(&step, &client, &arena, 1000, false), OK);
}

static void
end(void)
{
	struct client_effects out;

	assert_int_equal(step_end(&step, &out), OK);
	for (struct client_effect *e = out.first; e != NULL &&
	    e->type == CLIENT_STORE; e = e->next)
		store(e->u.store.kind, e->u.store.del, e->u.store.key,
		    e->u.store.value);
	step_fini(&step);
}

/* ---- folding ---- */

static void
folds(const char *in, const char *want)
{
	uint8_t mem[256];
	struct wr w = wr_init(mem, sizeof(mem));

	fold_text(span_str(in), &w);
	assert_true(wr_ok(&w));
	assert_int_equal(w.n, strlen(want));
	assert_memory_equal(mem, want, w.n);
}

static void
test_fold(void **state)
{
	(void)state;
	folds("Hello, WORLD", "hello, world");
	folds("  a\t\n b\xc2\xa0""c  ", "a b c");
	folds("", "");
	folds("Größe STRASSE Straße", "grosse strasse strasse");
	folds("Crème Brûlée Œuvre", "creme brulee oeuvre");
	folds("Łódź Ørsted Þór İstanbul ısı", "lodz orsted thor istanbul isi");
	folds("Привет ЁЛКА Мой", "привет елка мои");
	folds("ΟΔΥΣΣΕΥΣ Οδυσσεύς ῾Ελλάς", "οδυσσευσ οδυσσευσ ελλασ");
	folds("e\xcc\x81", "e");		/* a combining accent */
	folds("\xef\xac\x81ne \xef\xbc\xa1", "fine a");	/* ligature, wide */
	folds("日本語 😀", "日本語 😀");
	folds("a\xc2\xad""b\xe2\x80\x8b""c", "abc");	/* not to be seen */
}

/* ---- against a plain scan ---- */

#define ITEMS_MAX 4000
#define CHATS 3

struct known {
	struct client_item it;
	char text[160];
};

static struct known known[ITEMS_MAX];
static size_t known_n;
static uint64_t seed = 88172645463325252ull;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void
random_text(char out[static 160])
{
	static const char *const words[] = { "alpha", "Beta", "GAMMA", "delta",
	    "Épsilon", "zeta", "été", "Straße", "привет", "кофе", "x", "yy",
	    "alphabet", "rare", "der", "die" };
	size_t n = 0, count = 1 + rnd(12);

	for (size_t i = 0; i < count; i++) {
		size_t w = rnd(16);

		if (w == 13 && rnd(40) != 0)
			w = 0;
		n += (size_t)snprintf(out + n, 160 - n, "%s%s",
		    i == 0 ? "" : " ", words[w]);
		if (n > 130)
			return;
	}
}

static void
put(struct known *k)
{
	k->it.text = span_str(k->text);
	if (k->it.kind != ITEM_TEXT)
		k->it.text = (struct span){ NULL, 0 };
	assert_int_equal(item_put(&step, &k->it), OK);
}

static void
change_one(void)
{
	struct known *k;
	struct item_place at;

	if (known_n < ITEMS_MAX && (known_n < 20 || rnd(4) != 0)) {
		k = &known[known_n++];
		memset(k, 0, sizeof(*k));
		k->it.chat.b[0] = (uint8_t)(1 + rnd(CHATS));
		/* Mostly newer, some from an archive. */
		k->it.order = rnd(5) == 0 ? 1 + rnd(known_n * 10) * 2 :
		    known_n * 20 + 1;
		k->it.sub = 1;
		k->it.kind = ITEM_TEXT;
		k->it.state = STATE_RECEIVED;
		k->it.event.b[0] = (uint8_t)known_n;
		k->it.event.b[1] = (uint8_t)(known_n >> 8);
		for (size_t i = 0; i + 1 < known_n; i++)
			if (known[i].it.order == k->it.order &&
			    ID_EQ(known[i].it.chat, k->it.chat)) {
				known_n--;
				return;
			}
		random_text(k->text);
		put(k);
		return;
	}
	k = &known[rnd(known_n)];
	switch (rnd(4)) {
	case 3:			/* a mark, not another text */
		if (k->it.kind == ITEM_TEXT)
			put(k);
		break;
	case 0:
		random_text(k->text);
		k->it.edit_number++;
		put(k);
		break;
	case 1:
		k->it.kind = rnd(2) ? ITEM_DELETED : ITEM_HIDDEN;
		put(k);
		break;
	default:
		at = (struct item_place){ k->it.chat, k->it.order, 1 };
		assert_int_equal(item_forget(&step, &k->it), OK);
		(void)at;
		*k = known[--known_n];
		break;
	}
}

static bool
model_has(const struct known *k, const char *words, const struct chat_id *c)
{
	uint8_t mem[1024], q[1024];
	struct wr w = wr_init(mem, sizeof(mem) - 1);
	struct wr x = wr_init(q, sizeof(q) - 1);
	char *at = (char *)q;

	if (k->it.kind != ITEM_TEXT || (!ID_IS_ZERO(*c) &&
	    !ID_EQ(*c, k->it.chat)))
		return false;
	fold_text(span_str(k->text), &w);
	fold_text(span_str(words), &x);
	mem[w.n] = q[x.n] = '\0';
	while (*at != '\0') {
		char *space = strchr(at, ' ');

		if (space != NULL)
			*space = '\0';
		if (strstr((char *)mem, at) == NULL)
			return false;
		if (space == NULL)
			return true;
		at = space + 1;
	}
	return true;
}

/* The newest entry of the model before `last` that has the words. */
static const struct known *
model_next(const char *words, const struct chat_id *c,
    const struct search_entry *last)
{
	const struct known *best = NULL;
	struct search_entry b = { .order = 0 };

	for (size_t i = 0; i < known_n; i++) {
		struct search_entry e = { .order = known[i].it.order,
		    .chat = known[i].it.chat, .sub = 1 };

		if ((last != NULL && search_cmp(&e, last) >= 0) ||
		    (best != NULL && search_cmp(&e, &b) <= 0) ||
		    !model_has(&known[i], words, c))
			continue;
		best = &known[i];
		b = e;
	}
	return best;
}

static void
compare(const char *words, uint8_t chat, size_t cap)
{
	struct client_search q = { .words = span_str(words),
	    .chat = { { chat } } };
	struct client_search_at at = { .set = false };
	struct client_item got[16];
	struct search_entry last;
	const struct known *want;
	size_t n, found = 0;

	do {
		arena_init(&arena, memory, MEMORY);
		assert_int_equal(client_search_next(&client, &arena, &q, &at,
		    got, cap, &n), OK);
		for (size_t i = 0; i < n; i++, found++) {
			want = model_next(words, &q.chat, found == 0 ? NULL :
			    &last);
			assert_non_null(want);
			assert_int_equal(got[i].order, want->it.order);
			assert_true(ID_EQ(got[i].chat, want->it.chat));
			assert_true(span_eq(got[i].text,
			    span_str(want->text)));
			last = (struct search_entry){ .order = got[i].order,
			    .chat = got[i].chat, .sub = got[i].sub };
		}
		assert_true(n == cap || at.end);
	} while (!at.end && found < 200);
	if (at.end)
		assert_null(model_next(words, &q.chat, found == 0 ? NULL :
		    &last));
}

/* What is not to be read any more is in no record of the index. */
static void
check_all_known(void)
{
	struct search_leaf l;
	size_t texts = 0, live = 0;

	for (size_t i = 0; i < known_n; i++)
		live += known[i].it.kind == ITEM_TEXT;
	for (size_t i = 0; i < rows_n; i++) {
		if (rows[i].kind != REC_SEARCH || rows[i].key[0] > 2)
			continue;
		assert_int_equal(search_leaf_decode(span_of(rows[i].value,
		    rows[i].n), &l), OK);
		for (uint32_t k = 0; k < l.n; k++) {
			struct search_entry e = search_leaf_entry(&l, k);
			size_t j = 0;
			uint8_t mem[1024];
			struct wr w = wr_init(mem, sizeof(mem));

			while (j < known_n && (known[j].it.order != e.order ||
			    !ID_EQ(known[j].it.chat, e.chat)))
				j++;
			assert_true(j < known_n);
			assert_int_equal(known[j].it.kind, ITEM_TEXT);
			fold_text(span_str(known[j].text), &w);
			assert_true(span_eq(e.text, wr_done(&w)));
			texts++;
		}
	}
	assert_true(texts >= live);
}

static void
test_search_equals_a_scan(void **state)
{
	static const char *const asked[] = { "rare", "alpha", "ALPHABET",
	    "ete strasse", "прив", "кофе beta", "lph", "zeta zeta", "nowhere",
	    "é", "ss", "der die", "x y" };

	(void)state;
	for (int round = 0; round < 160; round++) {
		size_t size = 1 + rnd(round % 8 == 0 ? 200 : 20);

		begin();
		for (size_t i = 0; i < size; i++)
			change_one();
		end();
		if (round % 8 != 0)
			continue;
		check_all_known();
		for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
			compare(asked[i], (uint8_t)(rnd(2) ? 0 : 1 +
			    rnd(CHATS)), 1 + rnd(16));
	}
	assert_true(known_n > 1000);
}

/* An entry of a leaf that changed since without another text, among new ones:
 * one place, one hit. */
static void
test_search_shows_each_place_once(void **state)
{
	struct known *k;

	(void)state;
	begin();			/* all into the leaves */
	for (k = known; k->it.kind != ITEM_TEXT; k++)
		;
	k->it.edit_number++;
	put(k);
	end();
	for (int round = 0; round < 20; round++) {
		begin();
		for (size_t i = 0; i < 5; i++) {
			k = &known[rnd(known_n)];
			if (k->it.kind == ITEM_TEXT)
				put(k);
		}
		end();
		compare("alpha", 0, 9);
		compare("zeta", 0, 16);
		compare("rare", 0, 3);
	}
	check_all_known();
}

/* Leaves stay below their size, and none is empty. */
static void
test_search_leaves_are_bounded(void **state)
{
	size_t leaves = 0;
	struct search_leaf l;

	(void)state;
	for (size_t i = 0; i < rows_n; i++) {
		if (rows[i].kind != REC_SEARCH || rows[i].key[0] > 2)
			continue;
		assert_int_equal(search_leaf_decode(span_of(rows[i].value,
		    rows[i].n), &l), OK);
		assert_true(rows[i].n <= SEARCH_LEAF_MAX);
		assert_true(l.n > 0);
		leaves++;
	}
	assert_true(leaves >= 3);
}

/* A history without an index, as an older program left it. */
static void
test_search_indexes_an_older_history(void **state)
{
	struct client_search q = { .words = SPAN("alpha") };
	struct client_search_at at = { .set = false };
	struct client_item got[4];
	size_t n, steps = 0;

	(void)state;
	for (size_t i = rows_n; i-- > 0;)
		if (rows[i].kind == REC_SEARCH)
			store(REC_SEARCH, true, span_of(rows[i].key,
			    rows[i].key_n), (struct span){ NULL, 0 });
	arena_init(&arena, memory, MEMORY);
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), OK);
	assert_int_equal(n, 0);
	assert_true(at.partial);
	while (!client.search_done && steps++ < 1000) {
		begin();
		assert_int_equal(search_pump(&step), OK);
		assert_true(client.search_done || step.search_n <= 300);
		end();
	}
	assert_true(steps > 4);
	compare("alpha", 0, 7);
	compare("rare", 0, 7);
	compare("strasse", 2, 7);
	at = (struct client_search_at){ .set = false };
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), OK);
	assert_false(at.partial);
}

static void
test_search_refuses_bad_words(void **state)
{
	char longest[CLIENT_WORDS_LEN_MAX + 1];
	struct client_search q = { .words = SPAN("   ") };
	struct client_search_at at = { .set = false };
	struct client_item got[4];
	size_t n;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	arena_init(&arena, memory, MEMORY);
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), ERR_VALIDATION);
	q.words = SPAN("\xff");
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), ERR_VALIDATION);
	q.words = SPAN("a b c d e f g h i");
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), ERR_VALIDATION);
	q.words = SPAN_OF(longest);
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), ERR_VALIDATION);
	q.words = span_of(longest, CLIENT_WORDS_LEN_MAX);
	assert_int_equal(client_search_next(&client, &arena, &q, &at, got, 4,
	    &n), OK);
	assert_int_equal(n, 0);
	assert_true(at.end);
}

static void
test_search_ranges(void **state)
{
	struct client_range r[4];
	struct client_search q = { .words = SPAN("strasse ET") };
	struct span text = SPAN("Die Straße im Été, secret");

	(void)state;
	assert_int_equal(client_search_ranges(&q, text, r, 4), 3);
	assert_true(span_eq(span_sub(text, r[0].from, r[0].n),
	    SPAN("Straße")));
	assert_true(span_eq(span_sub(text, r[1].from, r[1].n), SPAN("Ét")));
	assert_true(span_eq(span_sub(text, r[2].from, r[2].n), SPAN("et")));
	assert_int_equal(client_search_ranges(&q, text, r, 1), 1);
	/* A mark belongs to the character before it. */
	q.words = SPAN("e");
	assert_int_equal(client_search_ranges(&q, SPAN("ae\xcc\x81x"), r, 4),
	    1);
	assert_int_equal(r[0].from, 1);
	assert_int_equal(r[0].n, 3);
	/* Within a letter that stands for two. */
	q.words = SPAN("se");
	assert_int_equal(client_search_ranges(&q, SPAN("Maße"), r, 4), 1);
	assert_int_equal(r[0].from, 2);
	assert_int_equal(r[0].n, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_search_equals_a_scan),
		cmocka_unit_test(test_search_shows_each_place_once),
		cmocka_unit_test(test_search_leaves_are_bounded),
		cmocka_unit_test(test_search_indexes_an_older_history),
		cmocka_unit_test(test_search_refuses_bad_words),
		cmocka_unit_test(test_search_ranges),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
