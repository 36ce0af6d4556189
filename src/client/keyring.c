/*
 * keyring.c: see keyring.h.
 */
#include "client/keyring.h"

#include "client/adopt.h"
#include "client/arcout.h"
#include "client/fleet.h"
#include "client/newdev.h"
#include "client/restore.h"
#include "client/setup.h"
#include "client/trust.h"
#include "client/vault.h"

static enum err
keyring_cancel(struct step *s, struct linkrec *l,
    const struct client_input *in)
{
	/* From then on the other side may have what it needs. */
	if (linkrec_is_over(l) || l->state >= LINK_SIGNS)
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("There is nothing to cancel"));
	TRY(linkrec_go(s, l, LINK_CANCELLED));
	return step_show_done(s, in->cmd);
}

/* Inputs that are about a linking under way. */
static enum err
keyring_link(struct step *s, const struct client_input *in)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (in->type == CLIENT_LINK_CODE)
		err = adopt_code(s, &l, in);
	else if (in->type == CLIENT_LINK_CONFIRM)
		err = newdev_confirm(s, &l, in);
	else
		err = keyring_cancel(s, &l, in);
	linkrec_wipe(&l);
	return err;
}

enum err
keyring_take(struct step *s, const struct client_input *in)
{
	switch ((int)in->type) {
	case CLIENT_LINK_NEW:
		return newdev_begin(s, in);
	case CLIENT_LINK_SCAN:
		return adopt_scan(s, in);
	case CLIENT_LINK_CODE: case CLIENT_LINK_CONFIRM:
	case CLIENT_LINK_CANCEL:
		return keyring_link(s, in);
	case CLIENT_DEVICE_RENAME:
		return fleet_rename(s, in);
	case CLIENT_DEVICE_REVOKE:
		return fleet_revoke(s, in);
	case CLIENT_RENEW:
		return fleet_renew(s, in);
	case CLIENT_RENEW_ACCOUNT:
		return fleet_renew_account(s, in);
	case CLIENT_BACKUP_CREATE:
		return vault_create(s, in);
	case CLIENT_BACKUP_REFRESH:
		return vault_refresh(s, in);
	case CLIENT_BACKUP_DELETE:
		return vault_delete(s, in);
	case CLIENT_BACKUP_CHECK: case CLIENT_RESTORE:
		return restore_begin(s, in);
	case CLIENT_RESTORE_CONFIRM:
		return restore_confirm(s, in);
	case CLIENT_BACKUP_PART:
		return arcin_part(s, in->u.part.number, in->u.part.data);
	case CLIENT_VERIFY_CODE:
		return trust_code(s, in);
	default:
		return ERR_ARG;
	}
}

/* The archive for a new device got its name. */
static enum err
keyring_heard_id(struct step *s, const struct call_answer *a)
{
	struct archive_create_rep rep;
	struct linkrec l;
	enum err err;

	if (a->call->number != ARCOUT_LINK)
		return vault_heard(s, a);
	err = linkrec_load(s, &l);
	if (err == OK && !l.is_new && l.state == LINK_TOLD &&
	    l.sent.n == 0 && !l.has_archive) {
		if (a->err == OK && shape_decode(&shape_archive_create_rep,
		    a->data, s->a, &rep, NULL) == OK) {
			l.archive = rep.id;
			l.has_archive = true;
			err = linkrec_save(s, &l);
		} else if (a->status >= 400 && a->status < 500 &&
		    a->status != 401 && a->status != 429) {
			/* No room for one: the device comes without. */
			l.no_history = true;
			err = linkrec_save(s, &l);
		}
	}
	linkrec_wipe(&l);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Of a part, or that all of them are there. */
static enum err
keyring_heard_part(struct step *s, const struct call_answer *a)
{
	enum arcout_purpose purpose;
	bool done;
	enum err err = arcout_heard(s, a, &purpose, &done);

	if (step_is_fatal(err))
		return err;
	if (!done && err == OK)
		return OK;
	if (purpose == ARCOUT_BACKUP)
		return vault_archived(s, err);
	TRY(arcout_drop(s, ARCOUT_LINK));
	if (err != OK)
		TRY(step_show_error(s, 0, err, SPAN("The server does not take "
		    "the history for the new device")));
	return adopt_history_done(s);
}

static enum err
keyring_heard_link(struct step *s, const struct call_answer *a)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err == OK)
		err = l.is_new ? newdev_heard(s, &l, a) :
		    adopt_heard(s, &l, a);
	linkrec_wipe(&l);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
keyring_heard(struct step *s, const struct call_answer *a)
{
	switch ((int)a->call->what) {
	case CALL_ARCHIVE_NEW:
		return keyring_heard_id(s, a);
	case CALL_ARCHIVE_GET: case CALL_PART_GET:
		return arcin_heard(s, a);
	case CALL_ARCHIVE_DONE: case CALL_PART_PUT:
		return keyring_heard_part(s, a);
	case CALL_BACKUP_GET:
		return restore_heard(s, a);
	case CALL_BACKUP_PUT: case CALL_BACKUP_STATE: case CALL_BACKUP_DROP:
		return vault_heard(s, a);
	case CALL_DEVICE_NAME:
		return fleet_heard(s, a);
	case CALL_TRUST_PUT: case CALL_TRUST_GET:
		return trust_heard(s, a);
	case CALL_LINK_DROP: case CALL_ARCHIVE_DROP:
		return OK;
	default:
		return keyring_heard_link(s, a);
	}
}

enum err
keyring_arrived(struct step *s, const struct arcin *x, enum err why)
{
	if (x->mode != ARCIN_LINK)
		return restore_arrived(s, x, why);
	if (why != OK)
		TRY(step_show_error(s, 0, why, SPAN("The history did not come "
		    "whole: the other device may not have been able to send "
		    "it")));
	else
		TRY(arcout_delete(s, &x->id));
	return newdev_history_done(s);
}

enum err
keyring_pump(struct step *s)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err == OK && !linkrec_is_over(&l))
		err = l.is_new ? newdev_pump(s, &l) : adopt_pump(s, &l);
	linkrec_wipe(&l);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	TRY(restore_pump(s));
	if (!(s->m.flags & META_SIGNED_IN))
		return OK;
	TRY(arcin_pump(s));
	if (!setup_is_ready(s))
		return OK;
	TRY(fleet_look(s));
	TRY(arcout_pump(s, ARCOUT_LINK));
	TRY(arcout_pump(s, ARCOUT_BACKUP));
	TRY(vault_pump(s));
	return trust_pump(s);
}
