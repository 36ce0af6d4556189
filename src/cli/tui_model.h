/*
 * tui_model.h: everything that the full-screen client shows, without knowing
 * how: chats, the open one, panels, questions, what has the focus. Pure; the
 * host (tui.c and its parts) fills it from the client's queries, the layout
 * (tui_layout.c) draws it into a grid.
 */
#ifndef CLI_TUI_MODEL_H
#define CLI_TUI_MODEL_H

#include "cli/tui_compose.h"
#include "cli/tui_log.h"

#define TUI_NAME_MAX 128u	/* bytes of a name, cleaned, with NUL */
#define TUI_PREVIEW_MAX 240u
#define TUI_CHATS_MAX 10000u
#define TUI_LINES_MAX 600u	/* of a panel */
#define TUI_LINE_MAX 600u	/* bytes of one */
#define TUI_TOAST_MS 6000u
#define TUI_TYPING_MS 6000u	/* a typing mark ends by itself */
#define TUI_LIT_MS 1200u

enum tui_presence { TUI_OFFLINE, TUI_ONLINE, TUI_AWAY };

/* A row of the list. */
struct tui_chat {
	struct chat_id chat;	/* zero: no chat yet */
	struct user_id user;
	char name[TUI_NAME_MAX];
	char preview[TUI_PREVIEW_MAX];
	bool mine;		/* the last message is */
	enum client_item_kind kind;
	enum client_item_state state;
	uint32_t item_flags;
	uint64_t last_ms;
	uint32_t unread_n, mentions_n;
	uint32_t flags;		/* enum client_chat_flag */
	uint32_t expire_s;
	uint64_t read;
	bool verified, changed;	/* the key; not accepted yet */
	bool stopped;		/* sending waits for the person's word */
	bool gone;		/* the account was deleted */
	bool blocked;		/* by me */
	bool draft;
	enum tui_presence presence;
	uint64_t seen_ms;	/* 0: not known */
	uint64_t typing_until_ms;
};

enum tui_focus { TUI_AT_LIST, TUI_AT_LOG, TUI_AT_COMPOSE, TUI_AT_PANEL };

enum tui_panel_kind {
	TUI_PANEL_NONE, TUI_PANEL_PROTECTION, TUI_PANEL_SELF, TUI_PANEL_SEARCH,
	TUI_PANEL_PEOPLE, TUI_PANEL_HELP, TUI_PANEL_SAFETY, TUI_PANEL_MESSAGE,
	TUI_PANEL_PINS,
};

/* A line of a panel: what a selected one leads to is the host's. */
struct tui_line {
	char text[TUI_LINE_MAX];
	uint8_t style;		/* enum tui_style */
	uint8_t indent;
	bool can;		/* can be selected; ref, user or act below */
	bool raw;		/* cut, not wrapped (QR, digits, keys) */
	bool center;
	uint8_t act;		/* the host's */
	struct client_ref ref;
	struct chat_id chat;
	struct user_id user;
};

struct tui_panel {
	enum tui_panel_kind kind;
	char title[TUI_NAME_MAX + 32];
	struct tui_line *line;	/* heap, TUI_LINES_MAX */
	size_t n;
	size_t top;		/* first row that is shown */
	size_t sel;
	bool has_input;		/* a field at the top: m->field */
	const char *hint;	/* in the empty field */
};

/* One question at a time; each answer is a key. */
enum tui_ask {
	TUI_ASK_NONE, TUI_ASK_DELETE, TUI_ASK_REACT, TUI_ASK_QUIT,
	TUI_ASK_BLOCK, TUI_ASK_WRITE_ANYWAY, TUI_ASK_REPORT,
};

/* The one bar below the head, most serious last. */
enum tui_bar {
	TUI_BAR_NONE, TUI_BAR_CATCHING_UP, TUI_BAR_OFFLINE, TUI_BAR_RENEWED,
	TUI_BAR_CHANGED, TUI_BAR_STOPPED, TUI_BAR_CONFLICT,
};

