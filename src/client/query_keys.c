/*
 * query_keys.c: exports client_linking, client_backup, client_recovery_key,
 * client_export_*, client_keys, client_trust, client_safety_code and names:
 * queries about devices, keys and trust. Each reads the records as they stand.
 */
#include "client/client.h"

#include "client/adopt.h"
#include "client/fleet.h"
#include "client/setup.h"
#include "client/trust.h"
#include "client/vault.h"
#include "client/vaultrec.h"
#include "core/prekey.h"
#include "core/recovery.h"

#define VERIFY_AGAIN_MS (90ull * 24 * 3600 * 1000)

_Static_assert(CLIENT_RECOVERY_LEN == RECOVERY_TEXT_LEN, "one length");
_Static_assert(CLIENT_QR_LEN == SAFETY_QR_TEXT_LEN, "one length");
_Static_assert(CLIENT_BACKUP_HEAD_MAX >= BACKUP_LEN_MAX, "a head fits");
_Static_assert(CLIENT_BACKUP_PART_MAX >= ARCOUT_PART_MAX, "a part fits");

static enum err
query_keys_begin(struct client *c, struct arena *a, struct step **out)
{
	*out = ARENA_NEW(a, struct step);
	if (*out == NULL)
		return ERR_TOO_LARGE;
	return step_init(*out, c, a, 0, true);
}

enum err
client_linking(struct client *c, struct arena *a, struct client_linking *out)
{
	struct linkrec l;
	struct step *s;
	enum err err;

	*out = (struct client_linking){ .state = LINK_NONE };
	TRY(query_keys_begin(c, a, &s));
	err = linkrec_load(s, &l);
	if (err == OK)
		err = linkrec_view(s, &l, out);
	linkrec_wipe(&l);
	step_fini(s);
	return err;
}

enum err
client_backup(struct client *c, struct arena *a, struct client_backup *out)
{
	struct vault v;
	struct step *s;
	enum err err;

	*out = (struct client_backup){ .exists = false };
	TRY(query_keys_begin(c, a, &s));
	err = vault_load(s, &v);
	if (err == OK)
		err = vault_view(s, &v, out);
	wipe(&v, sizeof(v));
	step_fini(s);
	return err;
}

enum err
client_recovery_key(struct client *c, char out[static CLIENT_RECOVERY_LEN + 1])
{
	uint8_t key[RECOVERY_KEY_LEN];
	enum err err = c->pv->random(c->pv->ctx, key, sizeof(key));

	if (err == OK)
		err = recovery_text(c->pv, key, out);
	wipe(key, sizeof(key));
	return err;
}

/* ---- a backup as a file ---- */

struct query_export {
	struct vault v;
	struct arcout x;
};
_Static_assert(sizeof(struct query_export) <= sizeof(struct client_export),
    "the state fits");

static struct query_export *
query_export(struct client_export *x)
{
	return (struct query_export *)(void *)x->state;
}

enum err
client_export_begin(struct client *c, struct arena *a,
    const struct client_input *create, struct client_export *x)
{
	struct query_export *q = query_export(x);
	const char *why;
	struct step *s;
	bool manager;
	enum err err;

	memset(x, 0, sizeof(*x));
	TRY(query_keys_begin(c, a, &s));
	err = adopt_is_manager(s, &manager);
	if (err == OK && !manager)
		err = ERR_FORBIDDEN;
	if (err == OK)
		err = vault_wrap(s, &s->m.user, create->u.backup.recovery_key,
		    create->u.backup.passphrase, &q->v, &why);
	if (err == OK)
		err = s->pv->random(s->pv->ctx, q->x.key.b,
		    sizeof(q->x.key.b));
	if (err == OK)
		err = s->pv->random(s->pv->ctx, q->x.id.b, ID_LEN);
	q->x.position = s->m.cursor;
	q->x.made_ms = create->now_ms;
	step_fini(s);
	if (err != OK)
		client_export_end(x);
	return err == ERR_ARG ? ERR_VALIDATION : err;
}

enum err
client_export_next(struct client *c, struct arena *a, struct client_export *x,
    struct span *part_out, bool *done_out)
{
	struct query_export *q = query_export(x);
	uint8_t *part = arena_bytes(a, ARCOUT_PART_MAX);
	struct step *s;
	size_t n = 0;
	enum err err = OK;

	*done_out = q->x.ended;
	*part_out = (struct span){ NULL, 0 };
	if (part == NULL)
		return ERR_TOO_LARGE;
	if (q->x.ended)
		return OK;
	TRY(query_keys_begin(c, a, &s));
	while (err == OK && n == 0)
		err = arcout_walk(s, &s->m.user, &q->x, part, &n);
	step_fini(s);
	*part_out = span_of(part, n);
	return err;
}

