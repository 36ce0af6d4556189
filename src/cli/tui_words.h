/*
 * tui_words.h: what the full-screen client says: times, states, causes and
 * warnings as sentences for people. No codes in a sentence: what happened,
 * what it means, what to do. Pure but for the time zone.
 */
#ifndef CLI_TUI_WORDS_H
#define CLI_TUI_WORDS_H

#include "cli/tui_model.h"

#define TUI_WORD_MAX 64u
#define TUI_SENTENCE_MAX 400u

/* "14:05" in local time. */
void tui_words_clock(uint64_t ms, char out[static TUI_WORD_MAX]);
/* "Today", "Yesterday", "Tuesday", "12 March", "12 March 2025". */
void tui_words_day(uint64_t ms, uint64_t now_ms,
    char out[static TUI_WORD_MAX]);
/* The same within a sentence: "today", "on 12 March". */
void tui_words_date(uint64_t ms, uint64_t now_ms,
    char out[static TUI_WORD_MAX]);
/* In the list: the time today, else the day, short. */
void tui_words_short(uint64_t ms, uint64_t now_ms,
    char out[static TUI_WORD_MAX]);
/* "12 March 2025, 14:05:09". */
void tui_words_full(uint64_t ms, char out[static TUI_WORD_MAX]);
bool tui_words_same_day(uint64_t a_ms, uint64_t b_ms);
/* "4 minutes 20 seconds", "1 day". */
void tui_words_span(uint64_t seconds, char out[static TUI_WORD_MAX]);
/* "5 minutes ago", "yesterday at 14:05": for last seen. */
void tui_words_ago(uint64_t ms, uint64_t now_ms,
    char out[static TUI_WORD_MAX]);

/* The mark of an own message: a sign, or a word where signs are not drawn. */
const char *tui_words_state(const struct client_item *it, bool ascii);
/* "Waiting", "Sent", "Delivered", "Read". */
const char *tui_words_state_name(const struct client_item *it);
/*
 * What stands in place of a text that there is not, as a title and, after a
 * line feed, what it means. name: of the other person. false: it has a text.
 */
bool tui_words_absent(const struct client_item *it, const char *name,
    bool mine, char out[static TUI_SENTENCE_MAX]);
/* Why an own message was not sent. */
const char *tui_words_unsent(enum err cause);
/* Something that was asked for was not done. */
const char *tui_words_error(enum err cause);
const char *tui_words_warning(enum client_warning_kind k);

#endif
