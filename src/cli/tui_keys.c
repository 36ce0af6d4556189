/*
 * tui_keys.c: see tui_keys.h.
 */
#include "cli/tui_keys.h"

#include "base/text.h"

#define ESC 27
#define PASTE_END SPAN("\033[201~")

/* ---- single bytes ---- */

static struct tui_key
plain(enum tui_key_name name)
{
	return (struct tui_key){ .name = name };
}

static struct tui_key
control_key(uint8_t c)
{
	struct tui_key k = plain(TUI_KEY_CTRL);
	switch (c) {
	case '\r': return plain(TUI_KEY_ENTER);
	case '\t': return plain(TUI_KEY_TAB);
	case '\b': case 0x7f: return plain(TUI_KEY_BACKSPACE);
	case ESC: return plain(TUI_KEY_ESC);
	case 0: k.code = ' '; break;
	default: k.code = c < 27 ? (uint32_t)c + 'a' - 1 :
		    (uint32_t)c + '@'; break;
	}
	return k;
}

/* Bytes of a character whose first byte is c; 0: none begins so. */
static size_t
utf8_need(uint8_t c)
{
	return c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 :
	    c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/* A character, once all its bytes are there; bad ones are dropped. */
static struct tui_key
text_byte(struct tui_keys *k, uint8_t c)
{
	struct tui_key out = plain(TUI_KEY_NONE);
	if (k->seq_n > 0 && (c & 0xc0) != 0x80)
		k->seq_n = 0;
	k->seq[k->seq_n++] = c;
	size_t need = utf8_need(k->seq[0]);
	if (need != 0 && k->seq_n < need)
		return out;
	if (need != 0 && utf8_valid(span_of(k->seq, k->seq_n))) {
		out.name = TUI_KEY_CHAR;
		utf8_next(span_of(k->seq, k->seq_n), &out.code);
		/* C1 controls are no characters that anybody types. */
		if (out.code >= 0x80 && out.code < 0xa0)
			out.name = TUI_KEY_NONE;
	}
	k->seq_n = 0;
	return out;
}

/* ---- escape sequences ---- */

static const struct {
	char final;		/* CSI final, and SS3 */
	enum tui_key_name name;
	uint8_t f;		/* number of a function key */
} finals[] = {
	{ 'A', TUI_KEY_UP, 0 }, { 'B', TUI_KEY_DOWN, 0 },
	{ 'C', TUI_KEY_RIGHT, 0 }, { 'D', TUI_KEY_LEFT, 0 },
	{ 'F', TUI_KEY_END, 0 }, { 'H', TUI_KEY_HOME, 0 },
	{ 'M', TUI_KEY_ENTER, 0 }, { 'P', TUI_KEY_F, 1 },
	{ 'Q', TUI_KEY_F, 2 }, { 'R', TUI_KEY_F, 3 }, { 'S', TUI_KEY_F, 4 },
};

static const struct {
	uint8_t number;		/* CSI number ~ */
	enum tui_key_name name;
	uint8_t f;
} tildes[] = {
	{ 1, TUI_KEY_HOME, 0 }, { 2, TUI_KEY_INSERT, 0 },
	{ 3, TUI_KEY_DELETE, 0 }, { 4, TUI_KEY_END, 0 },
	{ 5, TUI_KEY_PGUP, 0 }, { 6, TUI_KEY_PGDN, 0 },
	{ 7, TUI_KEY_HOME, 0 }, { 8, TUI_KEY_END, 0 },
	{ 11, TUI_KEY_F, 1 }, { 12, TUI_KEY_F, 2 }, { 13, TUI_KEY_F, 3 },
	{ 14, TUI_KEY_F, 4 }, { 15, TUI_KEY_F, 5 }, { 17, TUI_KEY_F, 6 },
	{ 18, TUI_KEY_F, 7 }, { 19, TUI_KEY_F, 8 }, { 20, TUI_KEY_F, 9 },
	{ 21, TUI_KEY_F, 10 }, { 23, TUI_KEY_F, 11 }, { 24, TUI_KEY_F, 12 },
};

/* Up to four parameters; absent ones are 0. */
struct csi {
	uint32_t p[4];
	size_t n;
	char mark;		/* '<' of SGR mouse, or 0 */
	char final;
};

static bool
read_csi(struct span s, struct csi *out)
{
	*out = (struct csi){ 0 };
	size_t at = 0;
	if (at < s.n && s.p[at] == '<')
		out->mark = (char)s.p[at++];
	for (; at + 1 < s.n; at++) {
		uint8_t c = s.p[at];
		if (c == ';' || c == ':') {
			if (++out->n == 4)
				return false;
		} else if (c >= '0' && c <= '9') {
			uint32_t v = out->p[out->n] * 10 + c - '0';
			if (v > 0x10ffff)
				return false;
			out->p[out->n] = v;
		} else {
			return false;
		}
	}
	out->n++;
	out->final = at < s.n ? (char)s.p[at] : 0;
	return at < s.n;
}

/* xterm: 1 + bits of Shift, Alt, Control. */
static uint8_t
mods_of(uint32_t p)
{
	return p < 2 ? 0 : (uint8_t)((p - 1) & 7);
}

/* A key by its code point with modifiers (CSI u, modifyOtherKeys). */
static struct tui_key
code_key(uint32_t code, uint8_t mods)
{
	struct tui_key k = plain(TUI_KEY_CHAR);
	if (code < 32 || code == 127)
		k = control_key((uint8_t)code);
	else if (mods & TUI_CTRL && code >= 'a' && code <= 'z')
		k = (struct tui_key){ .name = TUI_KEY_CTRL, .code = code };
	else if (mods & TUI_CTRL || code > 0x10ffff ||
	    (code >= 0x80 && code < 0xa0) ||
	    (code >= 0xd800 && code < 0xe000))
		k = plain(TUI_KEY_NONE);
	else
		k.code = code;
	k.mods = k.name == TUI_KEY_CHAR ? mods & TUI_ALT : mods;
	if (k.name == TUI_KEY_CTRL)
		k.mods &= TUI_ALT;
	return k;
}

static struct tui_key
mouse_key(const struct csi *c)
{
	struct tui_key k = plain(TUI_KEY_MOUSE);
	uint32_t b = c->p[0];
	if (c->n < 3 || c->p[1] == 0 || c->p[2] == 0 || c->p[1] > 5000 ||
	    c->p[2] > 5000 || b & 32)
		return plain(TUI_KEY_NONE);	/* moving: not asked for */
	k.mods = (uint8_t)((b & 4 ? TUI_SHIFT : 0) | (b & 8 ? TUI_ALT : 0) |
	    (b & 16 ? TUI_CTRL : 0));
	b &= ~28u;
	k.button = b < 3 ? (enum tui_button)b : b == 64 ? TUI_WHEEL_UP :
	    b == 65 ? TUI_WHEEL_DOWN : TUI_BUTTON_OTHER;
	k.released = c->final == 'm';
	k.col = (uint16_t)(c->p[1] - 1);
	k.row = (uint16_t)(c->p[2] - 1);
	return k;
}

static struct tui_key
tilde_key(struct tui_keys *k, const struct csi *c)
{
	struct tui_key out = plain(TUI_KEY_NONE);
	if (c->p[0] == 200) {
		k->paste = true;
		return (struct tui_key){ .name = TUI_KEY_PASTE, .code = 1 };
	}
	if (c->p[0] == 27 && c->n == 3)
		return code_key(c->p[2], mods_of(c->p[1]));
	for (size_t i = 0; i < sizeof(tildes) / sizeof(tildes[0]); i++) {
		if (tildes[i].number != c->p[0])
			continue;
		out.name = tildes[i].name;
		out.code = tildes[i].f;
		out.mods = mods_of(c->p[1]);
	}
	return out;
}

/* A whole CSI sequence without its introducer. */
static struct tui_key
csi_key(struct tui_keys *k, struct span s)
{
	struct csi c;
	struct tui_key out = plain(TUI_KEY_NONE);
	if (!read_csi(s, &c))
		return out;
	if (c.mark == '<')
		return c.final == 'M' || c.final == 'm' ? mouse_key(&c) : out;
	if (c.final == '~')
		return tilde_key(k, &c);
	if (c.final == 'u')
		return code_key(c.p[0], mods_of(c.p[1]));
	if (c.final == 'I' || c.final == 'O')
		return (struct tui_key){ .name = TUI_KEY_FOCUS,
		    .code = c.final == 'I' };
	if (c.final == 'Z')
		return (struct tui_key){ .name = TUI_KEY_TAB,
		    .mods = TUI_SHIFT };
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		if (finals[i].final != c.final)
			continue;
		out.name = finals[i].name;
		out.code = finals[i].f;
		out.mods = mods_of(c.p[1]);
	}
	return out;
}

