/*
 * cmd_backup.c: exports cmd_backup, cmd_restore: the encrypted backup, at the
 * server or in a file.
 */
#include "cli/backup_file.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/signin.h"
#include "cli/track.h"
#include "cli/tty.h"
#include "cli/unlock.h"

struct backup_run {
	struct backup_file file;
	bool has_file;
	bool failed;			/* parts cannot be read any more */
	struct client_backup last;	/* what was said of it */
	uint32_t wanted;		/* part + 1; 0: none */
};

static void
on_show(struct host *h, const struct client_show *s)
{
	struct backup_run *r = h->ops->ctx;

	track_show(h, s);
	if (s->type == SHOW_BACKUP) {
		/* The first says what it is, the last what was counted. */
		struct client_backup was = r->last;
		r->last = s->u.backup;
		if (was.exists && r->last.made_ms == 0) {
			was.messages = r->last.messages;
			was.people = r->last.people;
			was.records = r->last.records;
			was.size = r->last.size;
			r->last = was;
		}
	} else if (s->type == SHOW_PART) {
		r->wanted = s->u.part.number + 1;
	}
}

/* Parts of a file, one after each step that wants one. */
static void
on_idle(struct host *h)
{
	struct backup_run *r = h->ops->ctx;
	struct client_input in = { .type = CLIENT_BACKUP_PART };
	uint8_t *mem;
	size_t n = 0;

	if (r->wanted == 0)
		return;
	in.u.part.number = r->wanted - 1;
	r->wanted = 0;
	mem = malloc(CLIENT_BACKUP_PART_MAX);
	if (mem != NULL && r->has_file && backup_file_part(&r->file,
	    in.u.part.number, mem, &n))
		in.u.part.data = span_of(mem, n);
	host_input(h, &in);
	free(mem);
}

/* A command that may take as long as it needs while it goes on. */
static bool
is_answered(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->reply.done;
}

/* What the client said no to. */
static enum exit_status
explain(struct host *h)
{
	if (h->reply.err == OK)
		return EXIT_OK;
	host_error(h, "%s", h->reply.message[0] != '\0' ? h->reply.message :
	    err_text(h->reply.err));
	return h->reply.err == ERR_UNTRUSTED || h->reply.err == ERR_AUTH ||
	    h->reply.err == ERR_IDENTITY_CHANGED || h->reply.err ==
	    ERR_STALE ? EXIT_UNTRUSTED : err_status(h->reply.err) == 0 ?
	    EXIT_FAILED : EXIT_REFUSED;
}

static enum exit_status
long_command(struct host *h, struct client_input *in)
{
	h->reply = (struct host_reply){ .cmd = host_number(h) };
	in->cmd = h->reply.cmd;
	host_input(h, in);
	enum exit_status st = host_wait(h, is_answered, NULL, 0);
	track_end(h);
	return st == EXIT_OK ? explain(h) : st;
}

/* ---- what is said of it ---- */

static enum err
put_json(const struct client_backup *b, const char *event, struct buf *out)
{
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "type", SPAN("backup")));
	TRY(show_json_str(out, "event", span_str(event)));
	TRY(show_json_bool(out, "exists", b->exists));
	TRY(show_json_bool(out, "recoveryKey", b->has_recovery_key));
	TRY(show_json_bool(out, "passphrase", b->has_passphrase));
	TRY(show_json_u64(out, "number", b->number));
	TRY(show_json_time(out, "made", b->made_ms));
	TRY(show_json_id(out, "userId", b->user.b));
	TRY(show_json_u64(out, "listVersion", b->list_version));
	TRY(show_json_u64(out, "newestListVersion", b->newest_version));
	TRY(show_json_u64(out, "messages", b->messages));
	TRY(show_json_u64(out, "people", b->people));
	TRY(show_json_u64(out, "records", b->records));
	TRY(show_json_u64(out, "size", b->size));
	TRY(show_json_bool(out, "automatic", b->is_auto));
	TRY(show_json_time(out, "due", b->due_ms));
	return buf_add_str(out, "}");
}

static enum err
put_lines(const struct client_backup *b, const char *title, struct buf *out)
{
	char line[240], time[SHOW_TIME_LEN] = "-";

	if (b->made_ms != 0)
		show_time(b->made_ms, false, time);
	TRY(buf_add_str(out, title));
	snprintf(line, sizeof(line), "\nMade          %s\nNumber        %llu\n"
	    "Device list   version %llu", time, (unsigned long long)b->number,
	    (unsigned long long)b->list_version);
	TRY(buf_add_str(out, line));
	if (b->newest_version > b->list_version)
		TRY(buf_add_str(out, " (a newer one is signed: it holds)"));
	if (b->messages != 0 || b->size != 0) {
		snprintf(line, sizeof(line), "\nMessages      %llu\nSize"
		    "          %llu KiB", (unsigned long long)b->messages,
		    (unsigned long long)(b->size + 1023) >> 10);
		TRY(buf_add_str(out, line));
	}
	return buf_add_str(out, b->has_recovery_key && b->has_passphrase ?
	    "\nOpened by     recovery key or passphrase" :
	    b->has_recovery_key ? "\nOpened by     recovery key" :
	    b->has_passphrase ? "\nOpened by     passphrase" : "");
}

