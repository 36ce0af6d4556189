/*
 * backup_file.c: see backup_file.h.
 */
#include "cli/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "NJBACKUP"
#define FRONT_LEN (8 + 1 + 8)

static bool
write_all(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0) {
		ssize_t got = write(fd, b, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		b += got;
		n -= (size_t)got;
	}
	return true;
}

static bool
write_piece(int fd, struct span s)
{
	uint8_t len[4];
	struct wr w = wr_init(len, sizeof(len));

	wr_u32(&w, (uint32_t)s.n);
	return write_all(fd, len, sizeof(len)) && write_all(fd, s.p, s.n);
}

static bool
write_front(int fd, uint64_t head_at)
{
	uint8_t front[FRONT_LEN];
	struct wr w = wr_init(front, sizeof(front));

	wr_str(&w, MAGIC);
	wr_u8(&w, 1);
	wr_u64(&w, head_at);
	return pwrite(fd, front, sizeof(front), 0) == (ssize_t)sizeof(front);
}

/* Parts, the end of parts, the head; then the front says where that is. */
static enum err
write_export(struct host *h, int fd, struct client_export *x,
    struct client_backup *out)
{
	struct span part = { NULL, 0 }, head;
	uint64_t at = FRONT_LEN;
	bool done = false;

	if (!write_front(fd, 0) || lseek(fd, FRONT_LEN, SEEK_SET) < 0)
		return ERR_IO;
	for (;;) {
		struct arena_mark m = arena_mark(&h->query);
		enum err e = client_export_next(&h->client, &h->query, x,
		    &part, &done);
		if (e == OK && !done && !write_piece(fd, part))
			e = ERR_IO;
		at += done ? 0 : 4 + part.n;
		arena_wipe(&h->query, m);
		TRY(e);
		if (done)
			break;
	}
	if (!write_piece(fd, (struct span){ NULL, 0 }))
		return ERR_IO;
	TRY(client_export_head(&h->client, &h->query, x, &head, out));
	out->size = at + 8 + head.n;
	return write_piece(fd, head) && write_front(fd, at + 4) &&
	    fsync(fd) == 0 ? OK : ERR_IO;
}

static enum err
write_snapshot(struct host *h, int fd, const struct client_input *create,
    struct client_backup *out)
{
	struct client_export x;

	TRY(host_read(h));
	enum err e = client_export_begin(&h->client, &h->query, create, &x);
	if (e == OK)
		e = write_export(h, fd, &x, out);
	client_export_end(&x);
	host_read_end(h);
	return e;
}

enum exit_status
backup_file_write(struct host *h, const char *path,
    struct client_input *create, struct client_backup *out)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		host_error(h, "%s cannot be made (%s)", path,
		    strerror(errno));
		return EXIT_FAILED;
	}
	create->now_ms = sys_unix_ms();
	enum err e = write_snapshot(h, fd, create, out);
	if (close(fd) != 0 && e == OK)
		e = ERR_IO;
	if (e == OK)
		return EXIT_OK;
	(void)unlink(path);
	if (e == ERR_FORBIDDEN)
		host_error(h, "this device has not the account key: make the "
		    "backup on a manager");
	else
		host_error(h, "the backup could not be written to %s (%s)",
		    path, err_text(e));
	return EXIT_FAILED;
}

/* ---- reading ---- */

static bool
read_at(int fd, void *p, size_t n, uint64_t at)
{
	return pread(fd, p, n, (off_t)at) == (ssize_t)n;
}

static bool
read_u32(int fd, uint64_t at, uint32_t *out)
{
	uint8_t b[4];
	struct rd r = rd_init(SPAN_OF(b));

	if (!read_at(fd, b, sizeof(b), at))
		return false;
	*out = rd_u32(&r);
	return true;
}

static bool
read_head(struct backup_file *f, uint8_t *head, size_t *n_out)
{
	uint8_t front[FRONT_LEN];
	struct rd r = rd_init(SPAN_OF(front));
	uint32_t n;

	if (!read_at(f->fd, front, sizeof(front), 0) ||
	    !span_eq(rd_span(&r, 8), SPAN(MAGIC)) || rd_u8(&r) != 1)
		return false;
	f->head_at = rd_u64(&r);
	f->at = FRONT_LEN;
	f->next = 0;
	if (f->head_at > INT64_MAX / 2 || !read_u32(f->fd, f->head_at, &n) ||
	    n == 0 || n > CLIENT_BACKUP_HEAD_MAX)
		return false;
	*n_out = n;
	return read_at(f->fd, head, n, f->head_at + 4);
}

enum exit_status
backup_file_open(struct host *h, const char *path, struct backup_file *f,
    uint8_t *head, size_t *n_out)
{
	*f = (struct backup_file){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (f->fd < 0) {
		host_error(h, "%s cannot be read (%s)", path,
		    strerror(errno));
		return EXIT_FAILED;
	}
	if (read_head(f, head, n_out))
		return EXIT_OK;
	backup_file_close(f);
	host_error(h, "%s is no backup of Nightjar, or was not written to its "
	    "end", path);
	return EXIT_FAILED;
}

bool
backup_file_part(struct backup_file *f, uint32_t number, uint8_t *mem,
    size_t *n_out)
{
	uint32_t n;

	if (number < f->next) {		/* asked for again */
		f->next = 0;
		f->at = FRONT_LEN;
	}
	for (;; f->next++, f->at += 4 + (uint64_t)n) {
		if (f->at >= f->head_at || !read_u32(f->fd, f->at, &n) ||
		    n == 0 || n > CLIENT_BACKUP_PART_MAX)
			return false;
		if (f->next == number)
			break;
	}
	*n_out = n;
	return read_at(f->fd, mem, n, f->at + 4);
}

void
backup_file_close(struct backup_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
