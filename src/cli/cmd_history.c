/*
 * cmd_history.c: the last messages with a person, oldest first.
 */
#include "cli/cmd.h"
#include "cli/history.h"
#include "cli/show.h"

#define LIMIT_DEFAULT 50

static enum err
print(struct host *h, const struct client_item *it, void *ctx)
{
	struct buf *out = ctx;
	TRY(h->args->json ? show_item_json(h, it, out) :
	    show_item(h, it, tty_columns(), out));
	return show_line(out);
}

enum exit_status
cmd_history(struct host *h, const struct args *a)
{
	struct client_person p;
	struct buf out;
	unsigned long limit = LIMIT_DEFAULT;
	enum exit_status st = host_open_reader(h, a, NULL);
	if (a->limit != NULL)
		(void)args_number(a->limit, 1, 100000, &limit);
	if (st == EXIT_OK)
		st = host_find(h, a->operand[0], &p);
	if (st != EXIT_OK)
		return st;
	buf_init(&out, (size_t)1 << 20);
	enum err e = history_last(h, &p.user, limit, print, &out);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the history cannot be read or printed (%s)",
	    err_text(e));
	return EXIT_FAILED;
}
