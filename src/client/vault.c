/*
 * vault.c: see vault.h. The version at the server decides between devices: one
 * that finds another version than its own was replaced, and leaves the backup
 * to who did so, unless its person asks for a new one.
 */
#include "client/vault.h"

#include "client/adopt.h"
#include "client/fleet.h"
#include "client/secret.h"
#include "client/setup.h"
#include "client/vaultrec.h"
#include "core/peer.h"
#include "core/recovery.h"

#define TRY_AGAIN_MS (3600ull * 1000)

/* ---- making one ---- */

static enum err
vault_wrap_one(struct step *s, const struct user_id *account,
    enum backup_kdf kdf, struct span text, struct vault *v,
    const char **why_out)
{
	struct backup_wrap *k = &v->wraps[v->wraps_n];
	struct backup_stretched st;
	struct recovery_fault fault;
	enum err err = backup_wrap_begin(s->pv, kdf, k);

	if (err == OK && kdf == BACKUP_RECOVERY_KEY) {
		err = recovery_parse(s->pv, text, st.b, &fault);
		*why_out = "That is no recovery key";
	} else if (err == OK) {
		err = backup_stretch(s->pv, k, text, &st);
		*why_out = "The passphrase is too long";
	}
	if (err == OK)
		err = backup_wrap_seal(s->pv, account, &st, &v->bk, k);
	wipe(&st, sizeof(st));
	if (err == OK)
		v->wraps_n++;
	return err == ERR_FORMAT || (err == ERR_TOO_LARGE && text.n >
	    BACKUP_PASSPHRASE_MAX) ? ERR_VALIDATION : err;
}

enum err
vault_wrap(struct step *s, const struct user_id *account,
    struct span recovery_key, struct span passphrase, struct vault *v,
    const char **why_out)
{
	v->wraps_n = 0;
	if (recovery_key.n == 0 && passphrase.n == 0)
		return ERR_ARG;
	TRY(backup_generate(s->pv, &v->bk));
	if (recovery_key.n != 0)
		TRY(vault_wrap_one(s, account, BACKUP_RECOVERY_KEY,
		    recovery_key, v, why_out));
	return passphrase.n == 0 ? OK : vault_wrap_one(s, account,
	    BACKUP_PASSPHRASE, passphrase, v, why_out);
}

static enum err
vault_may(struct step *s, const char **why_out)
{
	bool manager;

	*why_out = NULL;
	TRY(adopt_is_manager(s, &manager));
	if (!manager)
		*why_out = "This device has not the account key: make the "
		    "backup on a manager";
	else if (!setup_is_ready(s))
		*why_out = "This device is not set up yet";
	return OK;
}

enum err
vault_create(struct step *s, const struct client_input *in)
{
	struct vault v, was;
	const char *why;
	enum err err;

	TRY(vault_may(s, &why));
	if (why != NULL)
		return step_show_error(s, in->cmd, ERR_FORBIDDEN,
		    span_str(why));
	v = (struct vault){ .state = VAULT_ASKS, .cmd = in->cmd,
	    .manual = in->u.backup.manual, .every_n = in->u.backup.every_n };
	if (v.every_n == 0)
		v.every_n = VAULT_EVERY_N;
	err = vault_wrap(s, &s->m.user, in->u.backup.recovery_key,
	    in->u.backup.passphrase, &v, &why);
	if (err == ERR_VALIDATION || err == ERR_ARG) {
		wipe(&v, sizeof(v));
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    err == ERR_ARG ? SPAN("A backup needs a recovery key or a "
		    "passphrase") : span_str(why));
	}
	if (err == OK && vault_load(s, &was) == OK && was.state != VAULT_IDLE)
		err = arcout_abandon(s, ARCOUT_BACKUP);
	if (err == OK)
		err = vault_save(s, &v);
	wipe(&was, sizeof(was));
	wipe(&v, sizeof(v));
	return err;
}

