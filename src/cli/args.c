/*
 * args.c: see args.h. The option table and the struct are made of the same
 * rows, so that an option cannot be parsed without having a place.
 */
#include "cli/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row and where its value goes. */
struct row {
	struct args_option opt;
	size_t at;		/* offset in struct args */
};

static const struct row rows[] = {
#define FLAG(cmds, name, letter, help) \
	{ { cmds, #name, letter, NULL, help }, offsetof(struct args, name) },
#define VALUE(cmds, name, letter, value, help) \
	{ { cmds, #name, letter, value, help }, offsetof(struct args, name) },
#include "cli/commands.def"
#undef FLAG
#undef VALUE
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct args_command commands[CMD_MAX] = {
#define COMMAND(name, least, most, operands, summary, more) \
	[CMD_##name] = { #name, operands, summary, more, least, most },
#include "cli/commands.def"
#undef COMMAND
};

const struct args_command *
args_commands(void)
{
	return commands;
}

const struct args_option *
args_options(size_t *n_out)
{
	static const struct args_option list[ROWS] = {
#define FLAG(cmds, name, letter, help) { cmds, #name, letter, NULL, help },
#define VALUE(cmds, name, letter, value, help) \
	{ cmds, #name, letter, value, help },
#include "cli/commands.def"
#undef FLAG
#undef VALUE
	};
	*n_out = ROWS;
	return list;
}

enum cmd
args_command(const char *name)
{
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++)
		if (strcmp(commands[i].name, name) == 0)
			return (enum cmd)i;
	return CMD_NONE;
}

bool
args_number(const char *text, unsigned long least, unsigned long most,
    unsigned long *out)
{
	unsigned long v = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || v > most / 10)
			return false;
		v = v * 10 + (unsigned long)(*text - '0');
	}
	if (v < least || v > most)
		return false;
	*out = v;
	return true;
}

/* Whether `typed` (n bytes) is `name` with '-' for '_'. */
static bool
same_name(const char *typed, size_t n, const char *name)
{
	if (strlen(name) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char want = name[i] == '_' ? '-' : name[i];
		if (typed[i] != want)
			return false;
	}
	return true;
}

static const struct row *
find_long(const char *typed, size_t n)
{
	for (size_t i = 0; i < ROWS; i++)
		if (same_name(typed, n, rows[i].opt.name))
			return &rows[i];
	return NULL;
}

static const struct row *
find_letter(char letter)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].opt.letter == letter && letter != 0)
			return &rows[i];
	return NULL;
}

/* What is being parsed. */
struct parse {
	struct args *out;
	char *error;
	int argc, i;
	char *const *argv;
	unsigned long allowed;	/* commands that have every option seen */
	const char *last;	/* an option that not all commands have */
};

static void
set_flag(struct parse *p, const struct row *r)
{
	bool yes = true;
	memcpy((char *)p->out + r->at, &yes, sizeof(yes));
}

static void
set_value(struct parse *p, const struct row *r, const char *value)
{
	memcpy((char *)p->out + r->at, &value, sizeof(value));
}

static void
seen(struct parse *p, const struct row *r, const char *typed)
{
	p->allowed &= r->opt.cmds;
	if (r->opt.cmds != ARGS_ALL)
		p->last = typed;
}

/* "--name", "--name=VALUE" or "--name VALUE". */
static enum err
parse_long(struct parse *p, const char *arg)
{
	const char *name = arg + 2;
	const char *eq = strchr(name, '=');
	size_t n = eq != NULL ? (size_t)(eq - name) : strlen(name);
	const struct row *r = find_long(name, n);
	if (r == NULL) {
		snprintf(p->error, ARGS_ERROR_MAX, "there is no option --%.*s",
		    (int)(n > 40 ? 40 : n), name);
		return ERR_VALIDATION;
	}
	seen(p, r, arg);
	if (r->opt.value == NULL) {
		if (eq != NULL) {
			snprintf(p->error, ARGS_ERROR_MAX,
			    "the option --%.*s takes no value", (int)n, name);
			return ERR_VALIDATION;
		}
		set_flag(p, r);
		return OK;
	}
	if (eq != NULL) {
		set_value(p, r, eq + 1);
		return OK;
	}
	if (p->i + 1 >= p->argc) {
		snprintf(p->error, ARGS_ERROR_MAX,
		    "the option --%.*s needs a value: %s", (int)n, name,
		    r->opt.value);
		return ERR_VALIDATION;
	}
	set_value(p, r, p->argv[++p->i]);
	return OK;
}

/* "-abc": flags, or a letter whose value is the rest or the next word. */
static enum err
parse_short(struct parse *p, const char *arg)
{
	for (const char *c = arg + 1; *c != '\0'; c++) {
		const struct row *r = find_letter(*c);
		if (r == NULL) {
			snprintf(p->error, ARGS_ERROR_MAX,
			    "there is no option -%c", *c);
			return ERR_VALIDATION;
		}
		seen(p, r, arg);
		if (r->opt.value == NULL) {
			set_flag(p, r);
			continue;
		}
		if (c[1] != '\0') {
			set_value(p, r, c + 1);
			return OK;
		}
		if (p->i + 1 >= p->argc) {
			snprintf(p->error, ARGS_ERROR_MAX,
			    "the option -%c needs a value: %s", *c,
			    r->opt.value);
			return ERR_VALIDATION;
		}
		set_value(p, r, p->argv[++p->i]);
		return OK;
	}
	return OK;
}

static enum err
parse_word(struct parse *p, const char *word)
{
	struct args *a = p->out;
	if (a->cmd == CMD_NONE) {
		a->cmd = args_command(word);
		if (a->cmd != CMD_NONE)
			return OK;
		snprintf(p->error, ARGS_ERROR_MAX,
		    "there is no command \"%.40s\"", word);
		return ERR_VALIDATION;
	}
	if (a->operand_n == ARGS_OPERANDS_MAX) {
		snprintf(p->error, ARGS_ERROR_MAX,
		    "more than %d words; put the text in quotes, or give - "
		    "and the text on the standard input", ARGS_OPERANDS_MAX);
		return ERR_VALIDATION;
	}
	a->operand[a->operand_n++] = word;
	return OK;
}

static bool
number_ok(struct parse *p, const char *name, const char *value,
    unsigned long most)
{
	unsigned long v;
	if (value == NULL || args_number(value, 1, most, &v))
		return true;
	snprintf(p->error, ARGS_ERROR_MAX,
	    "--%s wants a whole number from 1 to %lu, not \"%.20s\"", name,
	    most, value);
	return false;
}

/* What needs the whole line: numbers of operands, options of others. */
static enum err
check(struct parse *p)
{
	struct args *a = p->out;
	if (a->help || a->version || a->cmd == CMD_NONE)
		return OK;
	const struct args_command *c = &commands[a->cmd];
	if ((p->allowed & (1ul << a->cmd)) == 0) {
		snprintf(p->error, ARGS_ERROR_MAX,
		    "%s is not an option of \"%s\"", p->last, c->name);
		return ERR_VALIDATION;
	}
	if (a->operand_n < c->least) {
		snprintf(p->error, ARGS_ERROR_MAX, "\"%s\" needs %s", c->name,
		    c->operands);
		return ERR_VALIDATION;
	}
	if (a->operand_n > c->most) {
		snprintf(p->error, ARGS_ERROR_MAX,
		    "\"%s\" has no place for \"%.40s\"", c->name,
		    a->operand[c->most]);
		return ERR_VALIDATION;
	}
	if (a->confirm && a->withdraw) {
		snprintf(p->error, ARGS_ERROR_MAX,
		    "--confirm and --withdraw exclude each other");
		return ERR_VALIDATION;
	}
	if (!number_ok(p, "limit", a->limit, 100000) ||
	    !number_ok(p, "count", a->count, 1000000000) ||
	    !number_ok(p, "timeout", a->timeout, 86400))
		return ERR_VALIDATION;
	return OK;
}

enum err
args_parse(int argc, char *const argv[], struct args *out,
    char error[static ARGS_ERROR_MAX])
{
	struct parse p = { .out = out, .error = error, .argc = argc,
	    .i = 1, .argv = argv, .allowed = ARGS_ALL };
	bool options = true;
	memset(out, 0, sizeof(*out));
	error[0] = '\0';
	for (; p.i < argc; p.i++) {
		const char *arg = argv[p.i];
		if (options && strcmp(arg, "--") == 0)
			options = false;
		else if (options && arg[0] == '-' && arg[1] == '-')
			TRY(parse_long(&p, arg));
		else if (options && arg[0] == '-' && arg[1] != '\0')
			TRY(parse_short(&p, arg));
		else
			TRY(parse_word(&p, arg));
	}
	return check(&p);
}
