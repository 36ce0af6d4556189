/*
 * tui_command.c: see tui_command.h.
 */
#include "cli/tui_command.h"

#include "cli/tui_act.h"
#include "cli/tui_draw.h"
#include "cli/tui_history.h"
#include "cli/tui_panels.h"

typedef void (*run_fn)(struct tui *t, struct span arg);

/* ---- what they are about ---- */

/* The selected message, or the newest of the other, or of mine. */
static struct tui_entry *
subject(struct tui *t, bool mine)
{
	struct tui_log *l = &t->m.log;
	struct tui_entry *e = tui_log_selected(l);
	if (e != NULL)
		return e;
	for (size_t i = l->n; i-- > 0; )
		if (l->entry[i].it.kind == ITEM_TEXT &&
		    ID_EQ(l->entry[i].it.sender, t->m.me) == mine)
			return &l->entry[i];
	tui_toast(t, true, "There is no message for that yet.");
	return NULL;
}

static bool
is_open(struct tui *t)
{
	if (!t->m.open)
		tui_toast(t, true, "Open a chat first.");
	return t->m.open;
}

/* ---- commands ---- */

static void
run_archive(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_flag(t, &t->m.with, CHAT_ARCHIVED);
}

static void
run_archived(struct tui *t, struct span arg)
{
	(void)arg;
	t->m.archived = !t->m.archived;
	tui_toast(t, false, t->m.archived ? "Archived chats are shown." :
	    "Archived chats are folded away.");
}

static void
run_block(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		t->m.ask = TUI_ASK_BLOCK;
}

static void
run_code(struct tui *t, struct span arg)
{
	if (is_open(t) && arg.n > 0)
		tui_act_verify_code(t, arg);
}

static void
run_compare(struct tui *t, struct span arg)
{
	(void)arg;
	tui_panels_open(t, TUI_PANEL_SAFETY);
}

static void
run_confirm(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_verify(t, true);
}

static void
run_copy(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	(void)arg;
	if (e != NULL)
		tui_act_copy(t, e);
}

static void
run_delete(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, true) : NULL;
	(void)arg;
	if (e == NULL)
		return;
	t->m.ask = TUI_ASK_DELETE;
	t->m.ask_ref = tui_log_ref(e);
	t->m.ask_mine = ID_EQ(e->it.sender, t->m.me) &&
	    e->it.kind == ITEM_TEXT;
}

static void
run_details(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	(void)arg;
	if (e != NULL)
		tui_panels_message(t, e);
}

static void
run_edit(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, true) : NULL;
	(void)arg;
	if (e != NULL)
		tui_act_edit(t, e);
}

static void
run_help(struct tui *t, struct span arg)
{
	(void)arg;
	tui_panels_open(t, TUI_PANEL_HELP);
}

static void
run_me(struct tui *t, struct span arg)
{
	(void)arg;
	tui_panels_open(t, TUI_PANEL_SELF);
}

static void
run_mouse(struct tui *t, struct span arg)
{
	t->mouse = span_eq(arg, SPAN("on")) ? true :
	    span_eq(arg, SPAN("off")) ? false : !t->mouse;
	tui_draw_mouse(t->mouse);
	tui_toast(t, false, t->mouse ? "The mouse chooses chats and messages." :
	    "The mouse selects text, as the terminal does it.");
}

static void
run_mute(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_flag(t, &t->m.with, CHAT_MUTED);
}

static void
run_new(struct tui *t, struct span arg)
{
	if (arg.n > 0)
		tui_act_find(t, arg);
	else
		tui_panels_open(t, TUI_PANEL_PEOPLE);
}

static void
run_pin(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	(void)arg;
	if (e != NULL)
		tui_act_pin(t, e);
}

static void
run_pinchat(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_flag(t, &t->m.with, CHAT_PINNED);
}

static void
run_pins(struct tui *t, struct span arg)
{
	(void)arg;
	tui_panels_open(t, TUI_PANEL_PINS);
}

static void
run_quit(struct tui *t, struct span arg)
{
	(void)arg;
	t->over = true;
}

static void
run_react(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	if (e == NULL)
		return;
	struct client_ref ref = tui_log_ref(e);
	tui_act_react(t, &ref, arg);
}

static void
run_reply(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	(void)arg;
	if (e != NULL)
		tui_act_reply(t, e);
}

static void
run_report(struct tui *t, struct span arg)
{
	struct tui_entry *e = is_open(t) ? subject(t, false) : NULL;
	(void)arg;
	if (e == NULL)
		return;
	t->m.ask = TUI_ASK_REPORT;
	t->m.ask_ref = tui_log_ref(e);
}