enum err
vault_refresh(struct step *s, const struct client_input *in)
{
	struct vault v;
	const char *why;
	enum err err = vault_load(s, &v);

	if (err == ERR_NOT_FOUND || (err == OK && !v.exists &&
	    v.state == VAULT_IDLE)) {
		wipe(&v, sizeof(v));
		return step_show_error(s, in->cmd, ERR_NOT_FOUND,
		    SPAN("This device keeps no backup: create one"));
	}
	TRY(err);
	TRY(vault_may(s, &why));
	if (why != NULL) {
		wipe(&v, sizeof(v));
		return step_show_error(s, in->cmd, ERR_FORBIDDEN,
		    span_str(why));
	}
	v.cmd = in->cmd;
	if (v.state == VAULT_IDLE || v.state == VAULT_DROPS)
		v.state = VAULT_ASKS;
	err = vault_save(s, &v);
	wipe(&v, sizeof(v));
	return err;
}

enum err
vault_delete(struct step *s, const struct client_input *in)
{
	struct vault v;
	enum err err = vault_load(s, &v);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	/* Also one that another device made: it is the account's. */
	wipe(&v, sizeof(v));
	v.state = VAULT_DROPS;
	v.manual = true;
	v.cmd = in->cmd;
	TRY(arcout_abandon(s, ARCOUT_BACKUP));
	return vault_save(s, &v);
}

/* ---- the object ---- */

static enum err
vault_fill(struct step *s, const struct arcout *x,
    struct backup_secrets *out, uint64_t *version_out)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	struct identity id;
	enum err err;

	if (own == NULL)
		return ERR_TOO_LARGE;
	err = identity_load(&s->core, &id);
	if (err == OK && !id.is_manager)
		err = ERR_FORBIDDEN;
	if (err == OK)
		err = peer_load(&s->core, &s->m.user, own);
	if (err == OK)
		err = secret_get(s, out->secret);
	if (err == OK) {
		out->aik_priv = id.aik_priv;
		*version_out = own->list.version;
		memcpy(out->list_hash, own->list_hash, SHA256_LEN);
	}
	identity_wipe(&id);
	step_scratch_end(s, mark);
	out->position = x->position;
	out->has_archive = true;
	out->archive = x->id;
	out->archive_key = x->key;
	out->archive_chunks = x->chunks;
	memcpy(out->archive_digest, x->digest, SHA256_LEN);
	out->records = x->n.records;
	out->user_name = s->m.name;
	return err;
}

enum err
vault_seal(struct step *s, const struct vault *v, uint64_t number,
    const struct arcout *x, struct wr *w)
{
	struct backup_secrets secrets = { .position = 0 };
	struct backup b = { .wraps_n = v->wraps_n };
	enum err err;

	b.head.number = number;
	b.head.made_ms = x->made_ms;
	memcpy(b.wraps, v->wraps, sizeof(b.wraps));
	err = vault_fill(s, x, &secrets, &b.head.list_version);
	if (err == OK)
		err = backup_seal(s->pv, &s->m.user, &v->bk, &b, &secrets, w);
	wipe(&secrets, sizeof(secrets));
	return err;
}

static enum err
vault_put(struct step *s, const struct vault *v)
{
	struct call_new n = { .what = CALL_BACKUP_PUT, .method = "PUT",
	    .path = SPAN("/api/keybackup") };
	struct keybackup_put_req req = { .version = v->version,
	    .has_archive_id = true, .archive_id = v->archive };
	struct arcout x;
	struct wr w;
	bool made;
	enum err err;

	if (call_is_open(s->c, CALL_BACKUP_PUT, NULL) || !call_may(s))
		return OK;
	TRY(step_wr(s, BACKUP_LEN_MAX, &w));
	err = arcout_load(s, ARCOUT_BACKUP, &x);
	if (err == OK)
		err = vault_seal(s, v, v->version + 1, &x, &w);
	wipe(&x, sizeof(x));
	TRY(err);
	req.data = wr_done(&w);
	TRY(step_json(s, &shape_keybackup_put_req, &req, &n.body));
	return call_make(s, &n, &made);
}

/* ---- going on ---- */

