/*
 * change.c: see change.h.
 */
#include "client/change.h"

enum err
change_take(struct step *s, const struct client_input *in)
{
	return step_show_error(s, in->cmd, ERR_UNAVAILABLE,
	    (struct span){ NULL, 0 });
}
