/*
 * prefs.c: see prefs.h.
 */
#include "client/prefs.h"

enum err
prefs_take(struct step *s, const struct client_input *in)
{
	return step_show_error(s, in->cmd, ERR_UNAVAILABLE,
	    (struct span){ NULL, 0 });
}