/* A backup that holds a former account key is of little use. */
static enum err
vault_is_due(struct step *s, const struct vault *v, bool *out)
{
	uint64_t changes = s->m.journal - v->journal, renewed_ms;

	*out = false;
	if (v->manual || !v->exists || !(s->c->options & CLIENT_STAYS) ||
	    s->now < v->tried_ms + TRY_AGAIN_MS)
		return OK;
	TRY(fleet_renewed_ms(s, &s->m.user, &renewed_ms));
	*out = changes >= v->every_n || renewed_ms > v->made_ms ||
	    (changes != 0 && s->now >= v->made_ms + VAULT_EVERY_MS);
	return OK;
}

static enum err
vault_ask(struct step *s, enum call_what what, const char *method,
    const char *path)
{
	struct call_new n = { .what = what, .method = method,
	    .path = span_str(path) };
	bool made;

	return call_make(s, &n, &made);
}

static enum err
vault_go(struct step *s, struct vault *v)
{
	bool due;

	switch (v->state) {
	case VAULT_IDLE:
		TRY(vault_is_due(s, v, &due));
		if (!due)
			return OK;
		v->state = VAULT_ASKS;
		v->tried_ms = s->now;
		v->cmd = 0;
		return vault_save(s, v);
	case VAULT_ASKS:
		return vault_ask(s, CALL_BACKUP_STATE, "GET",
		    "/api/keybackup/state");
	case VAULT_NAMES:
		return arcout_ask_id(s, ARCOUT_BACKUP);
	case VAULT_SENDS:
		return OK;	/* arcout.c */
	case VAULT_PUTS:
		return vault_put(s, v);
	case VAULT_DROPS:
		return vault_ask(s, CALL_BACKUP_DROP, "DELETE",
		    "/api/keybackup");
	}
	return OK;
}

enum err
vault_pump(struct step *s)
{
	struct vault v;
	enum err err;

	if (!setup_is_ready(s))
		return OK;
	err = vault_load(s, &v);
	if (err == OK)
		err = vault_go(s, &v);
	wipe(&v, sizeof(v));
	return err == ERR_NOT_FOUND ? OK : err;
}

/* It will not be, for now: who asked hears why. */
static enum err
vault_fail(struct step *s, struct vault *v, enum err why, struct span message)
{
	uint64_t cmd = v->cmd;

	v->state = VAULT_IDLE;
	v->tried_ms = s->now;
	v->cmd = 0;
	TRY(arcout_abandon(s, ARCOUT_BACKUP));
	TRY(vault_save(s, v));
	return cmd == 0 ? OK : step_show_error(s, cmd, why, message);
}