static enum exit_status
tell(struct host *h, const struct client_backup *b, const char *event,
    const char *title)
{
	struct buf out;

	if (h->args->quiet && !h->args->json)
		return EXIT_OK;
	buf_init(&out, 4096);
	enum err e = h->args->json ? put_json(b, event, &out) :
	    put_lines(b, title, &out);
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	return e == OK ? EXIT_OK : EXIT_FAILED;
}

/* ---- backup ---- */

static enum exit_status
ask_secrets(struct host *h, struct unlock *u, struct client_input *in)
{
	const struct args *a = h->args;
	enum exit_status st;

	if (a->passphrase && a->recovery_key) {
		host_error(h, "a backup is made with one of --recovery-key "
		    "and --passphrase");
		return EXIT_USAGE;
	}
	st = a->passphrase ? unlock_new_phrase(h, u) : unlock_new_key(h, u);
	if (u->kind == UNLOCK_PASSPHRASE)
		in->u.backup.passphrase = span_of(u->text, u->n);
	else
		in->u.backup.recovery_key = span_of(u->text, u->n);
	in->u.backup.manual = a->manual;
	return st;
}

static enum exit_status
create(struct host *h, struct backup_run *r)
{
	struct client_input in = { .type = CLIENT_BACKUP_CREATE };
	struct unlock u;
	enum exit_status st = ask_secrets(h, &u, &in);

	if (st == EXIT_OK && h->args->file != NULL)
		st = backup_file_write(h, h->args->file, &in, &r->last);
	else if (st == EXIT_OK)
		st = long_command(h, &in);
	unlock_wipe(&u);
	return st == EXIT_OK ? tell(h, &r->last, "created",
	    "The backup is made.") : st;
}

static enum exit_status
open_file(struct host *h, struct backup_run *r, uint8_t *head,
    struct client_input *in)
{
	size_t n = 0;

	if (h->args->file == NULL)
		return EXIT_OK;
	enum exit_status st = backup_file_open(h, h->args->file, &r->file,
	    head, &n);
	r->has_file = st == EXIT_OK;
	in->u.unlock.file = span_of(head, n);
	return st;
}

static enum exit_status
unlock(struct host *h, struct backup_run *r, enum client_input_type type)
{
	struct client_input in = { .type = type };
	uint8_t head[CLIENT_BACKUP_HEAD_MAX];
	struct unlock u = { .n = 0 };
	enum exit_status st = open_file(h, r, head, &in);

	if (st == EXIT_OK)
		st = unlock_ask(h, &u);
	in.u.unlock.kind = u.kind;
	in.u.unlock.text = span_of(u.text, u.n);
	if (st == EXIT_OK)
		st = long_command(h, &in);
	unlock_wipe(&u);
	return st;
}

static enum exit_status
show_state(struct host *h)
{
	struct client_backup b;
	enum err e = host_read(h);

	if (e == OK) {
		e = client_backup(&h->client, &h->query, &b);
		host_read_end(h);
	}
	if (e != OK && e != ERR_NOT_FOUND) {
		host_error(h, "%s", err_text(e));
		return EXIT_FAILED;
	}
	if (e == ERR_NOT_FOUND || !b.exists) {
		if (h->args->json)
			return tell(h, &b, "state", "");
		host_error(h, "this device keeps no backup; make one: %s",
		    host_hint(h, "backup create"));
		return EXIT_FAILED;
	}
	return tell(h, &b, "state", "The backup of this account.");
}

static enum exit_status
drop(struct host *h)
{
	struct client_input in = { .type = CLIENT_BACKUP_DELETE };

	if (!h->args->yes && !tty_ask_yes("Delete the backup at the server? "
	    "[yes/no] ")) {
		host_error(h, "nothing was deleted (--yes answers the "
		    "question in scripts)");
		return EXIT_FAILED;
	}
	enum exit_status st = long_command(h, &in);
	if (st == EXIT_OK)
		host_note(h, "the backup is deleted");
	return st;
}

