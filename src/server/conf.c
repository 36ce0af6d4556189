/*
 * conf.c: reads the configuration. Everything is text until conf_put gives it
 * to its key, so a value means the same in file, environment and flag.
 */
#include "server/conf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/text.h"
#include "wire/json.h"

#define CONF_FILE_MAX ((size_t)1 << 20)
#define CONF_ARENA_MAX ((size_t)4 << 20)
#define CONF_NAME_MAX 64
#define CONF_DEPTH_MAX 4

enum conf_type { TYPE_BOOL, TYPE_U32, TYPE_MS, TYPE_STR, TYPE_RATE };

static const struct key {
	const char *name;
	enum conf_type type;
	size_t at;
	const char *def;
	uint64_t min, max;
	bool live;
	const char *help;
} keys[] = {
#define LIVE true
#define FIXED false
#define CONF(c_name, name, type, def, min, max, live, help) { name, \
	TYPE_##type, offsetof(struct conf, c_name), def, min, max, live, help },
#include "server/conf.def"
#undef CONF
#undef FIXED
#undef LIVE
};
#define KEYS_N (sizeof(keys) / sizeof(keys[0]))

/* A configuration and the memory of its strings, in one piece of heap. */
struct conf_box {
	struct conf conf;
	struct arena arena;
	uint8_t mem[4096];
};

static void *
conf_grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	free(p);
	return NULL;
}

static void *
conf_at(struct conf *c, const struct key *k)
{
	return (uint8_t *)c + k->at;
}

/* "500ms", "10s", "15m", "1h", "7d" in milliseconds. */
static bool
conf_parse_ms(struct span s, uint64_t *out)
{
	static const struct { const char *unit; uint64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 },
	};
	size_t digits = 0;
	uint64_t n;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (!span_u64(span_sub(s, 0, digits), UINT32_MAX, &n))
		return false;
	if (n == 0 && digits == s.n) {
		*out = 0;
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (span_eq(span_sub(s, digits, s.n),
		    span_str(units[i].unit))) {
			*out = n * units[i].ms;
			return true;
		}
	return false;
}

/* "100/15m", or "0" for no limit. */
static bool
conf_parse_rate(struct span s, struct rate *out)
{
	size_t at = span_find(s, '/');
	uint64_t burst, period;

	if (span_eq(s, SPAN("0"))) {
		*out = (struct rate){ 0, 1000 };
		return true;
	}
	if (at == s.n || !span_u64(span_sub(s, 0, at), UINT32_MAX, &burst) ||
	    !conf_parse_ms(span_sub(s, at + 1, s.n), &period) || period == 0)
		return false;
	*out = (struct rate){ (uint32_t)burst, period };
	return true;
}

static enum err
conf_wrong(struct conf_error *e, const struct key *k, const char *where,
    const char *must)
{
	snprintf(e->text, sizeof(e->text), "%s (%s) must be %s", k->name,
	    where, must);
	return ERR_VALIDATION;
}

static enum err
conf_wrong_range(struct conf_error *e, const struct key *k, const char *where)
{
	snprintf(e->text, sizeof(e->text),
	    "%s (%s) must be from %llu to %llu%s", k->name, where,
	    (unsigned long long)k->min, (unsigned long long)k->max,
	    k->type == TYPE_MS ? " milliseconds" :
	    k->type == TYPE_STR ? " bytes long" : "");
	return ERR_VALIDATION;
}

static bool
conf_fits(const struct key *k, uint64_t n)
{
	return n >= k->min && n <= k->max;
}

static enum err
conf_put_str(struct conf_box *b, const struct key *k, struct span v,
    const char *where, struct conf_error *e)
{
	if (!conf_fits(k, v.n))
		return conf_wrong_range(e, k, where);
	if (span_find(v, '\0') != v.n || !utf8_valid(v))
		return conf_wrong(e, k, where, "UTF-8 text without NUL");
	uint8_t *copy = arena_bytes(&b->arena, v.n + 1);
	if (copy == NULL)
		return ERR_NOMEM;
	if (v.n > 0)
		memcpy(copy, v.p, v.n);
	copy[v.n] = '\0';
	*(const char **)conf_at(&b->conf, k) = (const char *)copy;
	return OK;
}

