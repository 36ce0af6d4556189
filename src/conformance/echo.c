/*
 * echo.c: bare Engine.IO: every message goes back to its sender.
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
