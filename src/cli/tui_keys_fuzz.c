/*
 * tui_keys_fuzz.c: laws of the keyboard's decoder and of the composer behind
 * it. (1) However the bytes are cut into pieces, the keys are the same.
 * (2) No character is a control, inside of a paste nothing is a command.
 * (3) The composer's text stays valid UTF-8 with its cursor on a character.
 *
 * Input: u8 size of the pieces | bytes.
 */
#include "base/fuzz.h"

#include <locale.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/tui_compose.h"

#define KEYS_MAX 4096

static size_t
decode(struct span in, size_t piece, struct tui_key *out)
{
	struct tui_keys k = { 0 };
	size_t n = 0;
	while (in.n > 0) {
		struct span part = span_sub(in, 0, piece);
		in = span_sub(in, part.n, in.n);
		while (part.n > 0) {
			struct tui_key key;
			size_t took = tui_keys_feed(&k, part, &key);
			if (took == 0 || took > part.n)
				abort();
			part = span_sub(part, took, part.n);
			if (key.name != TUI_KEY_NONE && n < KEYS_MAX)
				out[n++] = key;
		}
	}
	return n;
}

static void
check_key(const struct tui_key *k)
{
	if (k->name == TUI_KEY_CHAR && (k->code < 0x20 || k->code == 0x7f ||
	    (k->code >= 0x80 && k->code < 0xa0) || k->code > 0x10ffff ||
	    (k->code >= 0xd800 && k->code < 0xe000)))
		abort();
	if (k->pasted && k->name != TUI_KEY_CHAR &&
	    k->name != TUI_KEY_ENTER && k->name != TUI_KEY_TAB &&
	    k->name != TUI_KEY_PASTE)
		abort();
}

static void
check_text(const struct tui_compose *c)
{
	if (c->at > c->n || c->n > TUI_COMPOSE_MAX ||
	    !utf8_valid(tui_compose_text(c)) ||
	    (c->at < c->n && (c->text[c->at] & 0xc0) == 0x80))
		abort();
	struct tui_compose_view v = tui_compose_view(c, 20);
	if (v.line >= v.lines || v.col > 20)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static struct tui_key a[KEYS_MAX], b[KEYS_MAX];
	static struct tui_compose c;
	if (!ready && setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		abort();
	ready = true;
	if (size < 2 || size > 4096)
		return 0;
	struct span in = span_of(data + 1, size - 1);
	size_t n = decode(in, in.n, a);
	if (decode(in, (size_t)data[0] % 7 + 1, b) != n)
		abort();
	tui_compose_init(&c);
	for (size_t i = 0; i < n; i++) {
		if (a[i].name != b[i].name || a[i].code != b[i].code ||
		    a[i].mods != b[i].mods || a[i].pasted != b[i].pasted)
			abort();
		check_key(&a[i]);
		if (tui_compose_key(&c, &a[i], 20) == TUI_COMPOSE_NONE &&
		    a[i].name == TUI_KEY_ENTER)
			tui_compose_clear(&c, true);
		if (i % 16 == 0)
			check_text(&c);
	}
	check_text(&c);
	tui_compose_fini(&c);
	return 0;
}
