/*
 * tui.h: the full-screen client: carries the model (tui_model.h) with the
 * host (host.h). Its parts share struct tui: tui_load.c brings what the
 * profile holds into the model, tui_panels.c fills panels, tui_act.c does
 * what a person wants, tui_input.c and tui_command.c say what that is.
 *
 * One tick of the reactor: keys and events change the model, then it is
 * drawn once, if anything changed. Nothing waits but the reactor.
 */
#ifndef CLI_TUI_H
#define CLI_TUI_H

#include "cli/host.h"
#include "cli/tui_grid.h"
#include "cli/tui_layout.h"

#define TUI_PENDING_MAX 64u
#define TUI_STALE_MAX 32u
#define TUI_PAGE 100u		/* entries loaded at once */
#define TUI_AHEAD 150u		/* kept loaded above the view */
#define TUI_DRAFT_MS 300u	/* after the last key a draft is stored */
#define TUI_PAUSE_MS 3000u	/* without a key: typing has stopped */
#define TUI_AWAY_MS 180000u	/* without the focus: presence away */
#define TUI_SEARCH_MS 120u	/* after the last key a search runs */

enum tui_what {
	TUI_DOES_NOTHING, TUI_DOES_SEND, TUI_DOES_OPEN, TUI_DOES_FIND,
	TUI_DOES_PEOPLE, TUI_DOES_VERIFY, TUI_DOES_OTHER,
};

/* A command that was given and has not ended. */
struct tui_pending {
	uint64_t cmd;		/* 0: free */
	enum tui_what what;
	struct user_id user;
	char done[80];		/* said when it is done; empty: nothing */
};

struct tui {
	struct host *h;
	struct tui_model m;
	struct tui_grid grid;
	struct tui_keys keys;
	struct io input, signals;
	bool input_on, signals_on;
	struct timer escape, change, draft, pause, search, away;
	struct flush draw;
	struct tui_pending pending[TUI_PENDING_MAX];
	struct user_id stale[TUI_STALE_MAX];	/* rows to be read anew */
	size_t stale_n;
	bool stale_all;
	bool focused;		/* the terminal's window has the focus */
	bool told_typing, told_away;
	bool draft_dirty;
	uint64_t read_to;	/* said as read in the open chat */
	uint64_t people_cmd;	/* the search whose answers are shown */
	bool panel_stale;	/* its lines are to be made anew */
	struct user_id open_next;	/* after this step: open that chat */
	bool mouse;
	bool over;
	enum exit_status status;
	char last_words[HOST_MESSAGE_MAX];	/* printed after the end */
};

/*
 * Runs until the person leaves. The host is started; user: the chat to open,
 * or NULL. The terminal is as it was when this returns.
 */
enum exit_status tui_run(struct host *h, const struct user_id *user);
/* Whether it can run here: a terminal, not "dumb". */
bool tui_can(void);
/* Something that is shown has changed: draw at the end of this tick. */
void tui_touch(struct tui *t);
void tui_toast(struct tui *t, bool bad, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The log's box as it is drawn now; rows 0 where no chat is seen. */
struct tui_box tui_log_box(struct tui *t);
/* Gives the terminal to the shell (job control), and comes back. */
void tui_suspend(struct tui *t);

#endif
