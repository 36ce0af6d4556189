/*
 * qr_test.c: a code is a square with its quiet zone (ISO/IEC 18004 6.3.8), the
 * same modules in every way of drawing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/qr.h"

#define SIDE_MAX 80

struct grid {
	size_t w, h;
	bool light[SIDE_MAX][SIDE_MAX];
};

static void
draw(const char *text, bool signs, bool color, struct buf *b)
{
	buf_init(b, 1 << 16);
	assert_int_equal(qr_put(text, signs, color, b), OK);
}

/* Modules as they stand on the screen. */
static void
read_grid(struct span s, bool signs, bool color, struct grid *g)
{
	size_t x = 0, y = 0;

	memset(g, 0, sizeof(*g));
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_next(s, &code), k;

		s = span_sub(s, n, s.n);
		if (code == 033) {
			while (s.p[0] != 'm')
				s = span_sub(s, 1, s.n);
			s = span_sub(s, 1, s.n);
			continue;
		}
		if (code == '\n') {
			assert_true(g->w == 0 || g->w == x);
			g->w = x;
			x = 0;
			y += signs ? 2 : 1;
			continue;
		}
		for (k = 0; k < (signs ? 2u : 1u); k++) {
			bool drawn = !signs ? code == '#' : code == 0x2588 ||
			    code == (k == 0 ? 0x2580u : 0x2584u);

			assert_true(x < SIDE_MAX && y + k < SIDE_MAX);
			g->light[y + k][x] = drawn != color;
		}
		x++;
		if (!signs)		/* two characters each */
			s = span_sub(s, 1, s.n);
	}
	g->h = y;
}

static void
test_qr_is_drawn_the_same_in_every_way(void **state)
{
	static struct grid g[4];
	const char *text = "nightjar:link?m=AAAAAAAAAAAAAAAAAAAAAA&h="
	    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
	size_t i, y;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct buf b;

		draw(text, i & 1, i & 2, &b);
		read_grid(buf_span(&b), i & 1, i & 2, &g[i]);
		buf_fini(&b);
		assert_int_equal(g[i].w, g[0].w);
		for (y = 0; y < g[0].w; y++)
			assert_memory_equal(g[i].light[y], g[0].light[y],
			    g[0].w);
	}
	/* Four light modules around; then a finder: seven dark ones. */
	for (i = 0; i < g[0].w; i++)
		for (y = 0; y < 4; y++) {
			assert_true(g[0].light[y][i]);
			assert_true(g[0].light[i][y]);
		}
	for (i = 0; i < 7; i++)
		assert_false(g[0].light[4][4 + i]);
	assert_true(g[0].light[4][11]);
	assert_int_equal((g[0].w - 8 - 17) % 4, 0);	/* a version's side */
}

static void
test_qr_has_a_limit(void **state)
{
	char text[400];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[301] = '\0';
	buf_init(&b, 1 << 16);
	assert_int_equal(qr_put(text, true, false, &b), ERR_TOO_LARGE);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qr_is_drawn_the_same_in_every_way),
		cmocka_unit_test(test_qr_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