static enum err
vault_done(struct step *s, struct vault *v)
{
	struct client_show *show;
	uint64_t cmd = v->cmd;

	v->state = VAULT_IDLE;
	v->cmd = 0;
	TRY(vault_save(s, v));
	show = step_show(s, SHOW_BACKUP, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	TRY(vault_view(s, v, &show->u.backup));
	return step_show_done(s, cmd);
}

enum err
vault_archived(struct step *s, enum err why)
{
	struct vault v;
	enum err err = vault_load(s, &v);

	if (err == OK && v.state == VAULT_SENDS) {
		v.state = VAULT_PUTS;
		err = why == OK ? vault_save(s, &v) : vault_fail(s, &v, why,
		    (struct span){ NULL, 0 });
	}
	wipe(&v, sizeof(v));
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
vault_adopt(struct step *s, const struct backup_key *bk,
    const struct backup *b, uint64_t version)
{
	struct vault v = { .state = VAULT_IDLE, .exists = true, .bk = *bk,
	    .version = version, .made_ms = b->head.made_ms,
	    .list_version = b->head.list_version, .every_n = VAULT_EVERY_N,
	    .wraps_n = b->wraps_n, .journal = s->m.journal };
	enum err err;

	memcpy(v.wraps, b->wraps, sizeof(v.wraps));
	err = vault_save(s, &v);
	wipe(&v, sizeof(v));
	return err;
}

/* ---- answers ---- */

static enum err
vault_heard_state(struct step *s, struct vault *v,
    const struct call_answer *a)
{
	struct keybackup_state_rep rep;

	if (shape_decode(&shape_keybackup_state_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return vault_fail(s, v, ERR_FORMAT, (struct span){ NULL, 0 });
	/* Nobody asked, and another device has made one since. */
	if (v->cmd == 0 && rep.version != v->version) {
		v->exists = false;
		v->manual = true;
		return vault_fail(s, v, ERR_CONFLICT,
		    (struct span){ NULL, 0 });
	}
	v->version = rep.version;
	v->state = VAULT_NAMES;
	return vault_save(s, v);
}

static enum err
vault_heard_id(struct step *s, struct vault *v, const struct call_answer *a)
{
	struct archive_create_rep rep;
	struct archive_key key;
	enum err err;

	if (shape_decode(&shape_archive_create_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return vault_fail(s, v, ERR_FORMAT, (struct span){ NULL, 0 });
	v->archive = rep.id;
	v->state = VAULT_SENDS;
	TRY(s->pv->random(s->pv->ctx, key.b, sizeof(key.b)));
	err = arcout_begin(s, ARCOUT_BACKUP, &rep.id, key.b, 0);
	wipe(&key, sizeof(key));
	return err == OK ? vault_save(s, v) : err;
}

static enum err
vault_heard_put(struct step *s, struct vault *v, const struct call_answer *a)
{
	struct keybackup_put_rep rep;
	struct arcout x;

	if (shape_decode(&shape_keybackup_put_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return vault_fail(s, v, ERR_FORMAT, (struct span){ NULL, 0 });
	TRY(arcout_load(s, ARCOUT_BACKUP, &x));
	v->exists = true;
	v->version = rep.version;
	v->made_ms = x.made_ms;
	v->tried_ms = s->now;
	v->position = x.position;
	v->messages = x.n.messages;
	v->people = x.n.people;
	v->size = x.bytes;
	v->journal = s->m.journal;
	wipe(&x, sizeof(x));
	TRY(vaultrec_list_version(s, &v->list_version));
	TRY(arcout_drop(s, ARCOUT_BACKUP));
	return vault_done(s, v);
}

/* Refused: another version there, or for good. */
static enum err
vault_refused(struct step *s, struct vault *v, const struct call_answer *a)
{
	if (a->status < 400 || a->status >= 500 || a->status == 401 ||
	    a->status == 429)
		return OK;
	if (a->call->what == CALL_BACKUP_DROP && a->status == 404)
		return vault_done(s, v);
	if (a->call->what == CALL_BACKUP_PUT && a->err == ERR_CONFLICT) {
		/* The answer was lost, or another device was first. */
		TRY(arcout_abandon(s, ARCOUT_BACKUP));
		v->state = VAULT_ASKS;
		return vault_save(s, v);
	}
	return vault_fail(s, v, a->err, a->error.message);
}

static enum err
vault_take_answer(struct step *s, struct vault *v,
    const struct call_answer *a)
{
	static const struct { enum call_what what; enum vault_state in; }
	    fits[] = { { CALL_BACKUP_STATE, VAULT_ASKS },
	    { CALL_ARCHIVE_NEW, VAULT_NAMES }, { CALL_BACKUP_PUT, VAULT_PUTS },
	    { CALL_BACKUP_DROP, VAULT_DROPS } };
	size_t i;

	for (i = 0; i < 4 && (fits[i].what != (enum call_what)a->call->what ||
	    fits[i].in != v->state); i++)
		;
	if (i == 4)
		return OK;
	if (a->err != OK)
		return vault_refused(s, v, a);
	switch (i) {
	case 0:
		return vault_heard_state(s, v, a);
	case 1:
		return vault_heard_id(s, v, a);
	case 2:
		return vault_heard_put(s, v, a);
	default:
		v->exists = false;
		return vault_done(s, v);
	}
}

enum err
vault_heard(struct step *s, const struct call_answer *a)
{
	struct vault v;
	enum err err = vault_load(s, &v);

	if (err == OK)
		err = vault_take_answer(s, &v, a);
	wipe(&v, sizeof(v));
	return err == ERR_NOT_FOUND ? OK : err;
}
