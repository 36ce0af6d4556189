/*
 * echo.c: bare Engine.IO and bare WebSocket: every message goes back to its
 * sender.
 */
#include "conformance/peer.h"

void
echo_on_message(void *arg, struct edge_ref session, struct span message,
    bool binary)
{
	(void)arg;
	/* False: the sender does not read and was ended. */
	(void)edge_send(session, message, binary);
}

void
echo_upgrade(struct peer *p, struct edge_ref request,
    const struct edge_request *req)
{
	const struct edge_upgrade u = {
		.protocol = SPAN("echo.nightjar"),
		.message_max = (uint32_t)p->flags->ws_max,
		.deflate = true,
	};
	struct edge_ref ws;

	/* False: it was no WebSocket handshake and has been answered. */
	(void)edge_upgrade(request, req, &u, &ws);
}

void
echo_on_ws_message(void *arg, struct edge_ref ws, struct span message,
    bool binary)
{
	(void)arg;
	(void)edge_ws_write(ws, message, binary);
}
