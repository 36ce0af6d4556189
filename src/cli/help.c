/*
 * help.c: see help.h. The scripts name commands and options only: the names
 * of people are in the sealed profile, which a Tab must not unlock.
 */
#include "cli/help.h"

#include <string.h>

/* An option's name as it is typed. */
static void
put_name(FILE *f, const char *name)
{
	for (; *name != '\0'; name++)
		fputc(*name == '_' ? '-' : *name, f);
}

#define HELP_COLUMNS 80

/* `text` from column `at`, broken between words; later lines begin there. */
static void
put_wrapped(FILE *f, const char *text, int at)
{
	int col = at;
	while (*text != '\0') {
		int n = (int)strcspn(text, " ");
		if (col > at && col + 1 + n > HELP_COLUMNS - 1) {
			fprintf(f, "\n%*s", at, "");
			col = at;
		} else if (col > at) {
			fputc(' ', f);
			col++;
		}
		fprintf(f, "%.*s", n, text);
		col += n;
		text += n;
		text += *text == ' ';
	}
	fputc('\n', f);
}

/* One column of options that `cmds` have (all of them or any). */
static void
put_options(FILE *f, unsigned long cmds, bool shared)
{
	size_t n;
	const struct args_option *o = args_options(&n);
	for (size_t i = 0; i < n; i++) {
		if ((o[i].cmds == ARGS_ALL) != shared ||
		    (o[i].cmds & cmds) == 0)
			continue;
		int width = (int)strlen(o[i].name) + 2;
		if (o[i].letter != 0)
			fprintf(f, "  -%c, --", o[i].letter);
		else
			fputs("      --", f);
		put_name(f, o[i].name);
		if (o[i].value != NULL) {
			fprintf(f, " %s", o[i].value);
			width += (int)strlen(o[i].value) + 1;
		}
		int pad = width < 24 ? 24 - width : 1;
		fprintf(f, "%*s ", pad, "");
		put_wrapped(f, o[i].help, 6 + width + pad + 1);
	}
}

void
help_overview(FILE *f)
{
	const struct args_command *c = args_commands();
	fputs("Usage: nightjar [OPTIONS] COMMAND ...\n\n"
	    "End-to-end encrypted messages from the command line.\n\n"
	    "Commands:\n", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++)
		fprintf(f, "  %-12s %s\n", c[i].name, c[i].summary);
	fputs("\nOptions of all commands:\n", f);
	put_options(f, ARGS_ALL, true);
	fputs("\nBegin with:  nightjar register\n"
	    "More:        nightjar help COMMAND, nightjar help exit-codes, "
	    "man nightjar\n", f);
}

void
help_command(FILE *f, enum cmd cmd)
{
	const struct args_command *c = &args_commands()[cmd];
	fprintf(f, "Usage: nightjar [OPTIONS] %s%s%s\n\n%c%s.\n", c->name,
	    c->operands[0] != '\0' ? " " : "", c->operands,
	    c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->more[0] != '\0')
		fprintf(f, "\n%s\n", c->more);
	fputs("\nOptions:\n", f);
	put_options(f, 1ul << cmd, false);
	put_options(f, 1ul << cmd, true);
	fputs("\nExit status: 0 done; nightjar help exit-codes lists the "
	    "others.\n", f);
}

bool
help_topic(FILE *f, const char *name)
{
	if (strcmp(name, "exit-codes") != 0)
		return false;
	fputs("Exit status of all commands:\n\n"
	    "    0  done\n"
	    "    1  it did not work; the message says why\n"
	    "    2  the command line is wrong\n"
	    "    3  no account in this profile, or its session has ended\n"
	    "    4  the server was not reached in time; a message given to "
	    "send waits in\n       the outbox and goes with the next command "
	    "that reaches the server\n"
	    "    5  the server refused, or there is no such person\n"
	    "    6  a certificate or an identity is not to be trusted\n"
	    "    7  the profile cannot be used: damaged, locked or not "
	    "readable\n"
	    "  130  interrupted\n", f);
	return true;
}

/* Names of all options that cmd has, for a word list. */
static void
put_option_words(FILE *f, unsigned long cmds)
{
	size_t n;
	const struct args_option *o = args_options(&n);
	for (size_t i = 0; i < n; i++) {
		if ((o[i].cmds & cmds) != cmds)
			continue;
		fputs(" --", f);
		put_name(f, o[i].name);
	}
}

