/*
 * tui_keys.h: bytes of the keyboard and the mouse as keys, for the full-screen
 * client. Understands what terminals agree on (ECMA-48; xterm's modifiers,
 * SGR mouse, focus and bracketed paste; rxvt, the Linux console, tmux) and
 * drops sequences that it does not know whole. Pure.
 */
#ifndef CLI_TUI_KEYS_H
#define CLI_TUI_KEYS_H

#include "base/bytes.h"

#define TUI_SEQ_MAX 48u		/* a longer escape sequence is none */
#define TUI_ESCAPE_MS 40u	/* then an Escape was pressed alone */

enum tui_key_name {
	TUI_KEY_NONE,
	TUI_KEY_CHAR,		/* code; never a control character */
	TUI_KEY_CTRL,		/* code: 'a'..'z', '_' , '\\', ']', '^', ' ' */
	TUI_KEY_ENTER, TUI_KEY_TAB, TUI_KEY_ESC, TUI_KEY_BACKSPACE,
	TUI_KEY_UP, TUI_KEY_DOWN, TUI_KEY_LEFT, TUI_KEY_RIGHT,
	TUI_KEY_HOME, TUI_KEY_END, TUI_KEY_PGUP, TUI_KEY_PGDN,
	TUI_KEY_INSERT, TUI_KEY_DELETE,
	TUI_KEY_F,		/* code: 1 to 12 */
	TUI_KEY_MOUSE,		/* button, row, col */
	TUI_KEY_FOCUS,		/* code: 1 the window has the focus, 0 not */
	TUI_KEY_PASTE,		/* code: 1 begins, 0 ends */
};

enum tui_mod { TUI_SHIFT = 1, TUI_ALT = 2, TUI_CTRL = 4 };

enum tui_button {
	TUI_BUTTON_LEFT, TUI_BUTTON_MIDDLE, TUI_BUTTON_RIGHT,
	TUI_WHEEL_UP, TUI_WHEEL_DOWN, TUI_BUTTON_OTHER
};

struct tui_key {
	enum tui_key_name name;
	uint8_t mods;		/* enum tui_mod */
	bool pasted;		/* CHAR, ENTER, TAB: part of a paste */
	uint32_t code;
	enum tui_button button;
	bool released;
	uint16_t row, col;	/* from 0 */
};

struct tui_keys {
	uint8_t seq[TUI_SEQ_MAX];	/* an unfinished key */
	size_t seq_n;
	bool paste;
	bool skip;		/* rest of a sequence that was too long */
};

/*
 * tui_keys_feed(k, in, out):
 * Takes bytes from the front of `in` until there is a key; returns how many.
 * out->name is TUI_KEY_NONE when all were taken without one.
 */
size_t tui_keys_feed(struct tui_keys *k, struct span in,
    struct tui_key *out);
/* Whether a key is unfinished: give tui_keys_timeout after TUI_ESCAPE_MS. */
static inline bool
tui_keys_is_waiting(const struct tui_keys *k)
{
	return k->seq_n > 0 && !k->paste;
}
/* No byte came: what an unfinished sequence means by itself. */
void tui_keys_timeout(struct tui_keys *k, struct tui_key *out);

#endif