/* Whether k->seq, which begins with ESC, is complete. ECMA-48 5.4. */
static bool
is_complete(const struct tui_keys *k)
{
	uint8_t last = k->seq[k->seq_n - 1];
	size_t from = k->seq_n > 1 && k->seq[1] == ESC ? 1 : 0;
	size_t n = k->seq_n - from;
	if (n < 2)
		return false;
	if (k->seq[from + 1] == 'O')
		return n == 3;
	if (k->seq[from + 1] != '[')
		return (k->seq[from + 1] & 0x80) == 0 ||
		    n - 1 >= utf8_need(k->seq[from + 1]);
	if (n == 3 && last == '[')
		return false;	/* the Linux console: ESC [ [ A */
	return n > 2 && last >= 0x40 && last <= 0x7e;
}

/* What a complete sequence means. Two ESC: the key with Alt. */
static struct tui_key
sequence_key(struct tui_keys *k)
{
	struct tui_key out = plain(TUI_KEY_NONE);
	uint8_t alt = k->seq[1] == ESC ? TUI_ALT : 0;
	struct span s = span_sub(span_of(k->seq, k->seq_n), alt ? 2 : 1,
	    TUI_SEQ_MAX);
	if (s.n == 0)
		return out;
	if (s.p[0] == 'O' && s.n == 2) {
		out = csi_key(k, span_sub(s, 1, 1));
	} else if (s.p[0] == '[' && s.n == 3 && s.p[1] == '[') {
		if (s.p[2] >= 'A' && s.p[2] <= 'E')
			out = (struct tui_key){ .name = TUI_KEY_F,
			    .code = (uint32_t)s.p[2] - 'A' + 1 };
	} else if (s.p[0] == '[') {
		out = csi_key(k, span_sub(s, 1, s.n));
	} else if (s.p[0] < 32 || s.p[0] == 127) {
		out = control_key(s.p[0]);
		alt = TUI_ALT;
	} else if (utf8_valid(s)) {
		utf8_next(s, &out.code);
		out.name = out.code >= 0x80 && out.code < 0xa0 ?
		    TUI_KEY_NONE : TUI_KEY_CHAR;
		alt = TUI_ALT;
	}
	if (out.name != TUI_KEY_NONE && out.name != TUI_KEY_MOUSE &&
	    out.name != TUI_KEY_PASTE && out.name != TUI_KEY_FOCUS)
		out.mods |= alt;
	return out;
}

