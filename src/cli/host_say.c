/*
 * host_say.c: exports host_hint, host_error, host_note, host_debug:
 * what goes to the standard error. Texts of the server pass clean_line before they come here.
 */
#include <stdarg.h>
#include <unistd.h>

#include "cli/host.h"
#include "wire/json.h"

#define LINE_MAX_BYTES 2048

static void say(const struct host *h, const char *kind, const char *format,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
say(const struct host *h, const char *kind, const char *format, va_list ap)
{
	char text[LINE_MAX_BYTES];
	uint8_t line[LINE_MAX_BYTES * 6 + 64];
	vsnprintf(text, sizeof(text), format, ap);
	if (h->ops != NULL && h->ops->on_say != NULL) {
		h->ops->on_say(h, text);
		return;
	}
	if (h->args == NULL || !h->args->json) {
		fprintf(stderr, "nightjar: %s\n", text);
		return;
	}
	struct wr w = wr_init(line, sizeof(line));
	wr_str(&w, "{\"");
	wr_str(&w, kind);
	wr_str(&w, "\":");
	json_put_str(&w, span_str(text));
	wr_str(&w, "}\n");
	if (wr_ok(&w))
		fwrite(line, 1, w.n, stderr);
}

const char *
host_hint(struct host *h, const char *format, ...)
{
	va_list ap;
	const char *profile = h->args->profile;
	/* Valid names only: they need no quotes in a shell. */
	int n = profile != NULL && profile_name_ok(profile) ?
	    snprintf(h->hint, sizeof(h->hint), "nightjar --profile %s ",
	    profile) : snprintf(h->hint, sizeof(h->hint), "nightjar ");
	va_start(ap, format);
	vsnprintf(h->hint + n, sizeof(h->hint) - (size_t)n, format, ap);
	va_end(ap);
	return h->hint;
}

void
host_error(const struct host *h, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	say(h, "error", format, ap);
	va_end(ap);
}

void
host_note(const struct host *h, const char *format, ...)
{
	va_list ap;
	if (h->args->quiet)
		return;
	va_start(ap, format);
	say(h, "note", format, ap);
	va_end(ap);
}

void
host_debug(const struct host *h, const char *format, ...)
{
	va_list ap;
	if (!h->args->verbose)
		return;
	va_start(ap, format);
	say(h, "debug", format, ap);
	va_end(ap);
}
