/*
 * show.h: entries of a chat and other things as lines for people or as JSON
 * for programs. Other people's text is harmless to a terminal in both forms:
 * cleaned in the one (clean.h), escaped in the other. Results go to the
 * standard output, one write for each.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/host.h"

#define SHOW_TIME_LEN 20

/* Local time: "14:05" of today, else "2026-11-21 14:05"; seconds: ":09". */
void show_time(uint64_t unix_ms, bool seconds, char out[static SHOW_TIME_LEN]);
/* A person's name, cleaned, with NUL; "?" and part of the id if unknown. */
void show_name(struct host *h, const struct user_id *user,
    char out[static HOST_NAME_MAX + 1]);
/*
 * One entry as one or more lines without the last line's end.
 * cols: of the terminal; 0: lines are not broken.
 */
MUST_USE enum err show_item(struct host *h, const struct client_item *it,
    size_t cols, struct buf *out);
/* The same as a JSON object without a line's end. */
MUST_USE enum err show_item_json(struct host *h,
    const struct client_item *it, struct buf *out);
/* What a person is warned of, as a sentence; and its JSON form. */
MUST_USE enum err show_event(struct host *h, const struct client_show *s,
    struct buf *out);
MUST_USE enum err show_event_json(struct host *h,
    const struct client_show *s, struct buf *out);

/* One line of text, harmless to a terminal, without its end. */
MUST_USE enum err show_text(struct span text, struct buf *out);
/* Text as a JSON string whose characters are all harmless. */
MUST_USE enum err show_json_text(struct span text, struct buf *out);
/* "name": before a value, with a comma unless the object is empty. */
MUST_USE enum err show_json_name(struct buf *out, const char *name);
MUST_USE enum err show_json_str(struct buf *out, const char *name,
    struct span text);
MUST_USE enum err show_json_id(struct buf *out, const char *name,
    const uint8_t id[static ID_LEN]);
MUST_USE enum err show_json_u64(struct buf *out, const char *name,
    uint64_t v);
MUST_USE enum err show_json_bool(struct buf *out, const char *name, bool v);
MUST_USE enum err show_json_time(struct buf *out, const char *name,
    uint64_t unix_ms);

/* Writes the buffer and a line's end to the standard output; clears it. */
MUST_USE enum err show_line(struct buf *out);

#endif
