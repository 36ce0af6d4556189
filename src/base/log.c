/*
 * log.c: building JSON log lines, see log.h. The settings are written once
 * before threads start (the level may change later, hence atomic).
 */
#include "base/log.h"

#include <stdatomic.h>

#include "base/id.h"
#include "base/text.h"

static _Atomic int log_min = LOG_INFO;
static enum log_ip_mode log_ip_mode;
static log_sink_fn log_sink;
static uint64_t (*log_now)(void);

static const char *const level_names[] = {
	"trace", "debug", "info", "warn", "error", "fatal"
};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

/* Room kept for what closes a line. */
#define TAIL 3

void
log_setup(enum log_level min, enum log_ip_mode ip, log_sink_fn sink,
    uint64_t (*now_unix_ms)(void))
{
	log_set_level(min);
	log_ip_mode = ip;
	log_sink = sink;
	log_now = now_unix_ms;
}

void
log_set_level(enum log_level min)
{
	atomic_store_explicit(&log_min, (int)min, memory_order_relaxed);
}

bool
log_level_by_name(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* What may still be put; a closing quote can have eaten into TAIL. */
static size_t
log_room(const struct log *l)
{
	return l->n < LOG_LINE_MAX - TAIL ? LOG_LINE_MAX - TAIL - l->n : 0;
}

/* All of s or nothing: a line stays valid JSON when it is full. */
static bool
log_put(struct log *l, const char *s, size_t n)
{
	if (n > log_room(l))
		return false;
	memcpy(l->text + l->n, s, n);
	l->n += n;
	return true;
}

/* One character escaped for JSON; bad UTF-8 becomes U+FFFD. */
static bool
log_put_char(struct log *l, uint32_t code)
{
	uint8_t raw[4];
	char hex[6] = { '\\', 'u', '0', '0', 0, 0 };
	uint8_t byte = (uint8_t)code;

	if (code == '"' || code == '\\') {
		char pair[2] = { '\\', (char)code };

		return log_put(l, pair, 2);
	}
	if (code < 0x20 || code == 0x7f) {
		hex_encode(span_of(&byte, 1), hex + 4);
		return log_put(l, hex, 6);
	}
	return log_put(l, (const char *)raw, utf8_put(code, raw));
}

static void
log_put_text(struct log *l, struct span s)
{
	(void)log_put(l, "\"", 1);
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_next(s, &code);

		if (!log_put_char(l, code))
			break;
		s = span_sub(s, n, s.n);
	}
}

/* Starts `,"key":` when the whole field of at least n bytes fits. */
static bool
log_key(struct log *l, const char *key, size_t n)
{
	size_t key_n = strlen(key);

	/* comma, quotes of key and value, colon */
	if (key_n + n + 6 > log_room(l))
		return false;
	(void)log_put(l, ",\"", 2);
	(void)log_put(l, key, key_n);
	(void)log_put(l, "\":", 2);
	return true;
}

bool
log_begin(struct log *l, enum log_level level, const char *event)
{
	char when[TIME_TEXT_LEN + 1];

	l->n = 0;
	if (log_sink == NULL || (int)level < atomic_load_explicit(&log_min,
	    memory_order_relaxed))
		return false;
	time_encode(log_now != NULL ? log_now() : 0, when);
	(void)log_put(l, "{\"timestamp\":\"", 14);
	(void)log_put(l, when, TIME_TEXT_LEN);
	(void)log_put(l, "\"", 1);
	log_str(l, "level", level_names[level]);
	log_str(l, "event", event);
	return true;
}

void
log_span(struct log *l, const char *key, struct span value)
{
	/* Room for the key and the closing quote; the value may be cut. */
	if (!log_key(l, key, 1))
		return;
	log_put_text(l, value);
	l->text[l->n++] = '"';
}

void
log_str(struct log *l, const char *key, const char *value)
{
	log_span(l, key, span_str(value));
}

void
log_u64(struct log *l, const char *key, uint64_t value)
{
	uint8_t digits[20];
	struct wr w = wr_init(digits, sizeof(digits));

	wr_dec(&w, value);
	if (log_key(l, key, w.n))
		(void)log_put(l, (const char *)digits, w.n);
}

void
log_id(struct log *l, const char *key, const uint8_t id[static 16])
{
	char text[ID_TEXT_LEN + 1];

	id_encode(id, text);
	log_str(l, key, text);
}

/* An IPv4 address without its last part, an IPv6 one with its first three. */
static struct span
ip_truncate(struct span s)
{
	bool v6 = span_find(s, ':') < s.n;
	size_t parts = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == (v6 ? ':' : '.') && ++parts == 3)
			return span_sub(s, 0, i);
	}
	return span_sub(s, 0, 0);
}

void
log_ip(struct log *l, const char *key, const char *address)
{
	if (log_ip_mode == LOG_IP_FULL)
		log_str(l, key, address);
	else if (log_ip_mode == LOG_IP_TRUNCATED)
		log_span(l, key, ip_truncate(span_str(address)));
}

void
log_end(struct log *l)
{
	l->text[l->n++] = '}';
	l->text[l->n++] = '\n';
	log_sink(l->text, l->n);
}