enum exit_status
cmd_backup(struct host *h, const struct args *a)
{
	static struct backup_run run;
	static const struct host_ops ops = { .on_show = on_show,
	    .on_idle = on_idle, .ctx = &run };
	struct client_input in = { .type = CLIENT_BACKUP_REFRESH };
	const char *what = a->operand[0];
	enum exit_status st = host_open(h, a, false);

	if (st == EXIT_OK)
		st = host_net(h);
	h->catch_up = strcmp(what, "create") == 0 ||
	    strcmp(what, "refresh") == 0;
	if (st == EXIT_OK)
		st = host_start(h, &ops, false);
	if (st == EXIT_OK && h->catch_up)
		st = host_catch_up(h);
	if (st != EXIT_OK)
		return st;
	if (strcmp(what, "create") == 0) {
		st = create(h, &run);
	} else if (strcmp(what, "refresh") == 0) {
		st = long_command(h, &in);
		st = st == EXIT_OK ? tell(h, &run.last, "refreshed",
		    "The backup is renewed.") : st;
	} else if (strcmp(what, "verify") == 0) {
		st = unlock(h, &run, CLIENT_BACKUP_CHECK);
		st = st == EXIT_OK ? tell(h, &run.last, "verified",
		    "The backup opens, and all of it is there.") : st;
	} else if (strcmp(what, "delete") == 0) {
		st = drop(h);
	} else if (strcmp(what, "status") == 0) {
		st = show_state(h);
	} else {
		host_error(h, "backup what? create, refresh, verify, delete "
		    "or status");
		st = EXIT_USAGE;
	}
	backup_file_close(&run.file);
	return st;
}

/* ---- restore ---- */

static bool
is_restored(struct host *h, const void *ctx)
{
	struct client_status s = { .restoring = true };

	(void)ctx;
	if (h->reply.done && h->reply.err != OK)
		return true;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_status(&h->client, &h->query, &s);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e == OK && !s.restoring && !s.history_in && s.ready;
}

static enum exit_status
finish(struct host *h, struct backup_run *r)
{
	enum exit_status st = host_wait(h, is_restored, NULL, 0);

	track_end(h);
	if (st == EXIT_OK && h->reply.done)
		st = explain(h);
	return st == EXIT_OK ? tell(h, &r->last, "restored",
	    "Restored. This machine is a new device of the account.") : st;
}

static enum exit_status
confirm(struct host *h, struct backup_run *r)
{
	struct client_input in = { .type = CLIENT_RESTORE_CONFIRM };
	enum exit_status st = tell(h, &r->last, "opened",
	    "This backup can be restored:");

	if (st != EXIT_OK)
		return st;
	in.u.on = h->args->yes || tty_ask_yes("Restore it on this machine, as "
	    "a new device of the account? [yes/no] ");
	if (!in.u.on) {
		(void)host_command(h, &in);
		host_error(h, "nothing was changed");
		return EXIT_FAILED;
	}
	h->keys_missing = false;
	h->reply = (struct host_reply){ .cmd = host_number(h) };
	in.cmd = h->reply.cmd;
	host_input(h, &in);
	return finish(h, r);
}

/* A restore that was interrupted goes on; else the backup is opened. */
static enum exit_status
restore(struct host *h, struct backup_run *r)
{
	struct client_status s = { .restoring = false };
	struct client_input none = { .type = CLIENT_BACKUP_CHECK };
	uint8_t head[CLIENT_BACKUP_HEAD_MAX];
	enum exit_status st;
	enum err e = host_read(h);

	if (e == OK) {
		e = client_status(&h->client, &h->query, &s);
		host_read_end(h);
	}
	if (e == OK && (s.history_in || (s.restoring && !s.keys_missing))) {
		host_note(h, "going on with the restore that was begun");
		st = open_file(h, r, head, &none);
		return st == EXIT_OK ? finish(h, r) : st;
	}
	if (!h->keys_missing) {
		host_error(h, "the keys of this account are on this machine: "
		    "there is nothing to restore");
		return EXIT_FAILED;
	}
	st = unlock(h, r, CLIENT_RESTORE);
	return st == EXIT_OK ? confirm(h, r) : st;
}

enum exit_status
cmd_restore(struct host *h, const struct args *a)
{
	static struct backup_run run;
	static const struct host_ops ops = { .on_show = on_show,
	    .on_idle = on_idle, .ctx = &run };
	struct client_status was = { .signed_in = false };
	struct signin s = { 0 };
	enum exit_status st = host_open(h, a, true);

	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_trust(h);
	if (st == EXIT_OK)
		st = host_start(h, &ops, false);
	if (st == EXIT_OK && host_read(h) == OK) {
		if (client_status(&h->client, &h->query, &was) != OK)
			was.signed_in = false;
		host_read_end(h);
	}
	if (st == EXIT_OK && !was.signed_in) {
		st = signin_ask(h, false, &s);
		if (st == EXIT_OK)
			st = signin_enter(h, false, &s);
		signin_wipe(&s);
	}
	if (st == EXIT_OK)
		st = restore(h, &run);
	backup_file_close(&run.file);
	return st;
}
