/*
 * err.h: the one error type. Every fallible function returns enum err; OK is
 * zero. Values come back through _out arguments, which stay untouched on
 * failure unless the header says that they are zeroed.
 * The rows, with HTTP status, log level and public text, are in err.def.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

enum err {
	OK = 0,
#define ERR(name, status, level, code, text) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_MAX
};

enum log_level {
	LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL
};

/* Return early with the error of a fallible call. */
#define TRY(call) do { enum err try_e_ = (call); \
	if (try_e_ != OK) return try_e_; } while (0)

/* The enumerator's name ("RATE_LIMITED"), for logs and tests; "OK" for OK. */
const char *err_name(enum err e);
/* The stable public code of docs/api.md, Errors ("rate_limited"). */
const char *err_code(enum err e);
/* The default text for people. */
const char *err_text(enum err e);
/* HTTP status; 500 where a row has none. */
int err_status(enum err e);
enum log_level err_level(enum err e);
/* The error whose public code is given; ERR_INTERNAL when there is none. */
enum err err_by_code(const char *code, unsigned long n);

#endif