static struct tui_key
escape_byte(struct tui_keys *k, uint8_t c)
{
	struct tui_key out = plain(TUI_KEY_NONE);
	if (k->seq_n == sizeof(k->seq)) {
		k->seq_n = 0;	/* no key of any terminal */
		k->skip = true;
		return out;
	}
	/* ESC in the midst of a sequence begins a new one. */
	if (c == ESC && k->seq_n > 1)
		k->seq_n = 0;
	k->seq[k->seq_n++] = c;
	if (!is_complete(k))
		return out;
	out = sequence_key(k);
	k->seq_n = 0;
	return out;
}

/* In a paste everything is text, up to the sequence that ends it. */
static struct tui_key
paste_byte(struct tui_keys *k, uint8_t c)
{
	struct tui_key out = plain(TUI_KEY_NONE);
	bool escape = k->seq_n > 0 && k->seq[0] == ESC;
	if (c == ESC || escape) {
		if (c == ESC)
			k->seq_n = 0;
		k->seq[k->seq_n++] = c;
		struct span s = span_of(k->seq, k->seq_n);
		if (span_eq(s, PASTE_END)) {
			k->paste = false;
			out = (struct tui_key){ .name = TUI_KEY_PASTE };
		}
		if (k->paste && span_starts(PASTE_END, s))
			return out;
		/* Another escape sequence in a paste is dropped whole. */
		k->skip = k->paste && k->seq_n > 2 &&
		    !(c >= 0x40 && c <= 0x7e);
		k->seq_n = 0;
		return out;
	}
	if (c == '\r' || c == '\n')
		out = plain(TUI_KEY_ENTER);
	else if (c == '\t')
		out = plain(TUI_KEY_TAB);
	else if (c >= 32 && c != 127)
		out = text_byte(k, c);
	out.pasted = true;
	return out;
}

size_t
tui_keys_feed(struct tui_keys *k, struct span in, struct tui_key *out)
{
	*out = plain(TUI_KEY_NONE);
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		bool escape = k->seq_n > 0 && k->seq[0] == ESC;
		if (k->skip) {
			/* Up to its final byte. */
			k->skip = c != ESC && !(c >= 0x40 && c <= 0x7e);
			if (c != ESC)
				continue;
		}
		if (k->paste) {
			*out = paste_byte(k, c);
		} else if (escape || c == ESC) {
			if (!escape)
				k->seq_n = 0;
			*out = escape_byte(k, c);
		} else if (c < 32 || c == 127) {
			k->seq_n = 0;
			*out = control_key(c);
		} else {
			*out = text_byte(k, c);
		}
		if (out->name != TUI_KEY_NONE)
			return i + 1;
	}
	return in.n;
}

void
tui_keys_timeout(struct tui_keys *k, struct tui_key *out)
{
	*out = plain(TUI_KEY_NONE);
	if (k->paste)
		return;
	if (k->seq_n > 0 && k->seq[0] == ESC)
		*out = plain(TUI_KEY_ESC);
	/* Alt and [ or O: a sequence that never came. */
	if (k->seq_n == 2 && k->seq[0] == ESC && k->seq[1] >= 32)
		*out = (struct tui_key){ .name = TUI_KEY_CHAR,
		    .code = k->seq[1], .mods = TUI_ALT };
	k->seq_n = 0;
}
