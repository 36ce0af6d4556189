/*
 * conf.h: the configuration: defaults < JSON file < environment < flags. Every
 * key is a row of conf.def. A struct conf is immutable once loaded; a reload
 * makes another, and calls that begin from then on see that one.
 */
#ifndef SERVER_CONF_H
#define SERVER_CONF_H

#include "base/limit.h"

#define CONF_TYPE_BOOL bool
#define CONF_TYPE_U32 uint32_t
#define CONF_TYPE_MS uint64_t
#define CONF_TYPE_STR const char *
#define CONF_TYPE_RATE struct rate

/* Names for who tries it on his own machine. */
#define CONF_TLS_NAMES "localhost,127.0.0.1,::1"
#define CONF_TLS_NAMES_MAX 1024	/* bytes */

struct conf {
#define CONF(c_name, name, type, ...) CONF_TYPE_##type c_name;
#include "server/conf.def"
#undef CONF
};

/* What is wrong, in one sentence that names the key and where it was set. */
struct conf_error {
	char text[512];
};

struct conf_set {
	const char *name;	/* "limits.login" */
	const char *value;
};

/* What a configuration is read from; any may be empty. */
struct conf_source {
	const char *file;		/* path of a JSON file, or NULL */
	char *const *env;		/* environ, or NULL */
	const struct conf_set *sets;	/* --set, the last wins */
	size_t sets_n;
};

/* ERR_VALIDATION, ERR_IO, ERR_NOMEM, with the reason in err_out. */
MUST_USE enum err conf_load(const struct conf_source *src, struct conf **out,
    struct conf_error *err_out);
void conf_free(struct conf *c);
/*
 * Makes `next` what a running server may take over: its live keys; the others
 * become those of `now`, whose strings `next` then refers to, so that `now`
 * has to stay. The names of those that `next` had another value of, which
 * wait for a restart, are written to names_out, with ", " between, as far as
 * there is room (n bytes with the NUL; n > 0).
 */
void conf_reload(const struct conf *now, struct conf *next, char *names_out,
    size_t n);
/* The table for --help, through put(line). */
void conf_help(void (*put)(const char *line));

#endif
