/* conf_test.c: what the configuration takes, and what it says of the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/sys.h"
#include "server/conf.h"

static struct conf_error why;
static char path[128];

static enum err
load(const char *file, char *const *env, const char *name, const char *value,
    struct conf **out)
{
	struct conf_set set = { name, value };
	struct conf_source src = { .file = NULL, .env = env, .sets = &set,
	    .sets_n = name != NULL };

	if (file != NULL) {
		assert_int_equal(sys_file_write(path, span_str(file), 0600),
		    OK);
		src.file = path;
	}
	*out = NULL;
	return conf_load(&src, out, &why);
}

static void
refused(const char *file, char *const *env, const char *name,
    const char *value, const char *says)
{
	struct conf *c;

	assert_int_equal(load(file, env, name, value, &c), ERR_VALIDATION);
	assert_null(c);
	assert_non_null(strstr(why.text, says));
}

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/conf_test.%ld.json",
	    (long)getpid());
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static void
test_conf_defaults(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(NULL, NULL, NULL, NULL, &c), OK);
	assert_string_equal(c->listen_http, "127.0.0.1:3000");
	assert_string_equal(c->listen_https, "127.0.0.1:8443");
	assert_int_equal(c->accounts_access_ms, 3600000);
	assert_int_equal(c->accounts_refresh_ms, 7 * 86400000);
	assert_int_equal(c->argon2_threads, 4);
	assert_int_equal(c->limits_login.burst, 5);
	assert_int_equal(c->limits_login.period_ms, 900000);
	conf_free(c);
}

static void
test_conf_flag_over_environment_over_file(void **state)
{
	char *env[] = { (char *)(uintptr_t)"NIGHTJARD_LIMITS_SOCKETS=7",
	    (char *)(uintptr_t)"HOME=/", NULL };
	const char *file = "{\"limits\":{\"sockets\":3,\"login\":\"9/1h\"}}";
	struct conf *c;

	(void)state;
	assert_int_equal(load(file, NULL, NULL, NULL, &c), OK);
	assert_int_equal(c->limits_sockets, 3);
	assert_int_equal(c->limits_login.burst, 9);
	conf_free(c);
	assert_int_equal(load(file, env, NULL, NULL, &c), OK);
	assert_int_equal(c->limits_sockets, 7);
	conf_free(c);
	assert_int_equal(load(file, env, "limits.sockets", "8", &c), OK);
	assert_int_equal(c->limits_sockets, 8);
	conf_free(c);
}

static void
test_conf_file_takes_dotted_names(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load("{\"limits.sockets\":4,\"log\":{\"level\":"
	    "\"warn\"}}", NULL, NULL, NULL, &c), OK);
	assert_int_equal(c->limits_sockets, 4);
	assert_string_equal(c->log_level, "warn");
	conf_free(c);
}

static void
test_conf_zero_switches_a_limit_off(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(load(NULL, NULL, "limits.messages", "0", &c), OK);
	assert_int_equal(c->limits_messages.burst, 0);
	conf_free(c);
}

static void
test_conf_unknown_key_is_named(void **state)
{
	char *env[] = { (char *)(uintptr_t)"NIGHTJARD_LIMITS_SOKETS=7", NULL };

	(void)state;
	refused(NULL, NULL, "limits.sokets", "1", "limits.sokets");
	refused("{\"limits\":{\"sokets\":1}}", NULL, NULL, NULL,
	    "limits.sokets");
	refused(NULL, env, NULL, NULL, "NIGHTJARD_LIMITS_SOKETS");
	refused("{\"limits\":{}, \"x\":{\"y\":{\"z\":{\"a\":{\"b\":1}}}}}",
	    NULL, NULL, NULL, "x.y");
}

static void
test_conf_wrong_value_names_the_key(void **state)
{
	static const char *const bad[][2] = {
		{ "limits.sockets", "many" }, { "limits.sockets", "-1" },
		{ "limits.sockets", "1.5" }, { "limits.sockets", "" },
		{ "limits.sockets", "99999999999" },
		{ "accounts.access", "5" }, { "accounts.access", "1s" },
		{ "accounts.access", "1y" }, { "accounts.access", "-1h" },
		{ "limits.login", "5" }, { "limits.login", "5/" },
		{ "limits.login", "/5m" }, { "limits.login", "5/0" },
		{ "limits.login", "x/5m" }, { "log.level", "loud" },
		{ "log.ip", "some" }, { "accounts.registration", "maybe" },
		{ "tls.names", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(NULL, NULL, bad[i][0], bad[i][1], bad[i][0]);
}

static void
test_conf_malformed_file_names_the_byte(void **state)
{
	struct conf *c;

	(void)state;
	refused("{\"limits\":{\"sockets\":1}", NULL, NULL, NULL, "byte");
	refused("{\"limits\":{\"sockets\":1,}}", NULL, NULL, NULL, "byte");
	refused("[]", NULL, NULL, NULL, "byte");
	refused("", NULL, NULL, NULL, "byte");
	refused("{\"limits\":{\"sockets\":[1]}}", NULL, NULL, NULL,
	    "limits.sockets");
	struct conf_source src = { .file = "/nowhere/conf.json" };
	assert_int_equal(conf_load(&src, &c, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "/nowhere/conf.json"));
}

static void
test_conf_reload_takes_live_keys_only(void **state)
{
	struct conf *now, *next;
	char names[64];

	(void)state;
	assert_int_equal(load(NULL, NULL, NULL, NULL, &now), OK);
	assert_int_equal(load("{\"limits\":{\"sockets\":3},\"listen\":"
	    "{\"http\":\"127.0.0.1:1\"},\"log\":{\"level\":\"error\"}}",
	    NULL, NULL, NULL, &next), OK);
	conf_reload(now, next, names, sizeof(names));
	assert_string_equal(names, "listen.http");
	assert_int_equal(next->limits_sockets, 3);
	assert_string_equal(next->log_level, "error");
	assert_string_equal(next->listen_http, now->listen_http);
	conf_free(next);
	conf_free(now);
}

/* Which keys wait for a restart is said, as far as there is room. */
static void
test_conf_reload_names_what_waits(void **state)
{
	struct conf *now, *next;
	char names[30];

	(void)state;
	assert_int_equal(load(NULL, NULL, NULL, NULL, &now), OK);
	assert_int_equal(load("{\"edge\":{\"ping_interval\":\"26s\","
	    "\"idle\":\"61s\"},\"store\":{\"readers\":3},"
	    "\"threads\":{\"reactors\":3}}", NULL, NULL, NULL, &next), OK);
	conf_reload(now, next, names, sizeof(names));
	assert_string_equal(names, "edge.ping_interval");
	assert_int_equal(next->edge_idle_ms, 61000);
	assert_int_equal(next->edge_ping_interval_ms, 25000);
	conf_free(next);
	conf_free(now);
}

static size_t lines;
static void
count(const char *line)
{
	assert_true(strlen(line) > 10);
	lines++;
}

static void
test_conf_help_has_every_key(void **state)
{
	(void)state;
	lines = 0;
	conf_help(count);
	assert_in_range(lines, 30, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_defaults),
		cmocka_unit_test(test_conf_flag_over_environment_over_file),
		cmocka_unit_test(test_conf_file_takes_dotted_names),
		cmocka_unit_test(test_conf_zero_switches_a_limit_off),
		cmocka_unit_test(test_conf_unknown_key_is_named),
		cmocka_unit_test(test_conf_wrong_value_names_the_key),
		cmocka_unit_test(test_conf_malformed_file_names_the_byte),
		cmocka_unit_test(test_conf_reload_takes_live_keys_only),
		cmocka_unit_test(test_conf_reload_names_what_waits),
		cmocka_unit_test(test_conf_help_has_every_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
