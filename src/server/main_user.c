/*
 * main_user.c: the operator's commands on accounts. The data directory's lock
 * keeps a server away meanwhile. All that one command writes is one
 * transaction.
 * exports main_user
 */
#include "server/main_user.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/sys.h"
#include "server/audit.h"
#include "server/import.h"
#include "server/main_task.h"
#include "server/ops/invites.h"
#include "store/txn.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define EXIT_USAGE 2
#define ARENA_MAX ((size_t)2 << 30)

/* One write, waited for. */
struct task {
	struct main_task task;		/* first */
	struct import im;
	struct span key, role;
	struct audit_key audit;
	char code[INVITE_CODE_LEN + 1];
	uint32_t uses;
	uint64_t expires_ms;
};

static void *
grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	free(p);
	return NULL;
}

static int
fail(const char *text)
{
	fprintf(stderr, "nightjard: %s\n", text);
	return 1;
}

/* ---- user import ---- */

static enum err
insert_row(struct txn *tx, struct import *im, const struct import_row *row,
    uint64_t now_ms)
{
	struct q_user_import_in in = { .username = row->username,
	    .key = row->key, .email = row->email, .password_hash = row->hash,
	    .now = now_ms };
	struct q_user_by_name_out by_name;
	struct q_user_by_email_out by_email;
	uint8_t rnd[10];
	enum err e;

	e = q_user_by_name(tx, &(struct q_user_by_name_in){ row->key },
	    &by_name);
	if (e == OK)
		import_fault(im, row->line, "username", "is taken");
	else if (e != ERR_NOT_FOUND)
		return e;
	e = q_user_by_email(tx, &(struct q_user_by_email_in){ row->email },
	    &by_email);
	if (e == OK)
		import_fault(im, row->line, "email", "is taken");
	else if (e != ERR_NOT_FOUND)
		return e;
	if (im->faults_n > 0)
		return OK;
	sys_random(rnd, sizeof(rnd));
	id_v7(in.user.b, now_ms, rnd);
	return q_user_import(tx, &in, NULL);
}

static enum err
import_step(struct store_job *j, struct txn *tx)
{
	struct task *t = (struct task *)(void *)j;
	uint64_t now_ms = sys_unix_ms();

	t->im.faults_n = 0;
	for (size_t i = 0; i < t->im.rows_n; i++)
		TRY(insert_row(tx, &t->im, &t->im.rows[i], now_ms));
	return t->im.faults_n > 0 ? ERR_CONFLICT : OK;
}

/* A name out of a file from elsewhere: nothing in it moves the terminal. */
static void
say_name(const char *name)
{
	for (; *name != '\0'; name++)
		fprintf(stderr, *name > ' ' && *name <= '~' ? "%c" : "\\x%02x",
		    (unsigned)(uint8_t)*name);
}

static void
say_faults(const char *file, const struct import *im)
{
	for (size_t i = 0; i < im->faults_n; i++) {
		const struct import_fault *f = &im->faults[i];

		fprintf(stderr, "nightjard: %s", file);
		if (f->line > 0)
			fprintf(stderr, ", line %zu", f->line);
		fprintf(stderr, ":%s", f->field[0] != '\0' ? " " : "");
		say_name(f->field);
		fprintf(stderr, " %s\n", f->message);
	}
	fprintf(stderr, "nightjard: nothing was imported\n");
}

static void
say_faults_json(const struct import *im)
{
	uint8_t text[512];

	printf("{\"imported\":0,\"errors\":[");
	for (size_t i = 0; i < im->faults_n; i++) {
		const struct import_fault *f = &im->faults[i];
		struct wr w = wr_init(text, sizeof(text));

		wr_str(&w, i > 0 ? ",{" : "{");
		json_put_name(&w, "line");
		json_put_u64(&w, f->line);
		wr_u8(&w, ',');
		json_put_name(&w, "field");
		json_put_str(&w, span_str(f->field));
		wr_u8(&w, ',');
		json_put_name(&w, "message");
		json_put_str(&w, span_str(f->message));
		wr_u8(&w, '}');
		if (wr_ok(&w))
			printf("%.*s", (int)w.n, (const char *)text);
	}
	printf("]}\n");
}

static int
import_end(const char *file, const struct task *t, enum err e,
    const struct store_error *why, bool json)
{
	if (e == OK && json)
		printf("{\"imported\":%zu,\"errors\":[]}\n", t->im.rows_n);
	else if (e == OK)
		printf("%zu accounts were imported.\n", t->im.rows_n);
	if (e == OK)
		return 0;
	if (t->im.faults_n == 0)
		return fail(why->text[0] != '\0' ? why->text : err_text(e));
	if (json)
		say_faults_json(&t->im);
	else
		say_faults(file, &t->im);
	return 1;
}

