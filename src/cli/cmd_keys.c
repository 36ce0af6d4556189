/*
 * cmd_keys.c: exports cmd_keys, cmd_device: the keys of this device and of the
 * account, and the account's devices: names, taking one off.
 */
#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/tty.h"

#define OUT_MAX ((size_t)1 << 16)

static enum exit_status
finish(struct host *h, struct buf *out, enum err e)
{
	if (e == OK)
		e = show_line(out);
	buf_fini(out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

static enum exit_status
begin(struct host *h, const struct args *a)
{
	enum exit_status st = host_open(h, a, false);

	if (st == EXIT_OK)
		st = host_net(h);
	h->catch_up = true;
	if (st == EXIT_OK)
		st = host_start(h, NULL, false);
	return st == EXIT_OK ? host_catch_up(h) : st;
}

/* ---- keys ---- */

static enum err
keys_json(const struct client_keys *k, struct buf *out)
{
	TRY(buf_add_str(out, "{"));
	TRY(show_json_bool(out, "manager", k->is_manager));
	TRY(show_json_bool(out, "revoked", k->revoked));
	TRY(show_json_bool(out, "renewAccount", k->renew_account));
	TRY(show_json_time(out, "account", k->account_ms));
	TRY(show_json_time(out, "renewed", k->renewed_ms));
	TRY(show_json_time(out, "device", k->device_ms));
	TRY(show_json_time(out, "deviceDue", k->device_due_ms));
	TRY(show_json_time(out, "list", k->list_ms));
	TRY(show_json_time(out, "listDue", k->list_due_ms));
	TRY(show_json_time(out, "prekeys", k->batch_ms));
	TRY(show_json_time(out, "prekeysDue", k->batch_due_ms));
	return buf_add_str(out, "}");
}

static enum err
put_age(struct buf *out, const char *what, uint64_t since, uint64_t due)
{
	char line[160], from[SHOW_TIME_LEN] = "-", to[SHOW_TIME_LEN] = "-";

	if (since != 0)
		show_time(since, false, from);
	if (due != 0)
		show_time(due, false, to);
	snprintf(line, sizeof(line), "%s%-16s since %-16s  new %s",
	    out->n > 0 ? "\n" : "", what, from, due != 0 ? to :
	    "when you say so");
	return buf_add_str(out, line);
}

static enum err
keys_lines(struct host *h, const struct client_keys *k, struct buf *out)
{
	uint64_t now = sys_unix_ms();

	TRY(put_age(out, "Account key", k->account_ms, 0));
	TRY(put_age(out, "Device keys", k->device_ms, k->device_due_ms));
	TRY(put_age(out, "Device list", k->list_ms, k->list_due_ms));
	TRY(put_age(out, "Prekeys", k->batch_ms, k->batch_due_ms));
	TRY(buf_add_str(out, k->is_manager ? "\nThis device manages the "
	    "account: it has the account key." : "\nThis device does not "
	    "manage the account: it has not the account key."));
	if (now >= k->device_due_ms && k->device_due_ms != 0) {
		TRY(buf_add_str(out, "\nThe device keys are older than 90 "
		    "days. "));
		TRY(buf_add_str(out, k->is_manager ? "They are renewed by "
		    "themselves; at once: " : "They are renewed by "
		    "themselves, signed by a device that manages the account "
		    "when that is there; at once: "));
		TRY(buf_add_str(out, host_hint(h, "keys renew")));
	}
	if (k->renew_account) {
		TRY(buf_add_str(out, "\nA DEVICE WITH THE ACCOUNT KEY WAS "
		    "REMOVED. Whoever has it can still sign in your name: "
		    "renew the account key: "));
		TRY(buf_add_str(out, host_hint(h, "keys renew-account")));
	}
	return OK;
}

static enum exit_status
show_keys(struct host *h)
{
	struct client_keys k;
	struct buf out;

	buf_init(&out, OUT_MAX);
	enum err e = host_read(h);
	if (e == OK) {
		e = client_keys(&h->client, &h->query, &k);
		host_read_end(h);
	}
	if (e == OK)
		e = h->args->json ? keys_json(&k, &out) :
		    keys_lines(h, &k, &out);
	return finish(h, &out, e);
}

/* A device that leaves with the old key, by its name. */
static enum err
put_leaver(const struct client_device *d, struct buf *out)
{
	char line[160];
	struct buf name;
	enum err e;

	buf_init(&name, 1024);
	if (clean_line(d->name, &name) != OK)
		name.n = 0;
	snprintf(line, sizeof(line), "  - device %u%s", (unsigned)d->device,
	    name.n > 0 ? ", " : "");
	e = buf_add_str(out, line);
	if (e == OK)
		e = buf_add_span(out, buf_span(&name));
	if (e == OK && name.n > 0)
		e = buf_add_str(out, ",");
	buf_fini(&name);
	if (e == OK)
		e = buf_add_str(out, " leaves the account and has to be "
		    "linked again; what it has of the history stays on it;\n");
	return e;
}

static enum err
put_leavers(struct host *h, struct buf *out)
{
	struct client_device d[CLIENT_DEVICES_MAX];
	struct client_status s;
	size_t n = 0, i;
	enum err e;

	TRY(host_read(h));
	e = client_status(&h->client, &h->query, &s);
	if (e == OK)
		e = client_devices(&h->client, &h->query, &s.user, d, &n);
	for (i = 0; e == OK && i < n; i++)
		if (!d[i].own)
			e = put_leaver(&d[i], out);
	host_read_end(h);
	return e;
}

/* What a new account key means, before it is made. */
static enum exit_status
say_renewal(struct host *h)
{
	struct buf out;
	enum err e;

	buf_init(&out, OUT_MAX);
	e = buf_add_str(&out, "a new account key:\n"
	    "  - the old one signs it, so you can go on writing to people, and "
	    "they to you;\n"
	    "  - they are told \"key renewed, verify again\", and their "
	    "verified marks for you end;\n");
	if (e == OK)
		e = put_leavers(h, &out);
	if (e == OK)
		e = buf_add_str(&out, "  - history and settings stay on this "
		    "device, and go to others when they are linked;\n"
		    "  - make a new backup: the old one does not help any "
		    "more.");
	if (e == OK)
		host_note(h, "%.*s", (int)out.n, (const char *)out.p);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the devices of the account cannot be read (%s)",
	    err_text(e));
	return EXIT_FAILED;
}

/* What is in a backup at the server is the former key. */
static void
say_backup(struct host *h)
{
	struct client_backup b = { .exists = false };
	struct arena_mark m;
	enum err e;

	if (host_read(h) != OK)
		return;
	m = arena_mark(&h->query);
	e = client_backup(&h->client, &h->query, &b);
	arena_wipe(&h->query, m);
	host_read_end(h);
	if (e == OK && b.exists)
		host_note(h, "the backup at the server still holds the "
		    "former key; renew it: %s", host_hint(h,
		    "backup refresh"));
}

static enum exit_status
renew_account(struct host *h)
{
	struct client_input in = { .type = CLIENT_RENEW_ACCOUNT };
	enum exit_status st = say_renewal(h);

	if (st != EXIT_OK)
		return st;
	if (!h->args->yes &&
	    !tty_ask_yes("Renew the account key? [yes/no] ")) {
		host_error(h, "nothing was changed (--yes answers the "
		    "question in scripts)");
		return EXIT_FAILED;
	}
	st = host_command(h, &in);
	if (st == EXIT_OK)
		say_backup(h);
	return st;
}

/* Offered to the managers, or done. */
static bool
is_sent(struct host *h, const void *ctx)
{
	struct client_status s = { .outbox_n = 1 };

	(void)ctx;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_status(&h->client, &h->query, &s);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e == OK && s.outbox_n == 0;
}

enum exit_status
cmd_keys(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_RENEW };
	const char *what = a->operand_n > 0 ? a->operand[0] : "show";
	enum exit_status st;

	if (strcmp(what, "show") == 0) {
		st = host_open_reader(h, a, NULL);
		return st == EXIT_OK ? show_keys(h) : st;
	}
	st = begin(h, a);
	if (st != EXIT_OK)
		return st;
	if (strcmp(what, "renew") == 0) {
		st = host_command(h, &in);
		if (st == EXIT_OK)
			st = host_wait(h, is_sent, NULL, host_timeout(h));
	} else if (strcmp(what, "renew-account") == 0) {
		st = renew_account(h);
	} else {
		host_error(h, "keys what? renew or renew-account");
		return EXIT_USAGE;
	}
	/* The prekeys of the new keys have to be there before we go. */
	if (st == EXIT_OK)
		st = host_settle(h);
	return st == EXIT_OK ? show_keys(h) : st;
}