/* Gives a key its value. where: "flag", "environment", the file's name. */
static enum err
conf_put(struct conf_box *b, const struct key *k, struct span v,
    const char *where, struct conf_error *e)
{
	void *at = conf_at(&b->conf, k);
	struct rate rate;
	uint64_t n;

	switch (k->type) {
	case TYPE_BOOL:
		if (!span_eq(v, SPAN("true")) && !span_eq(v, SPAN("false")))
			return conf_wrong(e, k, where, "true or false");
		*(bool *)at = v.n == 4;
		return OK;
	case TYPE_U32:
		if (!span_u64(v, UINT32_MAX, &n))
			return conf_wrong(e, k, where, "a whole number");
		if (!conf_fits(k, n))
			return conf_wrong_range(e, k, where);
		*(uint32_t *)at = (uint32_t)n;
		return OK;
	case TYPE_MS:
		if (!conf_parse_ms(v, &n))
			return conf_wrong(e, k, where,
			    "a time such as 500ms, 10s, 15m, 1h or 7d");
		if (!conf_fits(k, n))
			return conf_wrong_range(e, k, where);
		*(uint64_t *)at = n;
		return OK;
	case TYPE_RATE:
		if (!conf_parse_rate(v, &rate))
			return conf_wrong(e, k, where,
			    "a rate such as 100/15m, or 0 for no limit");
		if (!conf_fits(k, rate.burst))
			return conf_wrong_range(e, k, where);
		*(struct rate *)at = rate;
		return OK;
	case TYPE_STR:
		return conf_put_str(b, k, v, where, e);
	}
	return ERR_INTERNAL;
}

static const struct key *
conf_key(struct span name)
{
	for (size_t i = 0; i < KEYS_N; i++)
		if (span_eq(name, span_str(keys[i].name)))
			return &keys[i];
	return NULL;
}

static enum err
conf_unknown(struct conf_error *e, struct span name, const char *where)
{
	snprintf(e->text, sizeof(e->text), "unknown key \"%.*s\" (%s)",
	    (int)(name.n < 128 ? name.n : 128), (const char *)name.p, where);
	return ERR_VALIDATION;
}

/* ---- file ---- */

/* A scalar as the text that flags and environment would have. */
static bool
conf_scalar(struct json *j, struct arena *a, struct span *out)
{
	enum json_type type = json_peek(j);

	if (type == JSON_STRING)
		return json_string(j, a, out);
	if (type == JSON_NUMBER || type == JSON_BOOL)
		return json_raw(j, out);
	return false;
}

/* The members of one object; `prefix` is the name so far, with its dot. */
static enum err
conf_file_object(struct conf_box *b, struct json *j, struct span prefix,
    unsigned depth, const char *path, struct conf_error *e)
{
	struct span member, value;

	if (!json_object(j))
		return OK;
	while (json_member(j, &b->arena, &member)) {
		uint8_t text[CONF_NAME_MAX];
		struct wr w = wr_init(text, sizeof(text));

		wr_span(&w, prefix);
		wr_span(&w, member);
		const struct key *k = conf_key(wr_done(&w));
		if (k == NULL && json_peek(j) == JSON_OBJECT &&
		    depth < CONF_DEPTH_MAX && wr_ok(&w)) {
			wr_u8(&w, '.');
			TRY(conf_file_object(b, j, wr_done(&w), depth + 1,
			    path, e));
			continue;
		}
		if (k == NULL)
			return conf_unknown(e,
			    wr_ok(&w) ? wr_done(&w) : member, path);
		if (!conf_scalar(j, &b->arena, &value)) {
			if (j->why != NULL)
				return OK;	/* conf_file says where */
			return conf_wrong(e, k, path,
			    "a string, a number, true or false");
		}
		TRY(conf_put(b, k, value, path, e));
	}
	return OK;
}

static enum err
conf_file(struct conf_box *b, const char *path, struct conf_error *e)
{
	struct buf text;
	enum err err;

	buf_init(&text, CONF_FILE_MAX);
	err = sys_file_read(path, &text);
	if (err != OK) {
		snprintf(e->text, sizeof(e->text),
		    "the configuration file %s can not be read%s", path,
		    err == ERR_NOT_FOUND ? ": it does not exist" : "");
		goto out;
	}
	struct json j = json_init(buf_span(&text));
	err = conf_file_object(b, &j, SPAN(""), 0, path, e);
	if (err == OK && json_end(&j) != OK) {
		snprintf(e->text, sizeof(e->text), "%s, byte %zu: %s", path,
		    json_at(&j), j.why != NULL ? j.why : "malformed");
		err = ERR_VALIDATION;
	}
out:
	buf_fini(&text);
	return err;
}

