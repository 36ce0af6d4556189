/* route_test.c: which request finds which operation. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/ops.h"
#include "server/route.h"

#define ROUTES_MAX 256

static struct route routes[ROUTES_MAX];

static enum err
find(const char *method, const char *path, struct route_match *m)
{
	return route_find(routes, route_count(), span_str(method),
	    span_str(path), m);
}

static int
setup(void **state)
{
	(void)state;
	assert_in_range(route_count(), 1, ROUTES_MAX);
	route_init(routes);
	return 0;
}

static void
test_route_finds_literal(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(find("POST", "/api/auth/login", &m), OK);
	assert_ptr_equal(m.route->op, ops_get(OP_login));
	assert_int_equal(m.params_n, 0);
	assert_int_equal(find("GET", "/", &m), OK);
	assert_ptr_equal(m.route->op, ops_get(OP_page));
}

static void
test_route_alias_is_the_same_operation(void **state)
{
	struct route_match a, b;

	(void)state;
	assert_int_equal(find("POST", "/api/auth/refresh", &a), OK);
	assert_int_equal(find("POST", "/api/auth/refresh-token", &b), OK);
	assert_ptr_equal(a.route->op, b.route->op);
}

static void
test_route_literal_goes_before_parameter(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(find("GET", "/api/users/search", &m), OK);
	assert_ptr_equal(m.route->op, ops_get(OP_user_search));
	assert_int_equal(find("GET", "/api/users/searchx", &m), OK);
	assert_ptr_equal(m.route->op, ops_get(OP_user_get));
	assert_int_equal(m.params_n, 1);
	assert_true(span_eq(m.params[0].name, SPAN("id")));
	assert_true(span_eq(m.params[0].value, SPAN("searchx")));
}

static void
test_route_head_is_get(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(find("HEAD", "/health", &m), OK);
	assert_ptr_equal(m.route->op, ops_get(OP_health));
}

static void
test_route_unknown_path(void **state)
{
	static const char *const paths[] = { "", "x", "//", "/api",
		"/api/", "/api/auth/login/", "/api/auth//login",
		"/api/users/", "/API/AUTH/LOGIN", "/api/auth/login/x",
		"/a/b/c/d/e/f/g/h/i/j/k", "/api/users/%73earch/x" };
	struct route_match m;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(find("GET", paths[i], &m), ERR_NOT_FOUND);
}

/* RFC 9110 15.5.6: 405 comes with what the path takes. */
static void
test_route_wrong_method_lists_allowed(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(find("GET", "/api/auth/login", &m),
	    ERR_METHOD_NOT_ALLOWED);
	assert_string_equal(m.allow, "POST");
	assert_int_equal(find("POST", "/health", &m),
	    ERR_METHOD_NOT_ALLOWED);
	assert_string_equal(m.allow, "GET, HEAD");
}

/* RFC 9110 9.1: the method is case-sensitive. */
static void
test_route_method_has_case(void **state)
{
	struct route_match m;

	(void)state;
	assert_int_equal(find("get", "/health", &m), ERR_METHOD_NOT_ALLOWED);
	assert_int_equal(find("", "/health", &m), ERR_METHOD_NOT_ALLOWED);
}

static void
test_route_every_operation_has_its_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < OP_MAX; i++) {
		const struct op *op = ops_get((enum op_id)i);

		assert_non_null(op->name);
		assert_non_null(op->req);
		assert_non_null(op->rep);
		assert_ptr_equal(ops_find(op->name), op);
		/* Work lies between a read and a write. */
		assert_true(op->work == NULL || op->write != NULL);
	}
	assert_null(ops_find("nothing"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_finds_literal),
		cmocka_unit_test(test_route_alias_is_the_same_operation),
		cmocka_unit_test(test_route_literal_goes_before_parameter),
		cmocka_unit_test(test_route_head_is_get),
		cmocka_unit_test(test_route_unknown_path),
		cmocka_unit_test(test_route_wrong_method_lists_allowed),
		cmocka_unit_test(test_route_method_has_case),
		cmocka_unit_test(test_route_every_operation_has_its_shapes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
