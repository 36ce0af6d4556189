/*
 * task.h: calls that have to be made sooner or later: each is kept until the
 * server has answered it, so no crash loses one, and they are made in order.
 * Called by change.c, prefs.c, outbox.c and client.c.
 *
 *	REC_TASK  u64 number -> record
 */
#ifndef CLIENT_TASK_H
#define CLIENT_TASK_H

#include "client/call.h"

#define TASKS_MAX 1000u

enum task_method { TASK_POST = 1, TASK_PUT, TASK_PATCH, TASK_DELETE };

/*
 * cmd (0: none) hears SHOW_DONE or SHOW_ERROR when the server answered. Of
 * more than TASKS_MAX: SHOW_ERROR with ERR_BUSY, and nothing is kept.
 */
MUST_USE enum err task_put(struct step *s, enum task_method method,
    struct span path, struct span body, uint64_t cmd);
/* Is one of this command still kept? */
MUST_USE enum err task_has(struct step *s, uint64_t cmd, bool *out);
/* Makes the first one's call. */
MUST_USE enum err task_pump(struct step *s);
MUST_USE enum err task_heard(struct step *s, const struct call_answer *a);

#endif
