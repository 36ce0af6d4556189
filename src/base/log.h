/*
 * log.h: one JSON line an event: a name and typed fields, never bodies, keys
 * or tokens. Lines are built on the stack and written with one call to the
 * sink, so threads need no lock. Addresses go through log_ip, which obeys the
 * setting (full, truncated, off).
 *
 *	struct log l;
 *	if (log_begin(&l, LOG_INFO, "listen"))
 *		{ log_str(&l, "address", addr); log_end(&l); }
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

#define LOG_LINE_MAX 4096

enum log_ip_mode { LOG_IP_FULL, LOG_IP_TRUNCATED, LOG_IP_OFF };

struct log {
	char text[LOG_LINE_MAX];
	size_t n;
};

/* Takes one whole line with its newline. Called from any thread. */
typedef void (*log_sink_fn)(const char *line, size_t n);

/* Process-wide, set once by main before threads start. */
void log_setup(enum log_level min, enum log_ip_mode ip, log_sink_fn sink,
    uint64_t (*now_unix_ms)(void));
void log_set_level(enum log_level min);
bool log_level_by_name(const char *name, enum log_level *out);
bool log_begin(struct log *l, enum log_level level, const char *event);
void log_str(struct log *l, const char *key, const char *value);
void log_span(struct log *l, const char *key, struct span value);
void log_u64(struct log *l, const char *key, uint64_t value);
void log_id(struct log *l, const char *key, const uint8_t id[static 16]);
void log_ip(struct log *l, const char *key, const char *address);
void log_end(struct log *l);

#endif
