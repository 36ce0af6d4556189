/*
 * main_audit.c: the operator's commands on the audit log, while no server runs
 * (or on a copy of the data directory).
 */
#include "server/main_audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/sys.h"
#include "base/text.h"
#include "server/audit_check.h"
#include "server/main_task.h"
#include "wire/json.h"

#define EXIT_USAGE 2
#define AUDIT_PAGE 500
#define AUDIT_ARENA ((size_t)4 << 20)	/* of one page */
#define AUDIT_LINE 2048

struct audit_task {
	struct main_task task;		/* first */
	struct audit_key key;
	struct audit_check check;
	uint64_t seen;
	uint8_t seen_hash[AUDIT_HASH_LEN];
	bool export;
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

/* ---- export ---- */

static void
put_text(struct wr *w, const char *name, struct span s)
{
	wr_u8(w, ',');
	json_put_name(w, name);
	if (s.p == NULL)
		wr_str(w, "null");
	else
		json_put_str(w, s);
}

static void
put_hex(struct wr *w, const char *name, struct span s)
{
	char hex[2 * AUDIT_HASH_LEN + 1];

	if (s.p != NULL && s.n <= AUDIT_HASH_LEN) {
		hex_encode(s, hex);
		put_text(w, name, span_of(hex, 2 * s.n));
	} else {
		put_text(w, name, (struct span){ NULL, 0 });
	}
}

static void
put_id(struct wr *w, const char *name, const uint8_t id[static ID_LEN])
{
	wr_u8(w, ',');
	json_put_name(w, name);
	if (id_is_zero(id))
		wr_str(w, "null");
	else
		json_put_id(w, id);
}

static enum err
export_entry(const struct q_audit_walk_out *row)
{
	uint8_t text[AUDIT_LINE];
	struct wr w = wr_init(text, sizeof(text));

	wr_u8(&w, '{');
	json_put_name(&w, "sequence");
	json_put_u64(&w, row->sequence);
	put_text(&w, "event", row->event);
	wr_u8(&w, ',');
	json_put_name(&w, "timestamp");
	json_put_time(&w, row->created_at);
	wr_u8(&w, ',');
	json_put_name(&w, "unixMs");
	json_put_u64(&w, row->created_at);
	put_id(&w, "userId", row->user.b);
	wr_u8(&w, ',');
	json_put_name(&w, "deviceId");
	if (row->device != 0)
		json_put_u64(&w, row->device);
	else
		wr_str(&w, "null");
	put_id(&w, "sessionId", row->session.b);
	put_text(&w, "detail", row->detail);
	put_text(&w, "ip", row->address);
	put_hex(&w, "salt", row->salt);
	put_hex(&w, "privateHash", row->private_hash);
	put_hex(&w, "previousHash", row->previous_hash);
	put_hex(&w, "hash", row->hash);
	wr_str(&w, "}\n");
	if (!wr_ok(&w))
		return ERR_SPACE;
	return fwrite(text, 1, w.n, stdout) == w.n ? OK : ERR_IO;
}

/* ---- walking ---- */

static enum err
walk(struct audit_task *a, struct txn *t)
{
	struct arena_mark mark = arena_mark(&a->task.arena);
	struct q_audit_walk_in in = { .after = 0, .limit = AUDIT_PAGE };
	struct q_audit_walk_out row;
	struct cursor cu = { 0 };
	size_t n;
	enum err e;

	do {
		n = 0;
		TRY(q_audit_walk_open(t, &in, &cu));
		while ((e = q_audit_walk_next(&cu, &row)) == OK) {
			n++;
			in.after = row.sequence;
			e = a->export ? export_entry(&row) :
			    audit_check_entry(&a->check, &row);
			if (e != OK)
				break;
		}
		query_close(&cu);
		if (e != ERR_NOT_FOUND)
			return e;
		arena_reset(&a->task.arena, mark);
	} while (n == AUDIT_PAGE);
	return OK;
}

static enum err
step(struct store_job *j, struct txn *t)
{
	struct audit_task *a = (struct audit_task *)(void *)j;
	struct audit_head head;
	enum err e = audit_head_get(t, &a->key, &head);

	if (e != OK && e != ERR_AUTH)
		return e;
	audit_check_begin(&a->check, &head, e == OK, a->seen, a->seen_hash);
	return walk(a, t);
}

/* ---- verify ---- */

static void
say_json(const struct audit_task *a, bool ok, const char *head)
{
	const struct audit_check *k = &a->check;

	printf("{\"ok\":%s,\"entries\":%llu,\"first\":%llu,\"last\":%llu,"
	    "\"erased\":%llu,\"head\":\"%s\",\"problems\":[",
	    ok ? "true" : "false", (unsigned long long)k->entries,
	    (unsigned long long)k->head.first_sequence,
	    (unsigned long long)k->head.last_sequence,
	    (unsigned long long)k->redacted, head);
	for (size_t i = 0; i < k->problems_n; i++)
		printf("%s{\"sequence\":%llu,\"what\":\"%s\"}", i > 0 ? "," : "",
		    (unsigned long long)k->problems[i].sequence,
		    k->problems[i].what);
	printf("],\"problemsAll\":%llu}\n",
	    (unsigned long long)k->problems_all);
}

static void
say_words(const struct audit_task *a, bool ok, const char *head)
{
	const struct audit_check *k = &a->check;

	printf("%llu entries, %llu of them of erased accounts.\n",
	    (unsigned long long)k->entries, (unsigned long long)k->redacted);
	for (size_t i = 0; i < k->problems_n; i++) {
		if (k->problems[i].sequence != 0)
			printf("Entry %llu: %s.\n", (unsigned long long)
			    k->problems[i].sequence, k->problems[i].what);
		else
			printf("%c%s.\n", k->problems[i].what[0] - 'a' + 'A',
			    k->problems[i].what + 1);
	}
	if (k->problems_all > k->problems_n)
		printf("And %llu more.\n", (unsigned long long)
		    (k->problems_all - k->problems_n));
	printf(ok ? "The chain is whole.\n" :
	    "THE AUDIT LOG HAS BEEN TAMPERED WITH.\n");
	printf("Its head, to be kept elsewhere (--head takes it):\n  %s\n",
	    head);
}

/* What the running server wrote down last (audit.head), when it did. */
static bool
read_head_file(const struct data *d, struct audit_task *a)
{
	char path[DATA_FILE_MAX];
	struct span s;
	struct buf b;
	bool ok = true;

	snprintf(path, sizeof(path), "%s/audit.head", d->path);
	buf_init(&b, 256);
	if (sys_file_read(path, &b) == OK) {
		s = buf_span(&b);
		while (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		ok = audit_head_decode(s, &a->seen, a->seen_hash);
	}
	buf_fini(&b);
	return ok;
}

static int
run(const struct conf *conf, const struct data *d, struct audit_task *a,
    bool json)
{
	struct store_error why = { .text = "" };
	char head[AUDIT_HEAD_TEXT];
	enum err e = main_task_run(conf, d, &a->task, step, NULL, &why);
	bool ok;

	if (e != OK)
		return fail(why.text[0] != '\0' ? why.text : err_text(e));
	if (a->export)
		return fflush(stdout) == 0 ? 0 : fail(err_text(ERR_IO));
	ok = audit_check_end(&a->check);
	audit_head_encode(&a->check.head, head);
	if (json)
		say_json(a, ok, head);
	else
		say_words(a, ok, head);
	return ok ? 0 : 1;
}

int
main_audit(const struct conf *conf, const struct data *d,
    const char *const *words, size_t n, bool json)
{
	struct audit_task *a;
	int status = EXIT_USAGE;
	bool verify = n >= 1 && strcmp(words[0], "verify") == 0;
	bool export = n == 1 && strcmp(words[0], "export") == 0;

	if ((!verify && !export) || n > 2) {
		(void)fail("audit takes: verify [SEQUENCE:HASH], or export");
		return EXIT_USAGE;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return fail(err_text(ERR_NOMEM));
	arena_init_growing(&a->task.arena, NULL, 0, AUDIT_ARENA, grow);
	a->export = export;
	if (audit_key_init(&a->key, d->account_key) != OK)
		status = fail(err_text(ERR_PROVIDER));
	else if (verify && n == 2 && !audit_head_decode(span_str(words[1]),
	    &a->seen, a->seen_hash))
		(void)fail("a head is SEQUENCE:HASH, as verify prints it");
	else if (verify && n == 1 && !read_head_file(d, a))
		status = fail("audit.head in the data directory is malformed");
	else
		status = run(conf, d, a, json);
	arena_fini(&a->task.arena);
	wipe(&a->key, sizeof(a->key));
	free(a);
	return status;
}
