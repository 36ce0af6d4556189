/*
 * keyring.c: hands the inputs about devices to those who deal with them.
 */
#include "client/keyring.h"

enum err
keyring_take(struct step *s, const struct client_input *in)
{
	return step_show_error(s, in->cmd, ERR_UNAVAILABLE,
	    (struct span){ NULL, 0 });
}