/* ---- device ---- */

static enum exit_status
take_off(struct host *h, struct client_input *in)
{
	struct client_keys k = { .is_manager = false };

	in->type = CLIENT_DEVICE_REVOKE;
	if (!h->args->yes && !tty_ask_yes("Its sessions end, and it can read "
	    "nothing that comes. Take it off the account? [yes/no] ")) {
		host_error(h, "nothing was changed (--yes answers the "
		    "question in scripts)");
		return EXIT_FAILED;
	}
	enum exit_status st = host_command(h, in);
	if (st != EXIT_OK)
		return st;
	host_note(h, "device %lu is off the account",
	    (unsigned long)in->u.device.device);
	if (host_read(h) == OK) {
		if (client_keys(&h->client, &h->query, &k) != OK)
			k.renew_account = false;
		host_read_end(h);
	}
	if (k.renew_account)
		host_error(h, "that device has the account key: whoever holds "
		    "it can still sign in your name. Renew the account key "
		    "now: %s", host_hint(h, "keys renew-account"));
	return EXIT_OK;
}

/* Is there a device of that number? Said before anything is asked. */
static bool
is_mine(struct host *h, uint32_t device)
{
	struct client_device d[CLIENT_DEVICES_MAX];
	struct client_status s;
	bool found = false;
	size_t n = 0;

	if (host_read(h) != OK)
		return false;
	if (client_status(&h->client, &h->query, &s) != OK ||
	    client_devices(&h->client, &h->query, &s.user, d, &n) != OK)
		n = 0;
	for (size_t i = 0; i < n; i++)
		found = found || d[i].device == device;
	host_read_end(h);
	return found;
}

enum exit_status
cmd_device(struct host *h, const struct args *a)
{
	struct client_input in = { .type = CLIENT_DEVICE_RENAME };
	unsigned long id;
	enum exit_status st = begin(h, a);

	if (st != EXIT_OK)
		return st;
	if (!args_number(a->operand[1], 1, UINT32_MAX, &id)) {
		host_error(h, "a device is named by its number; see: %s",
		    host_hint(h, "devices"));
		return EXIT_USAGE;
	}
	in.u.device.device = (uint32_t)id;
	if (!is_mine(h, in.u.device.device)) {
		host_error(h, "the account has no device %lu; see: %s", id,
		    host_hint(h, "devices"));
		return EXIT_REFUSED;
	}
	if (strcmp(a->operand[0], "revoke") == 0 && a->operand_n == 2)
		return take_off(h, &in);
	if (strcmp(a->operand[0], "rename") != 0 || a->operand_n != 3) {
		host_error(h, "device what? rename NUMBER NAME, or revoke "
		    "NUMBER");
		return EXIT_USAGE;
	}
	in.u.device.name = span_str(a->operand[2]);
	return host_command(h, &in);
}
