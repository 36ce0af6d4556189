/*
 * main.c: the `nightjar` program: reads the command line and calls the
 * command (commands.def, cmd.h).
 */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "cli/tty.h"

typedef enum exit_status (*command_fn)(struct host *h,
    const struct args *a);

static const command_fn commands[CMD_MAX] = {
#define COMMAND(name, least, most, operands, summary, more) \
	[CMD_##name] = cmd_##name,
#include "cli/commands.def"
#undef COMMAND
};

int
main(int argc, char *argv[])
{
	static struct args a;
	static struct host h;
	char error[ARGS_ERROR_MAX];
	tty_setup();
	if (args_parse(argc, argv, &a, error) != OK) {
		fprintf(stderr, "nightjar: %s\nTry: nightjar help%s%s\n",
		    error, a.cmd != CMD_NONE ? " " : "",
		    a.cmd != CMD_NONE ? args_commands()[a.cmd].name : "");
		return EXIT_USAGE;
	}
	if (a.version) {
		printf("nightjar %s\n", HELP_VERSION);
		return EXIT_OK;
	}
	if (a.cmd == CMD_NONE) {
		help_overview(a.help ? stdout : stderr);
		return a.help ? EXIT_OK : EXIT_USAGE;
	}
	if (a.help) {
		help_command(stdout, a.cmd);
		return EXIT_OK;
	}
	h.args = &a;
	enum exit_status st = commands[a.cmd](&h, &a);
	host_close(&h);
	return (int)st;
}
