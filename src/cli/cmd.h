/*
 * cmd.h: the subcommands. cmd_NAME is what `nightjar NAME` does, in the file
 * cmd_NAME.c (small ones share one). It opens the host that it is given as far
 * as it needs it, prints its result and returns the exit status; main closes
 * the host, opened or not.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/host.h"

#define COMMAND(name, least, most, operands, summary, more) \
	enum exit_status cmd_##name(struct host *h, const struct args *a);
#include "cli/commands.def"
#undef COMMAND
/* `pin NAME --chat`: the chat itself (cmd_chats.c). */
enum exit_status cmd_pin_chat(struct host *h, const struct args *a);

#endif
