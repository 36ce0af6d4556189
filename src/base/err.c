/*
 * err.c: names, codes and statuses of enum err, from err.def.
 */
#include "base/err.h"

#include <string.h>

struct err_row {
	const char *name, *code, *text;
	int status;
	enum log_level level;
};

static const struct err_row rows[ERR_MAX] = {
	[OK] = { "OK", "ok", "OK", 200, LOG_INFO },
#define ERR(name, status, level, code, text) \
	[ERR_##name] = { #name, code, text, status, LOG_##level },
#include "base/err.def"
#undef ERR
};

static const struct err_row *
err_row(enum err e)
{
	if ((unsigned)e >= ERR_MAX)
		return &rows[ERR_INTERNAL];
	return &rows[e];
}

const char *
err_name(enum err e)
{
	return err_row(e)->name;
}

const char *
err_code(enum err e)
{
	return err_row(e)->code;
}

const char *
err_text(enum err e)
{
	return err_row(e)->text;
}

int
err_status(enum err e)
{
	int status = err_row(e)->status;

	return status != 0 ? status : 500;
}

enum log_level
err_level(enum err e)
{
	return err_row(e)->level;
}

enum err
err_by_code(const char *code, unsigned long n)
{
	for (unsigned i = 1; i < ERR_MAX; i++) {
		if (strlen(rows[i].code) == n &&
		    memcmp(rows[i].code, code, n) == 0)
			return (enum err)i;
	}
	return ERR_INTERNAL;
}