/* ---- environment and flags ---- */

#define ENV_PREFIX "NIGHTJARD_"

/* LIMITS_LOGIN is limits.login. */
static bool
conf_env_is(const struct key *k, struct span name)
{
	if (strlen(k->name) != name.n)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = k->name[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c == '.')
			c = '_';
		if ((uint8_t)c != name.p[i])
			return false;
	}
	return true;
}

static enum err
conf_env(struct conf_box *b, char *const *env, struct conf_error *e)
{
	for (; *env != NULL; env++) {
		struct span s = span_str(*env);
		size_t at = span_find(s, '=');
		const struct key *k = NULL;

		if (!span_starts(s, SPAN(ENV_PREFIX)) || at == s.n)
			continue;
		struct span name = span_sub(s, sizeof(ENV_PREFIX) - 1,
		    at - (sizeof(ENV_PREFIX) - 1));
		/* These two stand for flags. */
		if (span_eq(name, SPAN("DATA")) ||
		    span_eq(name, SPAN("CONFIG")))
			continue;
		for (size_t i = 0; i < KEYS_N && k == NULL; i++)
			if (conf_env_is(&keys[i], name))
				k = &keys[i];
		if (k == NULL)
			return conf_unknown(e, span_sub(s, 0, at),
			    "environment");
		TRY(conf_put(b, k, span_sub(s, at + 1, s.n), "environment",
		    e));
	}
	return OK;
}

static enum err
conf_sets(struct conf_box *b, const struct conf_source *src,
    struct conf_error *e)
{
	for (size_t i = 0; i < src->sets_n; i++) {
		struct span name = span_str(src->sets[i].name);
		const struct key *k = conf_key(name);

		if (k == NULL)
			return conf_unknown(e, name, "flag --set");
		TRY(conf_put(b, k, span_str(src->sets[i].value),
		    "flag --set", e));
	}
	return OK;
}

/* ---- all of it ---- */

/* Keys with a few words to choose from. */
static enum err
conf_choices(const struct conf *c, struct conf_error *e)
{
	const struct {
		const char *key, *value, *words[3], *what;
	} all[] = {
		{ "accounts.invites", c->accounts_invites,
		    { "admins", "users", "users" }, "admins or users" },
		{ "accounts.registration", c->accounts_registration,
		    { "open", "invite", "closed" }, "open, invite or closed" },
		{ "accounts.verification", c->accounts_verification,
		    { "off", "on", "required" }, "off, on or required" },
		{ "log.ip", c->log_ip,
		    { "full", "truncated", "off" }, "full, truncated or off" },
		{ "mail.tls", c->mail_tls,
		    { "required", "try", "off" }, "required, try or off" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		bool found = false;

		for (size_t j = 0; j < 3; j++)
			found = found ||
			    strcmp(all[i].value, all[i].words[j]) == 0;
		if (!found)
			return conf_wrong(e, conf_key(span_str(all[i].key)),
			    "configuration", all[i].what);
	}
	return OK;
}

/* What is written into headers of mails has no line break and no bracket. */
static bool
conf_is_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == '<' || *s == '>' ||
		    *s == '"' || (unsigned char)*s >= 127)
			return false;
	return true;
}

static enum err
conf_mail(const struct conf *c, struct conf_error *e)
{
	const char *at = strchr(c->mail_from, '@');

	if (c->mail_url[0] != '\0' &&
	    strncmp(c->mail_url, "smtp://", 7) != 0 &&
	    strncmp(c->mail_url, "smtps://", 8) != 0)
		return conf_wrong(e, conf_key(SPAN("mail.url")),
		    "configuration", "smtp://host:port or smtps://host:port");
	if (c->mail_url[0] != '\0' && (at == NULL || at == c->mail_from ||
	    at[1] == '\0'))
		return conf_wrong(e, conf_key(SPAN("mail.from")),
		    "configuration", "an address, as mail.url is set");
	if (!conf_is_line(c->mail_from) || strchr(c->mail_from, ' ') != NULL)
		return conf_wrong(e, conf_key(SPAN("mail.from")),
		    "configuration", "an address alone");
	if (!conf_is_line(c->mail_name))
		return conf_wrong(e, conf_key(SPAN("mail.name")),
		    "configuration", "a name in one line");
	if (!conf_is_line(c->mail_link))
		return conf_wrong(e, conf_key(SPAN("mail.link")),
		    "configuration", "the beginning of a link");
	return OK;
}

