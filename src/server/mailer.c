/*
 * mailer.c: from rows to mails. A row that is taken is put off first, in the
 * database, until after the try could have ended: whatever happens to the
 * process, it is tried again later and not lost; a mail whose end nobody could
 * note may come twice.
 */
#include "server/mailer.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/data.h"
#include "server/frame.h"
#include "server/ops.h"
#include "server/ops/mails.h"

#define MAILER_THREADS 2
#define MAILER_TO_MAX 256

/*
 * Strings of smtp are the configuration's, which is kept for ten minutes after
 * it was replaced: eight mails on two threads, each within mail.timeout, end
 * before.
 */
struct mailer_job {
	struct work_job work;		/* first */
	struct mailer *mailer;
	bool is_busy, is_last;
	struct smtp smtp;
	struct any_id id;
	char to[MAILER_TO_MAX];
	uint8_t text[MAIL_TEXT_MAX];
	size_t text_n;
	enum err err;
	char why[SMTP_WHY_MAX];
};

struct mailer {
	struct shard *shard;
	struct work *work;
	atomic_bool stop;
	bool is_looking;		/* a look or a take is under way */
	struct mailer_job jobs[MAILER_JOBS];
};

static void mailer_tick(struct timer *t);

static const struct conf *
conf_of(const struct shard *s)
{
	return atomic_load_explicit(&s->server->conf, memory_order_acquire);
}

static void
mailer_later(struct shard *s)
{
	timer_start(reactor_wheel(s->reactor), &s->mail_timer,
	    conf_of(s)->mail_look_ms, mailer_tick);
}

size_t
mailer_room(const struct shard *s)
{
	const struct mailer *m = s->server->mailer;
	size_t n = 0;

	for (size_t i = 0; m != NULL && i < MAILER_JOBS; i++)
		n += !m->jobs[i].is_busy;
	return m == NULL ? MAILER_JOBS : n;
}

bool
mailer_is_busy(const struct shard *s)
{
	return mailer_room(s) < MAILER_JOBS;
}

/* ---- one mail ---- */

static void
job_run(struct work_job *w)
{
	struct mailer_job *j = (struct mailer_job *)(void *)w;

	j->err = atomic_load(&j->mailer->stop) ? ERR_UNAVAILABLE :
	    smtp_send(&j->smtp, j->to, span_of(j->text, j->text_n),
	    &j->mailer->stop, j->why);
}

static void
job_log(const struct mailer_job *j)
{
	struct log l;

	if (!log_begin(&l, j->err == OK ? LOG_INFO : LOG_WARN,
	    j->err == OK ? "mail_sent" : "mail_failed"))
		return;
	log_id(&l, "mail", j->id.b);
	if (j->err != OK) {
		log_str(&l, "why", j->why);
		log_str(&l, "then", j->is_last || j->err == ERR_FORBIDDEN ?
		    "given up" : "tried again later");
	}
	log_end(&l);
}

static void
job_done(struct reactor *r, struct mail *mail)
{
	struct mailer_job *j = (struct mailer_job *)(void *)LIST_ITEM(mail,
	    struct work_job, done);
	struct shard *s = j->mailer->shard;
	const struct caller nobody = { .is_known = false };
	struct frame *f;
	struct mailer_end *end;

	(void)r;
	job_log(j);
	metric_add(j->err == OK ? &s->metrics.mails_sent :
	    &s->metrics.mails_failed, 1);
	f = frame_internal(s, ops_get(OP_mail_done), &nobody, NULL);
	end = f == NULL ? NULL : ARENA_NEW(&f->call.arena, struct mailer_end);
	if (end != NULL) {
		end->id = j->id;
		end->is_sent = j->err == OK;
		end->is_dead = j->is_last || j->err == ERR_FORBIDDEN;
		end->why = call_text(&f->call, j->why);
		f->call.state = end;
	}
	wipe(j->text, sizeof(j->text));
	j->is_busy = false;
	/* Without memory the row is tried again when its time has come. */
	if (end != NULL)
		frame_run(f);
	else if (f != NULL)
		frame_free(f);
}

