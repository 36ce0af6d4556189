/*
 * smtp.c: libcurl by dlopen. Debian's libcurl brings an OpenSSL of its own;
 * ours is static with hidden symbols, so the two never meet (ARCHITECTURE.md,
 * decision 15).
 */
#include "server/smtp.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>

#include "base/sys.h"
#include "net/thread.h"

#define SMTP_LIBRARY "libcurl.so.4"
#define SMTP_PASSWORD_MAX 1024

struct smtp_lib {
	CURLcode (*global_init)(long flags);
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *c, CURLoption o, ...);
	CURLcode (*perform)(CURL *c);
	CURLcode (*getinfo)(CURL *c, CURLINFO i, ...);
	void (*cleanup)(CURL *c);
	const char *(*strerror)(CURLcode e);
	struct curl_slist *(*append)(struct curl_slist *l, const char *s);
	void (*free_all)(struct curl_slist *l);
};

/* Loaded once for the process, by whichever thread sends first. */
static struct {
	atomic_flag busy;
	atomic_bool ready;
	struct smtp_lib lib;
} smtp = { .busy = ATOMIC_FLAG_INIT };

/* POSIX lets a function's address travel as a data pointer. */
static bool
smtp_symbol(void *so, const char *name, void *slot)
{
	void *p = dlsym(so, name);

	memcpy(slot, &p, sizeof(p));
	return p != NULL;
}

static bool
smtp_load_all(struct smtp_lib *l)
{
	void *so = dlopen(SMTP_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	return so != NULL &&
	    smtp_symbol(so, "curl_global_init", &l->global_init) &&
	    smtp_symbol(so, "curl_easy_init", &l->init) &&
	    smtp_symbol(so, "curl_easy_setopt", &l->setopt) &&
	    smtp_symbol(so, "curl_easy_perform", &l->perform) &&
	    smtp_symbol(so, "curl_easy_getinfo", &l->getinfo) &&
	    smtp_symbol(so, "curl_easy_cleanup", &l->cleanup) &&
	    smtp_symbol(so, "curl_easy_strerror", &l->strerror) &&
	    smtp_symbol(so, "curl_slist_append", &l->append) &&
	    smtp_symbol(so, "curl_slist_free_all", &l->free_all) &&
	    l->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static const struct smtp_lib *
smtp_load(void)
{
	while (!atomic_load(&smtp.ready)) {
		if (atomic_flag_test_and_set(&smtp.busy)) {
			thread_sleep_ms(1);
			continue;
		}
		bool ok = atomic_load(&smtp.ready) || smtp_load_all(&smtp.lib);
		atomic_store(&smtp.ready, ok);
		atomic_flag_clear(&smtp.busy);
		if (!ok)
			return NULL;
	}
	return &smtp.lib;
}

/* ---- what libcurl calls ---- */

static size_t
smtp_read(char *p, size_t size, size_t n, void *arg)
{
	struct span *left = arg;
	size_t take = size * n < left->n ? size * n : left->n;

	if (take > 0)
		memcpy(p, left->p, take);
	*left = span_sub(*left, take, left->n);
	return take;
}

static int
smtp_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t x,
    curl_off_t y)
{
	const atomic_bool *stop = arg;

	(void)a;
	(void)b;
	(void)x;
	(void)y;
	return atomic_load(stop);
}

/* ---- one mail ---- */

/* First line of the file. ERR_UNAVAILABLE. */
static enum err
smtp_password(const char *path, char out[static SMTP_PASSWORD_MAX])
{
	struct buf b;
	enum err e;

	buf_init(&b, SMTP_PASSWORD_MAX - 1);
	e = sys_file_read(path, &b);
	if (e == OK) {
		size_t n = 0;

		while (n < b.n && b.p[n] != '\n' && b.p[n] != '\r')
			n++;
		memcpy(out, b.p, n);
		out[n] = '\0';
	}
	if (b.p != NULL)
		wipe(b.p, b.n);
	buf_fini(&b);
	return e == OK ? OK : ERR_UNAVAILABLE;
}

static CURLcode
smtp_options(const struct smtp_lib *l, CURL *c, const struct smtp *s,
    const char *password)
{
	long tls = strcmp(s->tls, "off") == 0 ? CURLUSESSL_NONE :
	    strcmp(s->tls, "try") == 0 ? CURLUSESSL_TRY : CURLUSESSL_ALL;
	CURLcode e = l->setopt(c, CURLOPT_URL, s->url);

	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_USE_SSL, tls);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_SSLVERSION,
		    (long)CURL_SSLVERSION_TLSv1_2);
	if (e == CURLE_OK && s->ca[0] != '\0')
		e = l->setopt(c, CURLOPT_CAINFO, s->ca);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_PROXY, "");
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_TIMEOUT_MS, (long)s->timeout_ms);
	if (e == CURLE_OK && s->user[0] != '\0')
		e = l->setopt(c, CURLOPT_USERNAME, s->user);
	if (e == CURLE_OK && s->user[0] != '\0')
		e = l->setopt(c, CURLOPT_PASSWORD, password);
	return e;
}

