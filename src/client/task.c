/*
 * task.c: see task.h.
 */
#include "client/task.h"

#define TASK_VERSION 1

static enum err
task_key(struct step *s, uint64_t *number, bool *full)
{
	struct span none = { NULL, 0 }, key, value;
	uint64_t first = 0;
	struct rd r;
	enum err err = rec_seek(&s->r, REC_TASK, none, none, true, &key,
	    &value);

	*number = 1;
	*full = false;
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(key);
	*number = rd_u64(&r) + 1;
	TRY(rec_seek(&s->r, REC_TASK, none, none, false, &key, &value));
	r = rd_init(key);
	first = rd_u64(&r);
	*full = *number - first >= TASKS_MAX;
	return OK;
}

enum err
task_put(struct step *s, enum task_method method, struct span path,
    struct span body, uint64_t cmd)
{
	struct rec_key k = rec_key();
	uint64_t number;
	struct wr w;
	bool full;

	TRY(task_key(s, &number, &full));
	if (full)
		return step_show_error(s, cmd, ERR_BUSY,
		    (struct span){ NULL, 0 });
	rec_key_u64(&k, number);
	TRY(step_wr(s, 32 + path.n + body.n, &w));
	wr_u8(&w, TASK_VERSION);
	wr_u8(&w, (uint8_t)method);
	wr_u64(&w, cmd);
	wr_vec16(&w, path);
	wr_vec32(&w, body);
	if (!wr_ok(&w))
		return ERR_SPACE;
	s->c->dirty = true;
	return rec_put(&s->r, REC_TASK, rec_key_span(&k), wr_done(&w));
}

static enum err
task_decode(struct span value, struct call_new *n)
{
	static const char *const names[] = { NULL, "POST", "PUT", "PATCH",
	    "DELETE" };
	struct rd r = rd_init(value);
	uint8_t version = rd_u8(&r), method = rd_u8(&r);

	n->cmd = rd_u64(&r);
	n->path = rd_vec16(&r);
	n->body = rd_vec32(&r);
	if (version != TASK_VERSION || method < TASK_POST ||
	    method > TASK_DELETE || !rd_done(&r))
		return ERR_FORMAT;
	n->method = names[method];
	return OK;
}

enum err
task_pump(struct step *s)
{
	struct span none = { NULL, 0 }, key, value;
	struct call_new n = { .what = CALL_TASK };
	struct rd r;
	bool made;
	enum err err;

	if (call_is_open(s->c, CALL_TASK, NULL))
		return OK;
	err = rec_seek(&s->r, REC_TASK, none, none, false, &key, &value);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(key);
	n.number = rd_u64(&r);
	TRY(task_decode(value, &n));
	return call_make(s, &n, &made);
}

enum err
task_has(struct step *s, uint64_t cmd, bool *out)
{
	struct span none = { NULL, 0 }, key = none, value;
	struct call_new n;
	enum err err;

	*out = false;
	while (!*out && (err = rec_seek(&s->r, REC_TASK, none, key, false,
	    &key, &value)) != ERR_NOT_FOUND) {
		TRY(err);
		TRY(task_decode(value, &n));
		*out = n.cmd == cmd;
	}
	return OK;
}

enum err
task_heard(struct step *s, const struct call_answer *a)
{
	struct rec_key k = rec_key();
	struct span value;
	enum err err;

	/* No answer, a limit, a token that ended: it is made again. */
	if (a->err != OK && (a->status < 400 || a->status >= 500 ||
	    a->status == 401 || a->status == 429))
		return OK;
	rec_key_u64(&k, a->call->number);
	err = rec_get(&s->r, REC_TASK, rec_key_span(&k), &value);
	if (err == ERR_NOT_FOUND)	/* another process heard it first */
		return step_show_done(s, a->call->cmd);
	TRY(err);
	TRY(rec_del(&s->r, REC_TASK, rec_key_span(&k)));
	s->c->dirty = true;
	if (a->err == OK)
		return step_show_done(s, a->call->cmd);
	return a->call->cmd == 0 ? OK : step_show_error(s, a->call->cmd,
	    a->err, a->error.message);
}
