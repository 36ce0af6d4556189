/*
 * cmd_help.c: exports cmd_help, cmd_completion, cmd_whoami: commands that
 * need no server.
 */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "cli/show.h"

enum exit_status
cmd_help(struct host *h, const struct args *a)
{
	(void)h;
	if (a->operand_n == 0) {
		help_overview(stdout);
		return EXIT_OK;
	}
	enum cmd cmd = args_command(a->operand[0]);
	if (cmd == CMD_NONE && help_topic(stdout, a->operand[0]))
		return EXIT_OK;
	if (cmd == CMD_NONE) {
		fprintf(stderr, "nightjar: there is no command \"%.40s\" and "
		    "no topic; try: nightjar help\n", a->operand[0]);
		return EXIT_USAGE;
	}
	help_command(stdout, cmd);
	return EXIT_OK;
}

enum exit_status
cmd_completion(struct host *h, const struct args *a)
{
	(void)h;
	if (help_completion(stdout, a->operand[0]))
		return EXIT_OK;
	fprintf(stderr, "nightjar: completion is there for bash, zsh and fish, "
	    "not for \"%.40s\"\n", a->operand[0]);
	return EXIT_USAGE;
}

enum exit_status
cmd_whoami(struct host *h, const struct args *a)
{
	struct buf out;
	buf_init(&out, 4096);
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK && h->account.name[0] == '\0') {
		host_error(h, "there is no account in this profile; begin "
		    "with: %s (or login)", host_hint(h, "register"));
		st = EXIT_SIGNED_OUT;
	}
	enum err e = OK;
	if (st == EXIT_OK && a->json) {
		e = buf_add_str(&out, "{");
		if (e == OK)
			e = show_json_str(&out, "username",
			    span_str(h->account.name));
		if (e == OK)
			e = show_json_str(&out, "server",
			    span_str(h->account.url));
		if (e == OK)
			e = buf_add_str(&out, "}");
	} else if (st == EXIT_OK) {
		e = buf_add_str(&out, h->account.name);
	}
	if (st == EXIT_OK && (e != OK || show_line(&out) != OK))
		st = EXIT_FAILED;
	buf_fini(&out);
	return st;
}