static enum err
job_fill(struct mailer_job *j, const struct call *c,
    const struct mailer_row *row)
{
	const struct conf *conf = c->conf;
	char token[MAIL_TOKEN_LEN + 1] = "";
	struct wr w = wr_init(j->text, sizeof(j->text));
	struct mail_text m = { .kind = row->kind, .id = &row->id,
	    .to = row->recipient, .username = row->username,
	    .from = conf->mail_from, .name = conf->mail_name,
	    .link = conf->mail_link, .now_ms = c->now_ms,
	    .expires_ms = row->expires_at, .erase_ms = row->delete_at };
	enum err e = OK;

	if (row->recipient.n >= sizeof(j->to))
		return ERR_TOO_LARGE;
	memcpy(j->to, row->recipient.p, row->recipient.n);
	j->to[row->recipient.n] = '\0';
	if (row->kind == MAIL_VERIFY || row->kind == MAIL_RESET) {
		e = mail_token(j->mailer->shard->server->data->account_key,
		    row->kind, &row->id, token);
		m.token = token;
	}
	if (e == OK)
		e = mail_write(&m, &w);
	wipe(token, sizeof(token));
	j->text_n = w.n;
	j->id = row->id;
	j->is_last = row->attempts >= conf->mail_attempts;
	j->smtp = (struct smtp){ conf->mail_url, conf->mail_user,
	    conf->mail_password_file, conf->mail_from, conf->mail_ca,
	    conf->mail_tls, conf->mail_timeout_ms };
	return e;
}

/* Rows were put off durably: now they are tried. */
static void
mailer_taken(struct frame *f)
{
	const struct mails_due *due = f->call.state;
	struct mailer *m = f->home->server->mailer;

	m->is_looking = false;
	if (f->err != OK || due == NULL || atomic_load(&m->stop))
		return;
	for (size_t i = 0, k = 0; i < due->n; i++) {
		while (k < MAILER_JOBS && m->jobs[k].is_busy)
			k++;
		if (k == MAILER_JOBS)
			return;
		struct mailer_job *j = &m->jobs[k];

		j->mailer = m;
		if (job_fill(j, &f->call, &due->rows[i]) != OK)
			continue;
		j->work = (struct work_job){ .done.run = job_done,
		    .home = f->home->reactor, .run = job_run };
		j->is_busy = work_submit(m->work, &j->work) == OK;
	}
}

/* ---- looking ---- */

static bool
mailer_open(struct shard *s)
{
	struct mailer *m = s->server->mailer;

	if (m == NULL) {
		m = calloc(1, sizeof(*m));
		if (m == NULL)
			return false;
		m->shard = s;
		s->server->mailer = m;
	}
	return m->work != NULL ||
	    work_open(MAILER_THREADS, MAILER_JOBS, &m->work) == OK;
}

/* Something is due: the threads exist from now on. */
static void
mailer_looked(struct frame *f)
{
	const struct mails_due *due = f->call.state;
	const struct caller nobody = { .is_known = false };
	struct shard *s = f->home;
	struct frame *g;

	if (f->err != OK || due == NULL || due->n == 0 || s->stopping ||
	    !mailer_open(s) || s->server->mailer->is_looking)
		return;
	g = frame_internal(s, ops_get(OP_mail_take), &nobody, mailer_taken);
	if (g == NULL)
		return;
	s->server->mailer->is_looking = true;
	frame_run(g);
}

static void
mailer_tick(struct timer *t)
{
	struct shard *s = LIST_ITEM(t, struct shard, mail_timer);
	const struct caller nobody = { .is_known = false };
	struct frame *f;

	mailer_later(s);
	if (conf_of(s)->mail_url[0] == '\0' || mailer_room(s) == 0)
		return;
	f = frame_internal(s, ops_get(OP_mail_look), &nobody, mailer_looked);
	if (f != NULL)
		frame_run(f);
}

void
mailer_start(struct shard *s)
{
	mailer_later(s);
}

void
mailer_stop(struct shard *s)
{
	timer_cancel(&s->mail_timer);
	if (s->server->mailer != NULL)
		atomic_store(&s->server->mailer->stop, true);
}

void
mailer_close(struct shard *s)
{
	struct mailer *m = s->server->mailer;

	if (m == NULL)
		return;
	atomic_store(&m->stop, true);
	if (m->work != NULL)
		work_close(m->work);
	for (size_t i = 0; i < MAILER_JOBS; i++)
		wipe(m->jobs[i].text, sizeof(m->jobs[i].text));
	free(m);
	s->server->mailer = NULL;
}
