/*
 * args_test.c: command lines, right and wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/args.h"
#include "cli/help.h"

#define WORDS_MAX 80

static enum err
parse(struct args *a, char error[static ARGS_ERROR_MAX], const char *line)
{
	static char copy[2048];
	char *argv[WORDS_MAX];
	char *save = NULL;
	int argc = 0;
	snprintf(copy, sizeof(copy), "nightjar %s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && argc < WORDS_MAX;
	    w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return args_parse(argc, argv, a, error);
}

static void
accept(struct args *a, const char *line)
{
	char error[ARGS_ERROR_MAX];
	assert_int_equal(parse(a, error, line), OK);
}

static void
refuse(const char *line, const char *because)
{
	struct args a;
	char error[ARGS_ERROR_MAX];
	assert_int_equal(parse(&a, error, line), ERR_VALIDATION);
	if (strstr(error, because) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, because);
}

static void
test_args_takes_options_before_and_after_the_command(void **state)
{
	(void)state;
	struct args a;
	accept(&a, "--profile one send --json bob hello");
	assert_int_equal(a.cmd, CMD_send);
	assert_true(a.json);
	assert_string_equal(a.profile, "one");
	assert_int_equal(a.operand_n, 2);
	assert_string_equal(a.operand[0], "bob");
	assert_string_equal(a.operand[1], "hello");
}

static void
test_args_takes_every_form_of_a_value(void **state)
{
	(void)state;
	static const char *const lines[] = { "status --profile=x",
	    "status --profile x", "status -p x", "status -px", "-qpx status" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct args a;
		accept(&a, lines[i]);
		assert_string_equal(a.profile, "x");
	}
}

static void
test_args_ends_options_at_two_dashes(void **state)
{
	(void)state;
	struct args a;
	accept(&a, "send bob -- --json -x");
	assert_false(a.json);
	assert_int_equal(a.operand_n, 3);
	assert_string_equal(a.operand[1], "--json");
	accept(&a, "send bob -");
	assert_string_equal(a.operand[1], "-");
}

static void
test_args_spells_underscores_as_dashes(void **state)
{
	(void)state;
	struct args a;
	accept(&a, "login --password-file f --start-over");
	assert_string_equal(a.password_file, "f");
	assert_true(a.start_over);
	refuse("login --password_file f", "no option --password_file");
}

static void
test_args_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	refuse("frobnicate", "no command \"frobnicate\"");
	refuse("status --frob", "no option --frob");
	refuse("status -Z", "no option -Z");
	refuse("status -jZ", "no option -Z");
}

static void
test_args_refuses_values_in_wrong_places(void **state)
{
	(void)state;
	refuse("status --json=1", "--json takes no value");
	refuse("status --profile", "--profile needs a value");
	refuse("status -p", "-p needs a value");
}

static void
test_args_refuses_options_of_other_commands(void **state)
{
	(void)state;
	refuse("send bob hi --start-over", "not an option of \"send\"");
	refuse("--confirm status", "not an option of \"status\"");
	refuse("login --username x --email y", "not an option of \"login\"");
}

static void
test_args_counts_operands(void **state)
{
	(void)state;
	refuse("send", "\"send\" needs");
	refuse("history", "\"history\" needs NAME");
	refuse("chat a b", "no place for \"b\"");
	refuse("register me", "no place for \"me\"");
	char many[2 * WORDS_MAX + 8] = "send";
	for (size_t i = 0; i < 66; i++)
		memcpy(many + 4 + 2 * i, " x", 3);
	refuse(many, "more than 64 words");
}

static void
test_args_checks_numbers(void **state)
{
	(void)state;
	struct args a;
	accept(&a, "history bob --limit 5");
	refuse("history bob --limit 0", "--limit wants a whole number");
	refuse("history bob --limit -3", "--limit wants a whole number");
	refuse("history bob --limit 5x", "--limit wants a whole number");
	refuse("history bob --limit 99999999999999999999999", "--limit");
	refuse("listen --count=", "--count wants");
	refuse("status --timeout 99999999", "--timeout wants");
}

static void
test_args_refuses_contradictions(void **state)
{
	(void)state;
	refuse("verify bob --confirm --withdraw", "exclude each other");
}

static void
test_args_helps_whatever_else_is_missing(void **state)
{
	(void)state;
	struct args a;
	accept(&a, "send --help");
	assert_true(a.help);
	assert_int_equal(a.cmd, CMD_send);
	accept(&a, "--version");
	assert_true(a.version);
	accept(&a, "");
	assert_int_equal(a.cmd, CMD_NONE);
}

static void
test_args_number_has_bounds(void **state)
{
	(void)state;
	unsigned long v = 77;
	assert_true(args_number("10", 1, 10, &v));
	assert_int_equal(v, 10);
	assert_false(args_number("11", 1, 10, &v));
	assert_false(args_number("", 0, 10, &v));
	assert_false(args_number(" 1", 0, 10, &v));
	assert_int_equal(v, 10);
}

static void
test_args_every_command_has_help_and_completion(void **state)
{
	(void)state;
	char text[65536];
	static const char *const shells[] = { "bash", "zsh", "fish" };
	for (size_t s = 0; s < 3; s++) {
		FILE *f = fmemopen(text, sizeof(text), "w");
		assert_non_null(f);
		assert_true(help_completion(f, shells[s]));
		fclose(f);
		for (int i = CMD_NONE + 1; i < CMD_MAX; i++)
			assert_non_null(strstr(text, args_commands()[i].name));
		assert_non_null(strstr(text, "password-file"));
	}
	for (int i = CMD_NONE + 1; i < CMD_MAX; i++) {
		FILE *f = fmemopen(text, sizeof(text), "w");
		assert_non_null(f);
		help_command(f, (enum cmd)i);
		fclose(f);
		assert_non_null(strstr(text, "Exit status:"));
	}
	FILE *f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	assert_false(help_completion(f, "tcsh"));
	fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_args_takes_options_before_and_after_the_command),
		cmocka_unit_test(test_args_takes_every_form_of_a_value),
		cmocka_unit_test(test_args_ends_options_at_two_dashes),
		cmocka_unit_test(test_args_spells_underscores_as_dashes),
		cmocka_unit_test(test_args_refuses_what_it_does_not_know),
		cmocka_unit_test(test_args_refuses_values_in_wrong_places),
		cmocka_unit_test(test_args_refuses_options_of_other_commands),
		cmocka_unit_test(test_args_counts_operands),
		cmocka_unit_test(test_args_checks_numbers),
		cmocka_unit_test(test_args_refuses_contradictions),
		cmocka_unit_test(test_args_helps_whatever_else_is_missing),
		cmocka_unit_test(test_args_number_has_bounds),
		cmocka_unit_test(
		    test_args_every_command_has_help_and_completion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
