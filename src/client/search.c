/*
 * search.c: full-text search over the history, see query.h.
 */
#include "client/client.h"

enum err
client_search_next(struct client *c, struct arena *a,
    const struct client_search *q, struct client_search_at *at,
    struct client_item *items_out, size_t cap, size_t *n_out)
{
	(void)c;
	(void)a;
	(void)q;
	(void)at;
	(void)items_out;
	(void)cap;
	*n_out = 0;
	return ERR_UNAVAILABLE;
}

size_t
client_search_ranges(const struct client_search *q, struct span text,
    struct client_range *out, size_t cap)
{
	(void)q;
	(void)text;
	(void)out;
	(void)cap;
	return 0;
}