static void
completion_bash(FILE *f)
{
	const struct args_command *c = args_commands();
	fputs("# nightjar completion for bash\n"
	    "_nightjar() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "prev=${COMP_WORDS[COMP_CWORD-1]} cmd= i\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n\t\t", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++)
		fprintf(f, "%s%s", i > CMD_NONE + 1 ? "|" : "", c[i].name);
	fputs(") cmd=${COMP_WORDS[i]}; break;;\n\t\tesac\n\tdone\n"
	    "\tcase $prev in\n"
	    "\t--password-file) COMPREPLY=($(compgen -f -- \"$cur\")); "
	    "return;;\n\tesac\n"
	    "\tlocal words=\n\tcase $cmd in\n", f);
	fputs("\t'') words=\"", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++)
		fprintf(f, "%s ", c[i].name);
	put_option_words(f, ARGS_ALL);
	fputs("\";;\n", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++) {
		fprintf(f, "\t%s) words=\"", c[i].name);
		if (i == CMD_completion)
			fputs("bash zsh fish", f);
		for (int k = CMD_NONE + 1; i == CMD_help && k < CMD_MAX; k++)
			fprintf(f, "%s ", c[k].name);
		if (i == CMD_help)
			fputs("exit-codes", f);
		put_option_words(f, 1ul << i);
		fputs("\";;\n", f);
	}
	fputs("\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	    "complete -F _nightjar nightjar\n", f);
}

/* Inside '...' of zsh's _arguments: [ ] : and ' have meanings. */
static void
put_zsh_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			fputs("'\\''", f);
		else if (*s == '[' || *s == ']' || *s == ':')
			fprintf(f, "\\%c", *s);
		else
			fputc(*s, f);
	}
}

static void
zsh_options(FILE *f, unsigned long cmds)
{
	size_t n;
	const struct args_option *o = args_options(&n);
	for (size_t i = 0; i < n; i++) {
		if ((o[i].cmds & cmds) != cmds)
			continue;
		fputs(" \\\n\t\t'--", f);
		put_name(f, o[i].name);
		fputc('[', f);
		put_zsh_text(f, o[i].help);
		fputc(']', f);
		if (o[i].value != NULL)
			fprintf(f, ":%s:%s", o[i].value,
			    strcmp(o[i].name, "password_file") == 0 ?
			    "_files" : "");
		fputc('\'', f);
	}
}

static void
completion_zsh(FILE *f)
{
	const struct args_command *c = args_commands();
	fputs("#compdef nightjar\n"
	    "_nightjar() {\n"
	    "\tlocal -a commands\n\tlocal cmd w\n\tcommands=(\n", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++) {
		fprintf(f, "\t\t'%s:", c[i].name);
		put_zsh_text(f, c[i].summary);
		fputs("'\n", f);
	}
	fputs("\t)\n\tfor w in ${words[2,CURRENT-1]}; do\n"
	    "\t\tif (( ${commands[(I)$w:*]} )); then cmd=$w; break; fi\n"
	    "\tdone\n\tcase $cmd in\n\t'') _arguments -s", f);
	zsh_options(f, ARGS_ALL);
	fputs(" \\\n\t\t'*:command:{_describe command commands}';;\n", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++) {
		fprintf(f, "\t%s) _arguments -s", c[i].name);
		zsh_options(f, 1ul << i);
		if (i == CMD_completion)
			fputs(" \\\n\t\t'*:shell:(bash zsh fish)'", f);
		else if (i == CMD_help)
			fputs(" \\\n\t\t'*:command:{_describe command "
			    "commands}'", f);
		else
			fputs(" \\\n\t\t'*: :'", f);
		fputs(";;\n", f);
	}
	fputs("\tesac\n}\n_nightjar \"$@\"\n", f);
}

/* Inside '...' of fish: \ and ' are escaped. */
static void
put_fish_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
}

static void
completion_fish(FILE *f)
{
	const struct args_command *c = args_commands();
	size_t n;
	const struct args_option *o = args_options(&n);
	fputs("# nightjar completion for fish\ncomplete -c nightjar -f\n", f);
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++) {
		fprintf(f, "complete -c nightjar -n __fish_use_subcommand "
		    "-a %s -d '", c[i].name);
		put_fish_text(f, c[i].summary);
		fputs("'\n", f);
	}
	for (size_t i = 0; i < n; i++) {
		fputs("complete -c nightjar -l ", f);
		put_name(f, o[i].name);
		if (o[i].letter != 0)
			fprintf(f, " -s %c", o[i].letter);
		if (o[i].value != NULL)
			fputs(strcmp(o[i].name, "password_file") == 0 ?
			    " -r -F" : " -x", f);
		if (o[i].cmds != ARGS_ALL) {
			fputs(" -n '__fish_seen_subcommand_from", f);
			for (int k = CMD_NONE + 1; k < CMD_MAX; k++)
				if (o[i].cmds & 1ul << k)
					fprintf(f, " %s", c[k].name);
			fputc('\'', f);
		}
		fputs(" -d '", f);
		put_fish_text(f, o[i].help);
		fputs("'\n", f);
	}
	fputs("complete -c nightjar -n '__fish_seen_subcommand_from "
	    "completion' -a 'bash zsh fish'\n", f);
}

bool
help_completion(FILE *f, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		completion_bash(f);
	else if (strcmp(shell, "zsh") == 0)
		completion_zsh(f);
	else if (strcmp(shell, "fish") == 0)
		completion_fish(f);
	else
		return false;
	return true;
}