enum err
client_export_head(struct client *c, struct arena *a, struct client_export *x,
    struct span *head_out, struct client_backup *out)
{
	struct query_export *q = query_export(x);
	struct step *s;
	struct wr w;
	enum err err;

	TRY(query_keys_begin(c, a, &s));
	err = step_wr(s, BACKUP_LEN_MAX, &w);
	/* Files have no numbers of the server's: their time orders them. */
	if (err == OK)
		err = vault_seal(s, &q->v, q->x.made_ms, &q->x, &w);
	if (err == OK) {
		*head_out = wr_done(&w);
		q->v.exists = true;
		q->v.manual = true;
		q->v.made_ms = q->v.version = q->x.made_ms;
		q->v.messages = q->x.n.messages;
		q->v.people = q->x.n.people;
		q->v.size = q->x.bytes;
		err = vaultrec_list_version(s, &q->v.list_version);
	}
	if (err == OK)
		err = vault_view(s, &q->v, out);
	step_fini(s);
	return err;
}

void
client_export_end(struct client_export *x)
{
	wipe(x, sizeof(*x));
}

/* ---- keys ---- */

static enum err
query_keys(struct step *s, struct client_keys *out)
{
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	struct cert *cert = ARENA_NEW(&s->scratch, struct cert);
	struct identity id;
	enum err err;

	if (own == NULL || cert == NULL)
		return ERR_TOO_LARGE;
	err = identity_load(&s->core, &id);
	if (err == OK)
		err = cert_decode(span_of(id.keys.cert, id.keys.cert_n), cert);
	if (err == OK)
		err = peer_load(&s->core, &s->m.user, own);
	if (err == OK) {
		out->is_manager = id.is_manager;
		out->account_ms = id.created_ms;
		out->device_ms = cert->created_ms;
		out->device_due_ms = cert->created_ms + IDENTITY_CERT_LIFE_MS;
		out->list_ms = own->list.issued_ms;
		out->list_due_ms = out->list_ms + IDENTITY_LIST_RENEW_MS;
		out->batch_ms = s->m.batch_ms;
		out->batch_due_ms = s->m.batch_ms + PREKEY_REFILL_MS;
	}
	identity_wipe(&id);
	return err;
}

enum err
client_keys(struct client *c, struct arena *a, struct client_keys *out)
{
	struct step *s;
	enum err err;

	*out = (struct client_keys){ .is_manager = false };
	TRY(query_keys_begin(c, a, &s));
	out->revoked = (s->m.flags & META_REVOKED) != 0;
	out->renew_account = (s->m.flags & META_RENEW_DUE) != 0;
	err = fleet_renewed_ms(s, &s->m.user, &out->renewed_ms);
	if (err == OK)
		err = query_keys(s, out);
	if (out->renewed_ms > out->account_ms)
		out->account_ms = out->renewed_ms;
	step_fini(s);
	return err;
}

/* ---- trust ---- */

static enum err
query_trust(struct step *s, const struct user_id *user,
    struct client_trust *out)
{
	struct verification v;
	enum err err;

	TRY(fleet_renewed_ms(s, user, &out->renewed_ms));
	TRY(trust_is_told(s, user, &out->told));
	TRY(peer_is_verified(&s->core, user, &out->verified));
	err = trust_load(s, user, &v);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (!out->verified || v.withdrawn)
		return OK;
	out->verified_ms = v.time_ms;
	out->method = (enum client_verify_method)v.method;
	out->device = v.device;
	out->here = v.device == s->m.device;
	out->due_ms = v.time_ms + VERIFY_AGAIN_MS;
	return OK;
}

enum err
client_trust(struct client *c, struct arena *a, const struct user_id *user,
    struct client_trust *out)
{
	struct step *s;
	enum err err;

	*out = (struct client_trust){ .verified = false };
	TRY(query_keys_begin(c, a, &s));
	err = query_trust(s, user, out);
	step_fini(s);
	return err;
}

enum err
client_safety_code(struct client *c, struct arena *a,
    const struct user_id *user, char out[static CLIENT_QR_LEN + 1])
{
	struct peer_safety *n = ARENA_NEW(a, struct peer_safety);
	struct step *s;
	enum err err;

	out[0] = '\0';
	if (n == NULL)
		return ERR_TOO_LARGE;
	TRY(query_keys_begin(c, a, &s));
	err = peer_safety(&s->core, user, n);
	if (err == OK)
		memcpy(out, n->qr, CLIENT_QR_LEN + 1);
	step_fini(s);
	return err;
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
