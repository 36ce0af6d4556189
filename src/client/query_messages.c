/*
 * query_messages.c: exports client_reaction_next, client_pin_next,
 * client_find_refs, client_settings, client_pref_next, client_cause_next,
 * client_draft: queries about messages and what is mine alone.
 */
#include "client/client.h"

enum err
client_draft(struct client *c, struct arena *a, const struct client_target *to,
    struct span *out)
{
	(void)c;
	(void)a;
	(void)to;
	*out = (struct span){ NULL, 0 };
	return OK;
}

enum err
client_reaction_next(struct client *c, struct arena *a,
    const struct client_ref *to, struct user_id *after,
    struct client_reaction *out)
{
	(void)c;
	(void)a;
	(void)to;
	(void)after;
	*out = (struct client_reaction){ .position = 0 };
	return ERR_NOT_FOUND;
}

enum err
client_pin_next(struct client *c, struct arena *a, const struct chat_id *chat,
    struct client_ref *after, struct client_pin *out)
{
	(void)c;
	(void)a;
	(void)chat;
	(void)after;
	*out = (struct client_pin){ .on = false };
	return ERR_NOT_FOUND;
}

enum err
client_find_refs(struct client *c, struct arena *a, const struct chat_id *chat,
    struct span prefix, struct client_ref out[static CLIENT_REFS_MAX],
    size_t *n_out)
{
	(void)c;
	(void)a;
	(void)chat;
	(void)prefix;
	(void)out;
	*n_out = 0;
	return OK;
}

enum err
client_settings(struct client *c, struct arena *a, struct client_settings *out)
{
	(void)c;
	(void)a;
	*out = (struct client_settings){ .flags = SETTING_ALL };
	return OK;
}

enum err
client_pref_next(struct client *c, struct arena *a, struct span *after,
    struct span *value_out)
{
	(void)c;
	(void)a;
	(void)after;
	*value_out = (struct span){ NULL, 0 };
	return ERR_NOT_FOUND;
}

enum err
client_cause_next(struct client *c, struct arena *a, struct span *after,
    struct client_cause *out)
{
	(void)c;
	(void)a;
	(void)after;
	*out = (struct client_cause){ .n = 0 };
	return ERR_NOT_FOUND;
}
