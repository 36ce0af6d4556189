/*
 * stand.h: what stands in for a socket in commands that end at once: the
 * client's events become REST calls (message:send, message:edit), or nothing. So `send`
 * opens no socket, of which a session may have few new ones a minute, and
 * ten of them in a row work as well. Same callbacks as sock.h.
 */
#ifndef CLI_STAND_H
#define CLI_STAND_H

#include "cli/remote.h"
#include "cli/sock.h"

struct stand {
	struct remote *remote;
	const struct sock_ops *ops;
	void *ctx;
	struct timer later;
	bool up;
	struct buf token;
	struct buf hello;	/* JSON of connection:acknowledged */
};

void stand_init(struct stand *t, struct remote *m,
    const struct sock_ops *ops, void *ctx);
void stand_fini(struct stand *t);
/*
 * on_up and the event connection:acknowledged follow in a tick to come.
 *   hello  in  the JSON of that event
 */
MUST_USE enum err stand_open(struct stand *t, struct span token,
    struct span hello);
void stand_emit(struct stand *t, struct span name, struct span json,
    uint32_t ack);
void stand_close(struct stand *t);

#endif
