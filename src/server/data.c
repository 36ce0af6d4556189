/*
 * data.c: start-up code that talks to the file system directly.
 */
#include "server/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"
#include "net/tls.h"

#define DATA_PEM_MAX ((size_t)256 << 10)
#define DATA_CERT_DAYS 825

__attribute__((format(printf, 3, 4)))
static enum err
data_wrong(struct data_error *out, enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	return e;
}

static void
data_file(const struct data *d, const char *name,
    char out[static DATA_FILE_MAX])
{
	snprintf(out, DATA_FILE_MAX, "%s/%s", d->path, name);
}

static enum err
data_dir(struct data *d, struct data_error *out)
{
	struct stat st;

	if (sys_dir_make(d->path, 0700) != OK || stat(d->path, &st) != 0)
		return data_wrong(out, ERR_IO,
		    "the data directory %s can not be made: %s", d->path,
		    errno != 0 ? strerror(errno) : "not a directory");
	if (!S_ISDIR(st.st_mode))
		return data_wrong(out, ERR_IO,
		    "the data directory %s is not a directory", d->path);
	if (st.st_uid != geteuid())
		return data_wrong(out, ERR_FORBIDDEN,
		    "the data directory %s belongs to another user", d->path);
	if ((st.st_mode & 022) != 0)
		return data_wrong(out, ERR_FORBIDDEN,
		    "others may write to the data directory %s: "
		    "chmod 700 it if you trust what is in it", d->path);
	if ((st.st_mode & 077) != 0 && chmod(d->path, 0700) != 0)
		return data_wrong(out, ERR_FORBIDDEN,
		    "others may read the data directory %s", d->path);
	return OK;
}

/* One server a directory; this also shows whether it can be written. */
static enum err
data_lock(struct data *d, struct data_error *out)
{
	char path[DATA_FILE_MAX];

	data_file(d, "lock", path);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return data_wrong(out, ERR_IO,
		    "the data directory %s can not be written: %s", d->path,
		    strerror(errno));
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return data_wrong(out, ERR_CONFLICT,
		    "another nightjard uses the data directory %s", d->path);
	return OK;
}

/*
 * A secret that others can read is none. One that root keeps for us may be
 * read by its group: so a certificate's key can stay where root renews it.
 */
static enum err
data_private(const char *path, struct data_error *out)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode &
	    (st.st_uid == 0 && geteuid() != 0 ? 037 : 077)) != 0)
		return data_wrong(out, ERR_FORBIDDEN,
		    "others may read or write %s: chmod 600 it", path);
	return OK;
}

/* A secret of 32 bytes, made on the first start, as hexadecimal digits. */
static enum err
data_secret(const struct data *d, const char *name,
    uint8_t key[static JWT_KEY_LEN], struct data_error *out)
{
	char path[DATA_FILE_MAX], text[2 * JWT_KEY_LEN + 1];
	struct buf b;
	enum err e;

	data_file(d, name, path);
	sys_random(key, JWT_KEY_LEN);
	hex_encode(span_of(key, JWT_KEY_LEN), text);
	text[2 * JWT_KEY_LEN] = '\n';
	e = sys_file_create(path, SPAN_OF(text), 0600);
	wipe(text, sizeof(text));
	if (e == OK)
		return OK;
	if (e != ERR_CONFLICT)
		return data_wrong(out, e, "%s can not be written", path);
	TRY(data_private(path, out));
	buf_init(&b, 256);
	e = sys_file_read(path, &b);
	struct span s = buf_span(&b);
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	if (e == OK && (s.n != 2 * JWT_KEY_LEN || !hex_decode(s, key)))
		e = ERR_FORMAT;
	if (b.p != NULL)
		wipe(b.p, b.n);
	buf_fini(&b);
	if (e != OK)
		return data_wrong(out, e,
		    "%s must hold 64 hexadecimal digits", path);
	return OK;
}

static enum err
data_read_pem(const char *path, struct buf *b, struct data_error *out)
{
	enum err e = sys_file_read(path, b);

	if (e != OK)
		return data_wrong(out, e, "%s can not be read", path);
	return OK;
}

