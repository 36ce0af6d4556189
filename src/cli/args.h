/*
 * args.h: the command line as a struct, from the rows of commands.def.
 * Options may stand before or after the command; "--" ends them; "--name
 * VALUE", "--name=VALUE", "-nVALUE" and "-n VALUE" are the same. Pure: reads
 * nothing but its arguments, prints nothing.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum cmd {
	CMD_NONE,
#define COMMAND(name, least, most, operands, summary, more) CMD_##name,
#include "cli/commands.def"
#undef COMMAND
	CMD_MAX
};

#define ARGS_IN(name) (1ul << CMD_##name)
#define ARGS_ALL (~0ul)

#define ARGS_OPERANDS_MAX 64

/* What the process's exit status means; documented in nightjar(1). */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* it did not work; the message says why */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_SIGNED_OUT = 3,	/* no account here, or its session has ended */
	EXIT_NETWORK = 4,	/* the server was not reached in time */
	EXIT_REFUSED = 5,	/* the server said no */
	EXIT_UNTRUSTED = 6,	/* certificate or identity not to be trusted */
	EXIT_PROFILE = 7,	/* profile damaged, locked or not readable */
	EXIT_INTERRUPTED = 130	/* SIGINT, as shells count it */
};

struct args {
	enum cmd cmd;
#define FLAG(cmds, name, letter, help) bool name;
#define VALUE(cmds, name, letter, value, help) const char *name;
#include "cli/commands.def"
#undef FLAG
#undef VALUE
	const char *operand[ARGS_OPERANDS_MAX];
	size_t operand_n;
};

#define ARGS_ERROR_MAX 200

/*
 * args_parse(argc, argv, out, error):
 * Fills `out` with pointers into argv. ERR_VALIDATION: `error` says what is
 * wrong in words for people; out->cmd is the command when one was given.
 * --help and --version are accepted whatever else is missing.
 */
MUST_USE enum err args_parse(int argc, char *const argv[], struct args *out,
    char error[static ARGS_ERROR_MAX]);
/* The command of this name, or CMD_NONE. */
enum cmd args_command(const char *name);
/* Decimal number within [least, most]; false otherwise. */
bool args_number(const char *text, unsigned long least, unsigned long most,
    unsigned long *out);

/* One row of commands.def, for usage and completion. */
struct args_command {
	const char *name, *operands, *summary, *more;
	unsigned least, most;
};
struct args_option {
	unsigned long cmds;
	const char *name;	/* as typed, without "--" */
	char letter;
	const char *value;	/* NULL: a flag */
	const char *help;
};
const struct args_command *args_commands(void);	/* [CMD_MAX]; 0 unused */
const struct args_option *args_options(size_t *n_out);

#endif