static int
import_file(const struct conf *conf, const struct data *d, const char *file,
    bool json)
{
	struct task *t = calloc(1, sizeof(*t));
	struct store_error why = { .text = "" };
	struct buf text;
	enum err e;
	int status;

	if (t == NULL)
		return fail(err_text(ERR_NOMEM));
	arena_init_growing(&t->task.arena, NULL, 0, ARENA_MAX, grow);
	buf_init(&text, IMPORT_FILE_MAX);
	e = sys_file_read(file, &text);
	if (e != OK)
		snprintf(why.text, sizeof(why.text), "%s can not be read",
		    file);
	if (e == OK)
		e = import_read(buf_span(&text), &t->task.arena, &t->im);
	if (e == OK)
		e = main_task_run(conf, d, &t->task, NULL, import_step, &why);
	status = import_end(file, t, e, &why, json);
	arena_fini(&t->task.arena);
	if (text.p != NULL)
		wipe(text.p, text.n);
	buf_fini(&text);
	free(t);
	return status;
}

/* ---- user role ---- */

static enum err
role_step(struct store_job *j, struct txn *tx)
{
	const struct task *t = (const struct task *)(const void *)j;
	struct q_user_role_set_out row;

	TRY(q_user_role_set(tx, &(struct q_user_role_set_in){ t->key,
	    t->role }, &row));
	return audit_append(tx, &t->audit, AUDIT_ROLE_CHANGED,
	    &(struct audit_entry){ .user = row.user, .detail = t->role },
	    sys_unix_ms());
}

static int
set_role(const struct conf *conf, const struct data *d, const char *name,
    const char *role, bool json)
{
	struct store_error why = { .text = "" };
	uint8_t mem[1024], key[64];
	struct task t = { .role = span_str(role) };
	size_t n = strlen(name);
	uint32_t value;
	enum err e;

	if (!shape_value(&shape_names_user_role, t.role, &value))
		return fail("the role is none of user, auditor, operator and "
		    "admin");
	if (n > sizeof(key))
		n = 0;		/* no name is as long: nobody has it */
	for (size_t i = 0; i < n; i++)
		key[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (uint8_t)(name[i] - 'A' + 'a') : (uint8_t)name[i];
	t.key = span_of(key, n);
	if (audit_key_init(&t.audit, d->account_key) != OK)
		return fail(err_text(ERR_PROVIDER));
	arena_init(&t.task.arena, mem, sizeof(mem));
	e = main_task_run(conf, d, &t.task, NULL, role_step, &why);
	if (e == ERR_NOT_FOUND)
		return fail("there is no account of that name");
	if (e != OK)
		return fail(why.text[0] != '\0' ? why.text : err_text(e));
	if (json)
		printf("{\"username\":\"%.*s\",\"role\":\"%s\"}\n", (int)n,
		    (const char *)key, role);
	else
		printf("The role of %s is %s now.\n", name, role);
	return 0;
}

/* ---- user invite ---- */

#define INVITE_MS ((uint64_t)7 * 86400000)

static enum err
invite_step(struct store_job *j, struct txn *tx)
{
	struct task *t = (struct task *)(void *)j;
	uint64_t now_ms = sys_unix_ms();
	struct any_id id;
	uint8_t rnd[10], hash[32];

	sys_random(rnd, sizeof(rnd));
	id_v7(id.b, now_ms, rnd);
	TRY(invites_code_make(t->code, hash));
	t->expires_ms = now_ms + INVITE_MS;
	TRY(q_invite_insert(tx, &(struct q_invite_insert_in){ .id = id,
	    .code_hash = SPAN_OF(hash), .uses_max = t->uses, .now = now_ms,
	    .expires_at = t->expires_ms }, NULL));
	return audit_append(tx, &t->audit, AUDIT_INVITE_MADE,
	    &(struct audit_entry){ .detail = SPAN("by the operator") },
	    now_ms);
}

static int
invite(const struct conf *conf, const struct data *d, const char *uses,
    bool json)
{
	struct store_error why = { .text = "" };
	uint8_t mem[1024];
	struct task t = { .uses = 1 };
	uint64_t n = 1;
	enum err e;

	if (uses != NULL && (!span_u64(span_str(uses), 1000, &n) || n == 0))
		return fail("an invitation is for 1 to 1000 accounts");
	t.uses = (uint32_t)n;
	if (audit_key_init(&t.audit, d->account_key) != OK)
		return fail(err_text(ERR_PROVIDER));
	arena_init(&t.task.arena, mem, sizeof(mem));
	e = main_task_run(conf, d, &t.task, NULL, invite_step, &why);
	if (e != OK)
		return fail(why.text[0] != '\0' ? why.text : err_text(e));
	if (json)
		printf("{\"code\":\"%s\",\"uses\":%u}\n", t.code, t.uses);
	else
		printf("%s\nis good for %u account%s within 7 days.\n", t.code,
		    t.uses, t.uses == 1 ? "" : "s");
	return 0;
}

int
main_user(const struct conf *conf, const struct data *d,
    const char *const *words, size_t n, bool json)
{
	if (n == 2 && strcmp(words[0], "import") == 0)
		return import_file(conf, d, words[1], json);
	if (n == 3 && strcmp(words[0], "role") == 0)
		return set_role(conf, d, words[1], words[2], json);
	if (n >= 1 && n <= 2 && strcmp(words[0], "invite") == 0)
		return invite(conf, d, n == 2 ? words[1] : NULL, json);
	(void)fail("user takes: import FILE, invite [USES], or role NAME ROLE");
	return EXIT_USAGE;
}