static void
run_search(struct tui *t, struct span arg)
{
	tui_panels_open(t, TUI_PANEL_SEARCH);
	if (arg.n == 0)
		return;
	tui_compose_set(t->m.field, arg);
	tui_panels_refresh(t);
}

static void
run_status(struct tui *t, struct span arg)
{
	(void)arg;
	tui_panels_open(t, t->m.open ? TUI_PANEL_PROTECTION :
	    TUI_PANEL_SELF);
}

/* "30s", "5m", "12h", "7d", "2w", "off" in seconds. */
static bool
read_span(struct span s, uint32_t *out)
{
	static const struct { char c; uint32_t s; } units[] = { { 's', 1 },
	    { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	uint64_t n;
	if (span_eq(s, SPAN("off"))) {
		*out = 0;
		return true;
	}
	if (s.n < 2 || !span_u64(span_sub(s, 0, s.n - 1), 100000, &n) ||
	    n == 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if ((char)s.p[s.n - 1] == units[i].c) {
			*out = (uint32_t)n * units[i].s;
			return true;
		}
	return false;
}

static void
run_timer(struct tui *t, struct span arg)
{
	uint32_t s;
	if (!is_open(t))
		return;
	if (read_span(arg, &s))
		tui_act_timer(t, s);
	else
		tui_toast(t, true, "/timer 30s, 5m, 12h, 7d, 2w or off: how "
		    "long after reading.");
}

static void
run_unblock(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_block(t, &t->m.with, false);
}

static void
run_unread(struct tui *t, struct span arg)
{
	(void)arg;
	if (is_open(t))
		tui_act_jump_unread(t);
}

static void
run_write_anyway(struct tui *t, struct span arg)
{
	const struct tui_chat *c = tui_model_current(&t->m);
	(void)arg;
	if (c != NULL && (c->stopped || c->changed))
		t->m.ask = TUI_ASK_WRITE_ANYWAY;
	else if (is_open(t))
		tui_toast(t, false, "Nothing waits for that here.");
}

/* Sorted. */
static const struct {
	const char *name, *help;
	run_fn run;
} commands[] = {
	{ "archive", "the chat goes to the archive, or back", run_archive },
	{ "archived", "show archived chats, or fold them away", run_archived },
	{ "block", "this person can't write to you", run_block },
	{ "code TEXT", "compare the other's code, pasted", run_code },
	{ "compare", "the safety number with this person", run_compare },
	{ "confirm", "the numbers match: mark as verified", run_confirm },
	{ "copy", "a message's text", run_copy },
	{ "delete", "a message, for you or for both", run_delete },
	{ "details", "times, device and state of a message", run_details },
	{ "edit", "your last message, or the selected one", run_edit },
	{ "help", "this page", run_help },
	{ "me", "this account and its devices", run_me },
	{ "mouse on|off", "off: select text as usual", run_mouse },
	{ "mute", "the chat, or not any more", run_mute },
	{ "new NAME", "a chat with somebody", run_new },
	{ "pin", "a message in the chat, for both", run_pin },
	{ "pinchat", "the chat above the others", run_pinchat },
	{ "pins", "what is pinned here", run_pins },
	{ "quit", "leave; what you were writing is kept", run_quit },
	{ "react EMOJI", "to a message; none: take it back", run_react },
	{ "reply", "to a message", run_reply },
	{ "report", "a message to the people who run the server", run_report },
	{ "search WORDS", "in all messages on this device", run_search },
	{ "status", "who can read, and how it is protected", run_status },
	{ "timer 1d|off", "messages disappear so long after reading",
	    run_timer },
	{ "unblock", "this person can write to you again", run_unblock },
	{ "unread", "to the first new message", run_unread },
	{ "verify", "the safety number with this person", run_compare },
	{ "write-anyway", "though the safety number is different",
	    run_write_anyway },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct span
name_of(size_t i)
{
	struct span s = span_str(commands[i].name);
	return span_sub(s, 0, span_find(s, ' '));
}

bool
tui_command_run(struct tui *t, struct span line)
{
	struct span word = span_sub(line, 1, span_find(line, ' ') - 1);
	struct span arg = span_trim(span_sub(line, word.n + 1, line.n));
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!span_eq(name_of(i), word))
			continue;
		commands[i].run(t, arg);
		tui_touch(t);
		return true;
	}
	tui_toast(t, true, "There is no such command. /help lists them; // "
	    "sends a message that begins with a slash.");
	return false;
}

bool
tui_command_complete(struct tui *t)
{
	struct span s = tui_compose_text(t->m.compose);
	size_t found = COMMANDS;
	char text[64];
	if (s.n < 2 || s.p[0] != '/' || span_find(s, ' ') != s.n)
		return false;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!span_starts(name_of(i), span_sub(s, 1, s.n)))
			continue;
		if (found != COMMANDS)
			return false;
		found = i;
	}
	if (found == COMMANDS)
		return false;
	struct span name = name_of(found);
	snprintf(text, sizeof(text), "/%.*s ", (int)name.n,
	    (const char *)name.p);
	tui_compose_set(t->m.compose, span_str(text));
	return true;
}