static enum err
data_make_cert(struct data *d, const char *cert, const char *key,
    const char *names, struct data_error *out)
{
	enum err e = tls_self_signed(names, DATA_CERT_DAYS, &d->cert_pem,
	    &d->key_pem);

	if (e != OK)
		return data_wrong(out, e, "no certificate can be made for "
		    "\"%s\" (tls.names)", names);
	/* The key first: a certificate without it would stay useless. */
	e = sys_file_write(key, buf_span(&d->key_pem), 0600);
	if (e == OK)
		e = sys_file_write(cert, buf_span(&d->cert_pem), 0600);
	if (e != OK)
		return data_wrong(out, e, "%s can not be written", key);
	return OK;
}

static enum err
data_cert(struct data *d, const char *cert, const char *key,
    const char *names, struct data_error *out)
{
	char own_cert[DATA_FILE_MAX], own_key[DATA_FILE_MAX];

	buf_init(&d->cert_pem, DATA_PEM_MAX);
	buf_init(&d->key_pem, DATA_PEM_MAX);
	if ((cert[0] == '\0') != (key[0] == '\0'))
		return data_wrong(out, ERR_VALIDATION,
		    "tls.cert and tls.key must be set both or not at all");
	if (cert[0] == '\0') {
		data_file(d, "tls.crt", own_cert);
		data_file(d, "tls.key", own_key);
		if (access(own_cert, F_OK) != 0)
			return data_make_cert(d, own_cert, own_key, names,
			    out);
		cert = own_cert;
		key = own_key;
	}
	TRY(data_private(key, out));
	TRY(data_read_pem(cert, &d->cert_pem, out));
	return data_read_pem(key, &d->key_pem, out);
}

void
data_cert_paths(const struct data *d, const char *cert, const char *key,
    char cert_out[static DATA_FILE_MAX], char key_out[static DATA_FILE_MAX])
{
	if (cert[0] == '\0') {
		data_file(d, "tls.crt", cert_out);
		data_file(d, "tls.key", key_out);
		return;
	}
	snprintf(cert_out, DATA_FILE_MAX, "%s", cert);
	snprintf(key_out, DATA_FILE_MAX, "%s", key);
}

enum err
data_cert_read(const struct data *d, const char *cert, const char *key,
    struct data_cert *out, struct data_error *err_out)
{
	char cert_path[DATA_FILE_MAX], key_path[DATA_FILE_MAX];
	struct data_cert c;
	enum err e;

	if ((cert[0] == '\0') != (key[0] == '\0'))
		return data_wrong(err_out, ERR_VALIDATION,
		    "tls.cert and tls.key must be set both or not at all");
	data_cert_paths(d, cert, key, cert_path, key_path);
	TRY(data_private(key_path, err_out));
	buf_init(&c.cert_pem, DATA_PEM_MAX);
	buf_init(&c.key_pem, DATA_PEM_MAX);
	e = data_read_pem(cert_path, &c.cert_pem, err_out);
	if (e == OK)
		e = data_read_pem(key_path, &c.key_pem, err_out);
	if (e != OK) {
		data_cert_fini(&c);
		return e;
	}
	*out = c;
	return OK;
}

void
data_cert_fini(struct data_cert *c)
{
	buf_fini(&c->cert_pem);
	if (c->key_pem.p != NULL)
		wipe(c->key_pem.p, c->key_pem.n);
	buf_fini(&c->key_pem);
}

/* ---- keys of tokens ---- */

static enum err
data_signer(const char *path, struct jwt_public *out, struct data_error *err)
{
	struct host_signer *key = NULL;
	struct buf b;

	buf_init(&b, HOST_SIGNER_PEM_MAX);
	enum err e = data_read_pem(path, &b, err);
	if (e == OK) {
		e = host_signer_open(buf_span(&b), &key);
		if (e != OK)
			data_wrong(err, e, "%s must hold an Ed25519 key or an "
			    "RSA key of 2048 to 4096 bits (PEM, no "
			    "passphrase)", path);
	}
	if (b.p != NULL)
		wipe(b.p, b.n);
	buf_fini(&b);
	TRY(e);
	e = jwt_public_init(out, key);
	return e == OK ? OK : data_wrong(err, e, "%s can not be used", path);
}

