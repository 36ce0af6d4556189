/*
 * track.c: see track.h. One terminal a process.
 */
#include "cli/track.h"

#include <unistd.h>

#include "cli/show.h"

static bool is_open;		/* a line without its end */

static const char *
what_text(enum client_progress_what w)
{
	switch (w) {
	case PROGRESS_HISTORY_OUT: return "sending the history";
	case PROGRESS_HISTORY_IN: return "taking in the history";
	case PROGRESS_BACKUP: return "making the backup";
	case PROGRESS_CHECK: return "reading the backup";
	default: return "working";
	}
}

static const char *
what_name(enum client_progress_what w)
{
	switch (w) {
	case PROGRESS_HISTORY_OUT: return "history_out";
	case PROGRESS_HISTORY_IN: return "history_in";
	case PROGRESS_BACKUP: return "backup";
	case PROGRESS_CHECK: return "check";
	default: return "other";
	}
}

static void
put_json(const struct client_show *s)
{
	struct buf out;

	buf_init(&out, 512);
	enum err e = buf_add_str(&out, "{");
	if (e == OK)
		e = show_json_str(&out, "type", SPAN("progress"));
	if (e == OK)
		e = show_json_str(&out, "what",
		    span_str(what_name(s->u.progress.what)));
	if (e == OK)
		e = show_json_u64(&out, "done", s->u.progress.done);
	if (e == OK && s->u.progress.total != 0)
		e = show_json_u64(&out, "total", s->u.progress.total);
	if (e == OK)
		e = buf_add_str(&out, "}");
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	(void)e;	/* progress is no result */
}

void
track_show(struct host *h, const struct client_show *s)
{
	uint64_t done = s->u.progress.done, total = s->u.progress.total;
	bool bytes = s->u.progress.what == PROGRESS_HISTORY_IN ||
	    s->u.progress.what == PROGRESS_CHECK;

	if (s->type != SHOW_PROGRESS)
		return;
	if (h->args->json) {
		put_json(s);
		return;
	}
	if (h->args->quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s: %llu %s", what_text(s->u.progress.what),
	    (unsigned long long)(bytes ? done >> 10 : done),
	    bytes ? "KiB" : "messages");
	if (total != 0)
		fprintf(stderr, ", %u %%", (unsigned)(done * 100 / total));
	fflush(stderr);
	is_open = true;
}

void
track_end(struct host *h)
{
	(void)h;
	if (is_open)
		fputc('\n', stderr);
	is_open = false;
}
