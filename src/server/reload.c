/* reload.c: see reload.h. exports reload_*, server_reload, server_reload_cert,
 * server_conf */
#include "server/reload.h"

#include <stdio.h>

#include "base/log.h"
#include "server/limits.h"

#define WAITING_MAX 512		/* bytes of the names that are logged */

/* What a reactor is told; freed there. */
struct order {
	struct mail mail;
	struct shard *shard;
	struct tls_ctx *tls;	/* or NULL: limits */
	struct edge_conf limits;
};

static enum err
wrong(struct server_error *out, enum err e, const char *text)
{
	snprintf(out->text, sizeof(out->text), "%s", text);
	return e;
}

static void
run_order(struct reactor *r, struct mail *m)
{
	struct order *o = (struct order *)(void *)((char *)m -
	    offsetof(struct order, mail));

	(void)r;
	if (o->tls != NULL)
		edge_set_tls(o->shard->edge, o->tls);
	else if (edge_set_conf(o->shard->edge, &o->limits) != OK)
		abort();	/* as that of another shard, which was taken */
	tls_ctx_unref(o->tls);
	free(o);
}

/* One for each shard, so that either all hear of it or none. */
static enum err
tell_all(struct server *s, struct tls_ctx *tls, const struct edge_conf *c)
{
	struct order *all[DIRECTORY_REACTORS_MAX];

	for (unsigned i = 0; i < s->shards_n; i++) {
		all[i] = calloc(1, sizeof(*all[i]));
		if (all[i] == NULL) {
			while (i-- > 0)
				free(all[i]);
			return ERR_NOMEM;
		}
	}
	for (unsigned i = 0; i < s->shards_n; i++) {
		all[i]->mail.run = run_order;
		all[i]->shard = &s->shards[i];
		all[i]->tls = tls_ctx_ref(tls);
		if (c != NULL)
			all[i]->limits = *c;
		reactor_post(s->shards[i].reactor, &all[i]->mail);
	}
	return OK;
}

/* ---- Certificate ---- */

enum err
reload_tls(struct server *s, struct span cert_pem, struct span key_pem,
    struct tls_ctx **out, struct server_error *err_out)
{
	enum err e = tls_ctx_server(cert_pem, key_pem, out);

	if (e == OK) {
		e = tls_ctx_set_tickets(*out, s->tickets);
		if (e != OK)
			tls_ctx_unref(*out);
	}
	if (e == OK)
		return OK;
	return wrong(err_out, e, e == ERR_CONFLICT ?
	    "tls.key is not the key of tls.cert" :
	    e == ERR_FORMAT ? "tls.cert or tls.key can not be read" :
	    err_text(e));
}

enum err
server_reload_cert(struct server *s, struct server_error *err_out)
{
	const struct conf *c = atomic_load(&s->conf);
	struct data_error why;
	struct data_cert d;
	struct tls_ctx *tls;
	enum err e;

	if (c->listen_https[0] == '\0')
		return OK;
	e = data_cert_read(s->data, c->tls_cert, c->tls_key, &d, &why);
	if (e != OK)
		return wrong(err_out, e, why.text);
	e = reload_tls(s, buf_span(&d.cert_pem), buf_span(&d.key_pem), &tls,
	    err_out);
	data_cert_fini(&d);
	if (e != OK)
		return e;
	e = tell_all(s, tls, NULL);
	tls_ctx_unref(tls);
	return e == OK ? OK : wrong(err_out, e, err_text(e));
}

/* ---- Configuration ---- */

/*
 * Drops the oldest configuration that no call can refer to any more; but the
 * first stays: all others have the texts of its fixed keys.
 */
static bool
forget_oldest(struct server *s, uint64_t now_ms)
{
	size_t n = s->olds_n - 2;

	/* It was replaced when the one after it was taken over. */
	if (s->olds_n < 3 || now_ms < s->olds_ms[2] + SERVER_CONF_KEEP_MS)
		return false;
	conf_free(s->olds[1]);
	s->olds_n--;
	memmove(s->olds + 1, s->olds + 2, n * sizeof(s->olds[0]));
	memmove(s->olds_ms + 1, s->olds_ms + 2, n * sizeof(s->olds_ms[0]));
	return true;
}

static void
say_waiting(const char *names)
{
	struct log l;

	if (names[0] == '\0' || !log_begin(&l, LOG_WARN, "restart_needed"))
		return;
	log_str(&l, "keys", names);
	log_end(&l);
}

static enum err
take(struct server *s, struct conf *next, struct server_error *err_out)
{
	uint64_t now_ms = sys_mono_us() / 1000;
	char waiting[WAITING_MAX];
	struct limits_nets nets;
	struct edge_conf limits;
	enum log_level level;
	enum err e;

	if (s->olds_n == SERVER_CONFS_MAX && !forget_oldest(s, now_ms))
		return wrong(err_out, ERR_BUSY,
		    "too many reloads within ten minutes");
	if (limits_edge(next, &nets, &limits) != OK)
		return wrong(err_out, ERR_VALIDATION, LIMITS_WRONG);
	if ((next->tls_cert[0] == '\0') != (next->tls_key[0] == '\0'))
		return wrong(err_out, ERR_VALIDATION,
		    "tls.cert and tls.key must be set both or not at all");
	conf_reload(atomic_load(&s->conf), next, waiting, sizeof(waiting));
	if ((e = limits_edge(next, &nets, &limits)) == OK) {
		limits.trusted = NULL;	/* stay as they were; nets is ours */
		limits.trusted_n = 0;
		e = tell_all(s, NULL, &limits);
	}
	if (e != OK)
		return wrong(err_out, e, err_text(e));
	s->olds_ms[s->olds_n] = now_ms;
	s->olds[s->olds_n++] = next;
	atomic_store_explicit(&s->conf, next, memory_order_release);
	if (log_level_by_name(next->log_level, &level))
		log_set_level(level);
	say_waiting(waiting);
	return OK;
}

enum err
server_reload(struct server *s, struct conf *next,
    struct server_error *err_out)
{
	enum err e = take(s, next, err_out);

	if (e != OK)
		conf_free(next);
	return e;
}

const struct conf *
server_conf(const struct server *s)
{
	return atomic_load(&s->conf);
}