static enum err
data_make_signer(const char *path, enum host_signer_kind kind,
    struct data_error *out)
{
	struct buf b;
	enum err e;

	buf_init(&b, HOST_SIGNER_PEM_MAX);
	e = host_signer_make(kind, &b);
	if (e == OK)
		e = sys_file_create(path, buf_span(&b), 0600);
	if (b.p != NULL)
		wipe(b.p, b.n);
	buf_fini(&b);
	return e == OK || e == ERR_CONFLICT ? OK :
	    data_wrong(out, e, "%s can not be written", path);
}

static enum err
data_own_signer(struct data *d, const char *key, struct data_error *out)
{
	bool is_rsa = d->keys.alg == JWT_RS256;
	enum host_signer_kind kind = is_rsa ? HOST_SIGNER_RS256 :
	    HOST_SIGNER_EDDSA;
	char path[DATA_FILE_MAX];

	if (key[0] == '\0') {
		data_file(d, is_rsa ? "jwt-rs256.pem" : "jwt-eddsa.pem",
		    path);
		if (access(path, F_OK) != 0)
			TRY(data_make_signer(path, kind, out));
		key = path;
	}
	TRY(data_private(key, out));
	TRY(data_signer(key, &d->keys.own, out));
	if (!host_signer_is_private(d->keys.own.key))
		return data_wrong(out, ERR_VALIDATION,
		    "%s (tokens.key) holds a public key; tokens are signed "
		    "by a private one", key);
	if (host_signer_kind(d->keys.own.key) != kind)
		return data_wrong(out, ERR_VALIDATION,
		    "%s (tokens.key) is no key for the algorithm of "
		    "tokens.algorithm", key);
	return OK;
}

enum err
data_tokens(struct data *d, const char *alg, const char *key,
    const char *olds, struct data_error *err_out)
{
	struct span left = span_str(olds);
	char path[DATA_PATH_MAX];

	if (!jwt_alg_decode(alg, &d->keys.alg))
		return data_wrong(err_out, ERR_VALIDATION,
		    "tokens.algorithm must be HS256, RS256 or EdDSA");
	if (d->keys.alg != JWT_HS256)
		TRY(data_own_signer(d, key, err_out));
	while (left.n > 0) {
		size_t end = span_find(left, ',');
		struct span item = span_sub(left, 0, end);

		while (item.n > 0 && item.p[0] == ' ')
			item = span_sub(item, 1, item.n);
		if (d->keys.old_n == JWT_OLD_MAX || item.n == 0 ||
		    item.n >= sizeof(path))
			return data_wrong(err_out, ERR_VALIDATION,
			    "tokens.previous must be at most %d paths, comma "
			    "separated", JWT_OLD_MAX);
		memcpy(path, item.p, item.n);
		path[item.n] = '\0';
		TRY(data_signer(path, &d->keys.old[d->keys.old_n], err_out));
		d->keys.old_n++;
		left = span_sub(left, end + 1, left.n);
	}
	return OK;
}

enum err
data_open(struct data *d, const char *path, const char *cert,
    const char *key, const char *names, struct data_error *err_out)
{
	memset(d, 0, sizeof(*d));
	d->lock_fd = -1;
	err_out->text[0] = '\0';
	if (strlen(path) >= sizeof(d->path) - 1 || path[0] == '\0')
		return data_wrong(err_out, ERR_VALIDATION,
		    "the name of the data directory is empty or too long");
	memcpy(d->path, path, strlen(path) + 1);
	errno = 0;
	TRY(data_dir(d, err_out));
	TRY(data_lock(d, err_out));
	TRY(data_secret(d, "jwt.key", d->keys.secret.b, err_out));
	TRY(data_secret(d, "account.key", d->account_key, err_out));
	return data_cert(d, cert, key, names, err_out);
}

void
data_close(struct data *d)
{
	jwt_keys_fini(&d->keys);
	wipe(d->account_key, sizeof(d->account_key));
	if (d->key_pem.p != NULL)
		wipe(d->key_pem.p, d->key_pem.n);
	buf_fini(&d->key_pem);
	buf_fini(&d->cert_pem);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	d->lock_fd = -1;
}
