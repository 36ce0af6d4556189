/*
 * link.c: a connection with its prepared statements and open cursors.
 */
#include "store/txn_private.h"

void
link_close_cursors(struct link *l)
{
	if (l->open_n == 0)
		return;
	for (unsigned id = 0; id < QUERY_MAX; id++) {
		if (l->is_open[id])
			l->d->reset(l->stmts[id]);
		l->is_open[id] = false;
	}
	l->open_n = 0;
}

void
link_close(struct link *l)
{
	if (l->d == NULL)
		return;
	l->d->close(l->db);
	*l = (struct link){ .d = NULL };
}

enum err
link_open(struct link *l, const struct driver *d, const char *path,
    enum db_use use, struct store_error *err_out)
{
	*l = (struct link){ .d = NULL };
	TRY(d->open(path, use, &l->db, err_out));
	l->d = d;
	return OK;
}