static enum err
conf_fill(struct conf_box *b, const struct conf_source *src,
    struct conf_error *e)
{
	for (size_t i = 0; i < KEYS_N; i++)
		TRY(conf_put(b, &keys[i], span_str(keys[i].def), "default",
		    e));
	if (src->file != NULL)
		TRY(conf_file(b, src->file, e));
	if (src->env != NULL)
		TRY(conf_env(b, src->env, e));
	TRY(conf_sets(b, src, e));
	TRY(conf_choices(&b->conf, e));
	enum log_level level;
	if (strcmp(b->conf.log_level, "auto") != 0 &&
	    !log_level_by_name(b->conf.log_level, &level))
		return conf_wrong(e, conf_key(SPAN("log.level")),
		    "configuration",
		    "trace, debug, info, warn, error or fatal");
	return conf_mail(&b->conf, e);
}

enum err
conf_load(const struct conf_source *src, struct conf **out,
    struct conf_error *err_out)
{
	struct conf_box *b = calloc(1, sizeof(*b));
	enum err err;

	err_out->text[0] = '\0';
	if (b == NULL)
		return ERR_NOMEM;
	arena_init_growing(&b->arena, b->mem, sizeof(b->mem), CONF_ARENA_MAX,
	    conf_grow);
	err = conf_fill(b, src, err_out);
	if (err != OK) {
		if (err_out->text[0] == '\0')
			snprintf(err_out->text, sizeof(err_out->text), "%s",
			    err_text(err));
		conf_free(&b->conf);
		return err;
	}
	*out = &b->conf;
	return OK;
}

void
conf_free(struct conf *c)
{
	struct conf_box *b = (struct conf_box *)(void *)c;

	if (b == NULL)
		return;
	arena_fini(&b->arena);
	free(b);
}

static bool
conf_same(const struct key *k, const void *a, const void *b)
{
	static const size_t sizes[] = {
		[TYPE_BOOL] = sizeof(bool), [TYPE_U32] = sizeof(uint32_t),
		[TYPE_MS] = sizeof(uint64_t), [TYPE_STR] = sizeof(char *),
	};

	if (k->type == TYPE_STR)
		return strcmp(*(const char *const *)a,
		    *(const char *const *)b) == 0;
	if (k->type == TYPE_RATE) {
		const struct rate *x = a, *y = b;

		return x->burst == y->burst && x->period_ms == y->period_ms;
	}
	return memcmp(a, b, sizes[k->type]) == 0;
}

void
conf_reload(const struct conf *now, struct conf *next, char *names_out,
    size_t n)
{
	static const size_t sizes[] = {
		[TYPE_BOOL] = sizeof(bool), [TYPE_U32] = sizeof(uint32_t),
		[TYPE_MS] = sizeof(uint64_t), [TYPE_STR] = sizeof(char *),
		[TYPE_RATE] = sizeof(struct rate),
	};

	names_out[0] = '\0';
	for (size_t i = 0; i < KEYS_N; i++) {
		const uint8_t *from = (const uint8_t *)now + keys[i].at;
		uint8_t *to = (uint8_t *)next + keys[i].at;
		size_t used = strlen(names_out);

		if (keys[i].live)
			continue;
		if (!conf_same(&keys[i], from, to) &&
		    used + strlen(keys[i].name) + 3 <= n)
			snprintf(names_out + used, n - used, "%s%s",
			    used > 0 ? ", " : "", keys[i].name);
		memcpy(to, from, sizes[keys[i].type]);
	}
}

void
conf_help(void (*put)(const char *line))
{
	char line[256];

	for (size_t i = 0; i < KEYS_N; i++) {
		snprintf(line, sizeof(line), "  %-24s %s%s%s%s%s", keys[i].name,
		    keys[i].help, keys[i].def[0] != '\0' ? " [" : "",
		    keys[i].def, keys[i].def[0] != '\0' ? "]" : "",
		    keys[i].live ? " (live)" : "");
		put(line);
	}
}