/* "@an" before the cursor becomes "@ann ": those of the chat can be meant. */
bool
tui_command_mention(struct tui *t)
{
	struct tui_compose *c = t->m.compose;
	const struct tui_chat *with = tui_model_current(&t->m);
	const char *name[2] = { with != NULL ? with->name : "",
	    t->m.me_name };
	char rest[HOST_NAME_MAX + 2];
	const char *found = NULL;
	size_t at = c->at;
	while (at > 0 && c->text[at - 1] != '@' && c->text[at - 1] != ' ' &&
	    c->text[at - 1] != '\n' && c->at - at < HOST_NAME_MAX)
		at--;
	if (at == 0 || c->text[at - 1] != '@' || (at > 1 &&
	    c->text[at - 2] != ' ' && c->text[at - 2] != '\n' &&
	    c->text[at - 2] != '('))
		return false;
	struct span typed = span_of(c->text + at, c->at - at);
	for (size_t i = 0; i < 2 && found == NULL; i++)
		if (typed.n <= strlen(name[i]) && name[i][0] != '\0' &&
		    span_eq_nocase(typed, span_of(name[i], typed.n)))
			found = name[i];
	if (found == NULL)
		return false;
	snprintf(rest, sizeof(rest), "%s ", found + typed.n);
	return tui_compose_insert(c, span_str(rest));
}

/* ---- help ---- */

static const struct {
	const char *keys, *does;
} keys[] = {
	{ "Writing", NULL },
	{ "Enter", "send" },
	{ "Alt-Enter ^J", "new line" },
	{ "^A ^E ^B ^F", "line's ends, a character back, on" },
	{ "Alt-B Alt-F", "a word back, on" },
	{ "^W ^U ^K Alt-D", "cut a word, to the line's start, end" },
	{ "^Y ^_", "put back what was cut; undo" },
	{ "^P ^N", "what you sent before (^N in an empty field: new chat)" },
	{ "Tab", "complete a /command, an @name; else: next region" },
	{ "Messages", NULL },
	{ "PgUp PgDn, wheel", "scroll; Esc to the end" },
	{ "Up", "select a message (from the first line)" },
	{ "r a c e d p i", "reply, react, copy, edit, delete, pin, details" },
	{ "Enter", "to the quoted one; a long text whole" },
	{ "u", "to the first new message" },
	{ "Alt-E", "edit your last message" },
	{ "Chats", NULL },
	{ "F2 or F6", "the list; F6 goes round all regions" },
	{ "Alt-Up Alt-Down", "chat above, below; with Shift: unread ones" },
	{ "^N Alt-N", "new chat" },
	{ "m p a", "in the list: mute, pin, archive" },
	{ "Panels", NULL },
	{ "F3 or ^S", "search messages" },
	{ "F4 or Alt-P", "protection of this chat" },
	{ "Alt-C, Alt-W", "key changed: compare; write anyway" },
	{ "F5 or Alt-M", "you and your devices" },
	{ "F1 or ? in lists", "this page" },
	{ "Esc", "closes the top thing" },
	{ "^L", "draw all anew" },
	{ "^Z", "to the shell; fg comes back" },
	{ "^Q or ^C", "leave; what you were writing is kept" },
};

void
tui_command_help(struct tui *t)
{
	struct tui_model *m = &t->m;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].does == NULL) {
			(void)tui_model_panel_add(m, TUI_TEXT, " ");
			(void)tui_model_panel_add(m, TUI_STRONG, "%s",
			    keys[i].keys);
			continue;
		}
		(void)tui_model_panel_add(m, TUI_TEXT, "%-17s %s",
		    keys[i].keys, keys[i].does);
	}
	(void)tui_model_panel_add(m, TUI_TEXT, " ");
	(void)tui_model_panel_add(m, TUI_STRONG, "Commands");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)tui_model_panel_add(m, TUI_TEXT, "/%-16s %s",
		    commands[i].name, commands[i].help);
	(void)tui_model_panel_add(m, TUI_TEXT, "%-17s %s", "//text",
	    "a message that begins with a slash");
}
