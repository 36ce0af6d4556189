/*
 * zip.c: sizes and checksums are written into an entry's header once they are
 * known, so that every reader of ZIP understands it; ciphertext does not get
 * smaller, so nothing is compressed.
 */
#include "server/zip.h"

#include <time.h>
#include <zlib.h>

#include "base/sys.h"

#define LOCAL_LEN 30
#define CENTRAL_LEN 46
#define VERSION 20	/* APPNOTE 4.4.3: 2.0 */
#define UTF8_FLAG 0x0800
#define UNIX_HOST 0x0300
#define MODE ((uint32_t)0100600 << 16)

static void
le16(struct wr *w, uint32_t v)
{
	wr_u8(w, (uint8_t)v);
	wr_u8(w, (uint8_t)(v >> 8));
}

static void
le32(struct wr *w, uint32_t v)
{
	le16(w, v);
	le16(w, v >> 16);
}

/* MS-DOS date and time, in UTC. */
static uint32_t
dos_time(uint64_t unix_ms)
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL || tm.tm_year < 80)
		return 0x21u << 16;	/* 1980-01-01 */
	return (uint32_t)(tm.tm_year - 80) << 25 |
	    (uint32_t)(tm.tm_mon + 1) << 21 | (uint32_t)tm.tm_mday << 16 |
	    (uint32_t)tm.tm_hour << 11 | (uint32_t)tm.tm_min << 5 |
	    (uint32_t)tm.tm_sec / 2;
}

void
zip_begin(struct zip *z, int fd, uint64_t unix_ms)
{
	*z = (struct zip){ .fd = fd, .dos_time = dos_time(unix_ms) };
}

static enum err
put(struct zip *z, struct span s)
{
	if (z->at + s.n > ZIP_MAX)
		return ERR_TOO_LARGE;
	TRY(sys_spool_write(z->fd, z->at, s));
	z->at += s.n;
	return OK;
}

/* What both kinds of headers have in common (APPNOTE 4.3.7, 4.3.12). */
static void
common(const struct zip *z, const struct zip_entry *e, struct wr *w)
{
	le16(w, VERSION);
	le16(w, UTF8_FLAG);
	le16(w, 0);		/* stored */
	le32(w, z->dos_time);
	le32(w, e->crc);
	le32(w, e->size);
	le32(w, e->size);
	le16(w, (uint32_t)strlen(e->name));
	le16(w, 0);
}

static struct span
local(const struct zip *z, const struct zip_entry *e, struct wr *w)
{
	wr_str(w, "PK\3\4");
	common(z, e, w);
	wr_str(w, e->name);
	return wr_done(w);
}

enum err
zip_open(struct zip *z, const char *name)
{
	uint8_t text[LOCAL_LEN + ZIP_NAME_MAX];
	struct wr w = wr_init(text, sizeof(text));
	struct zip_entry *e = &z->entries[z->n];

	if (z->n == ZIP_ENTRIES_MAX || z->is_open ||
	    strlen(name) >= ZIP_NAME_MAX)
		return ERR_LIMIT;
	*e = (struct zip_entry){ .at = z->at };
	memcpy(e->name, name, strlen(name) + 1);
	z->n++;
	z->is_open = true;
	return put(z, local(z, e, &w));
}

enum err
zip_write(struct zip *z, struct span bytes)
{
	struct zip_entry *e = &z->entries[z->n - 1];

	if (!z->is_open || bytes.n > ZIP_MAX)
		return ERR_ARG;
	if (bytes.n == 0)
		return OK;
	TRY(put(z, bytes));
	e->crc = (uint32_t)crc32(e->crc, bytes.p, (uInt)bytes.n);
	e->size += (uint32_t)bytes.n;
	return OK;
}

enum err
zip_close(struct zip *z)
{
	uint8_t text[LOCAL_LEN + ZIP_NAME_MAX];
	struct wr w = wr_init(text, sizeof(text));
	const struct zip_entry *e = &z->entries[z->n - 1];

	if (!z->is_open)
		return ERR_ARG;
	z->is_open = false;
	return sys_spool_write(z->fd, e->at, local(z, e, &w));
}

static enum err
central(struct zip *z, const struct zip_entry *e)
{
	uint8_t text[CENTRAL_LEN + ZIP_NAME_MAX];
	struct wr w = wr_init(text, sizeof(text));

	wr_str(&w, "PK\1\2");
	le16(&w, UNIX_HOST | VERSION);
	common(z, e, &w);
	le16(&w, 0);		/* comment */
	le16(&w, 0);		/* disk */
	le16(&w, 0);
	le32(&w, MODE);
	le32(&w, (uint32_t)e->at);
	wr_str(&w, e->name);
	return wr_ok(&w) ? put(z, wr_done(&w)) : ERR_INTERNAL;
}

enum err
zip_end(struct zip *z, uint64_t *n_out)
{
	uint64_t from = z->at, n;
	uint8_t text[22];
	struct wr w = wr_init(text, sizeof(text));

	if (z->is_open)
		return ERR_ARG;
	for (size_t i = 0; i < z->n; i++)
		TRY(central(z, &z->entries[i]));
	n = z->at - from;
	wr_str(&w, "PK\5\6");	/* APPNOTE 4.3.16 */
	le32(&w, 0);
	le16(&w, (uint32_t)z->n);
	le16(&w, (uint32_t)z->n);
	le32(&w, (uint32_t)n);
	le32(&w, (uint32_t)from);
	le16(&w, 0);
	TRY(put(z, wr_done(&w)));
	*n_out = z->at;
	return OK;
}