struct tui_model {
	uint64_t now_ms;
	bool ascii;
	struct user_id me;
	char me_name[TUI_NAME_MAX];
	uint32_t me_devices;

	struct tui_chat *chat;		/* heap; in the order of the list */
	size_t chat_n, chat_cap;
	size_t chat_sel, chat_top;
	bool archived;			/* shows the archived ones */

	bool open;			/* a chat is */
	struct user_id with;
	struct chat_id with_chat;	/* zero: not known yet */
	struct tui_log log;
	uint32_t with_devices;
	bool conflict;			/* two device lists were seen */
	bool was_verified;		/* before the key changed */
	bool renewed;			/* signed by the old key */

	struct tui_compose *compose;	/* heap */
	struct tui_compose *field;	/* heap; of panels and questions */
	struct client_ref reply, edit;	/* zeros: neither */
	char about[TUI_PREVIEW_MAX];	/* text of what is replied to */
	bool about_mine;

	enum tui_focus focus;
	enum tui_focus before_panel;	/* where the focus was */
	struct tui_panel panel;
	bool panel_closed;		/* by hand: stays so when wide */
	enum tui_ask ask;
	struct client_ref ask_ref;
	bool ask_mine;

	bool up, caught_up, ever_up;
	uint64_t down_since_ms;
	char toast[TUI_LINE_MAX];
	bool toast_bad;
	uint64_t toast_until_ms;
};

/* ERR_NOMEM. */
MUST_USE enum err tui_model_init(struct tui_model *m);
/* Wipes and frees everything. */
void tui_model_fini(struct tui_model *m);

/* ---- chats ---- */

/* Adds or replaces the row of c->user, and puts the list in order: pinned
 * first, then by time. What is selected stays. ERR_LIMIT, ERR_NOMEM. */
MUST_USE enum err tui_model_chat_put(struct tui_model *m,
    const struct tui_chat *c);
struct tui_chat *tui_model_chat(struct tui_model *m,
    const struct user_id *user);
struct tui_chat *tui_model_chat_by_id(struct tui_model *m,
    const struct chat_id *chat);
/* The row of the open chat; NULL. */
struct tui_chat *tui_model_current(struct tui_model *m);
/* Whether the list shows it: archived ones are folded. */
bool tui_model_is_listed(const struct tui_model *m, const struct tui_chat *c);
/* The next listed one from `at` in a direction, unread ones only; or at. */
size_t tui_model_next_chat(const struct tui_model *m, size_t at, bool back,
    bool unread);
uint32_t tui_model_unread(const struct tui_model *m);

/* ---- state ---- */

void tui_model_toast(struct tui_model *m, bool bad, const char *text);
/* The bar that the chat has now. */
enum tui_bar tui_model_bar(struct tui_model *m);
/* The next region in the order list, log, composer, panel. */
void tui_model_next_focus(struct tui_model *m, bool back);
/* When something on the screen changes by itself; 0: never. */
uint64_t tui_model_next_change(const struct tui_model *m);
/* Ends what is over by m->now_ms: toasts, typing. */
void tui_model_expire(struct tui_model *m);

/* ---- panels ---- */

void tui_model_panel_open(struct tui_model *m, enum tui_panel_kind kind,
    const char *title);
void tui_model_panel_close(struct tui_model *m);
void tui_model_panel_clear(struct tui_model *m);
/* A line at its end; NULL when it is full. */
struct tui_line *tui_model_panel_add(struct tui_model *m, int style,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Selects the next line that can be (by: -1, 1). */
void tui_model_panel_select(struct tui_model *m, int by);
struct tui_line *tui_model_panel_selected(struct tui_model *m);

/* Text on one line, cut at `cap` bytes between characters, with NUL. */
void tui_model_keep(char *out, size_t cap, struct span s);

#endif
