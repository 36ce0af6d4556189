/*
 * show_about.h: what stands beside the text of an entry: what it answers, that
 * it was edited, who reacted; and how messages ended that were not shown.
 */
#ifndef CLI_SHOW_ABOUT_H
#define CLI_SHOW_ABOUT_H

#include "cli/host.h"

/* Before the text of an entry, and after it. */
MUST_USE enum err show_about_before(struct host *h,
    const struct client_item *it, struct buf *out);
MUST_USE enum err show_about_after(struct host *h,
    const struct client_item *it, struct buf *out);
/* Its members in the JSON of the entry. */
MUST_USE enum err show_about_json(struct host *h,
    const struct client_item *it, struct buf *out);
/* A reaction or a pin, as a line and as JSON. */
MUST_USE enum err show_about_event(struct host *h,
    const struct client_show *s, struct buf *out);
MUST_USE enum err show_about_event_json(struct host *h,
    const struct client_show *s, struct buf *out);
/* "shown": 12, ... as an object; and as lines of "name number". */
MUST_USE enum err show_causes_json(struct host *h, struct buf *out);
MUST_USE enum err show_causes(struct host *h, struct buf *out);

#endif