static CURLcode
smtp_mail(const struct smtp_lib *l, CURL *c, const struct smtp *s,
    struct curl_slist *rcpt, struct span *left, const atomic_bool *stop)
{
	CURLcode e = l->setopt(c, CURLOPT_MAIL_FROM, s->from);

	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_MAIL_RCPT, rcpt);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_UPLOAD, 1L);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_READFUNCTION, smtp_read);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_READDATA, left);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)left->n);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_NOPROGRESS, 0L);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_XFERINFOFUNCTION, smtp_progress);
	if (e == CURLE_OK)
		e = l->setopt(c, CURLOPT_XFERINFODATA, stop);
	if (e == CURLE_OK)
		e = l->perform(c);
	return e;
}

/* Only what the mail server says for good about this mail is final. */
static enum err
smtp_why(const struct smtp_lib *l, CURL *c, CURLcode e, char *why)
{
	long code = 0;

	(void)l->getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	if (code >= 400 && code <= 599)
		snprintf(why, SMTP_WHY_MAX, "%s (the mail server said %ld)",
		    l->strerror(e), code);
	else
		snprintf(why, SMTP_WHY_MAX, "%s", l->strerror(e));
	return e == CURLE_SEND_ERROR && code >= 500 ? ERR_FORBIDDEN :
	    ERR_UNAVAILABLE;
}

enum err
smtp_send(const struct smtp *s, const char *to, struct span text,
    const atomic_bool *stop, char why_out[SMTP_WHY_MAX])
{
	const struct smtp_lib *l = smtp_load();
	char password[SMTP_PASSWORD_MAX] = "";
	struct curl_slist *rcpt;
	enum err err = ERR_UNAVAILABLE;
	CURLcode e;
	CURL *c;

	snprintf(why_out, SMTP_WHY_MAX, "%s can not be loaded", SMTP_LIBRARY);
	if (l == NULL)
		return ERR_UNAVAILABLE;
	if (s->user[0] != '\0' && s->password_file[0] != '\0' &&
	    smtp_password(s->password_file, password) != OK) {
		snprintf(why_out, SMTP_WHY_MAX,
		    "the file of mail.password_file can not be read");
		return ERR_UNAVAILABLE;
	}
	c = l->init();
	rcpt = l->append(NULL, to);
	snprintf(why_out, SMTP_WHY_MAX, "out of memory");
	if (c == NULL || rcpt == NULL)
		goto out;
	e = smtp_options(l, c, s, password);
	if (e == CURLE_OK)
		e = smtp_mail(l, c, s, rcpt, &text, stop);
	err = e == CURLE_OK ? OK : smtp_why(l, c, e, why_out);
out:
	wipe(password, sizeof(password));
	l->free_all(rcpt);
	if (c != NULL)
		l->cleanup(c);
	return err;
}
