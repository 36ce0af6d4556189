/*
 * out_file.c: see out_file.h.
 */
#include "net/out_file.h"

#define PIECE_MAX (256u << 10)	/* bytes sent between two looks at the file */

struct open_file {
	struct sys_file f;
	unsigned refs;
};

static struct out_file *
piece_new(struct open_file *open, uint64_t at, uint64_t n)
{
	struct out_file *of = calloc(1, sizeof *of);

	if (of == NULL)
		return NULL;
	of->open = open;
	of->at = at;
	of->left = n;
	open->refs++;
	return of;
}

struct out_file *
out_file_new(const struct sys_file *f, uint64_t at, uint64_t n)
{
	struct open_file *open = calloc(1, sizeof *open);
	struct out_file *of;

	if (open == NULL)
		return NULL;
	open->f = *f;
	if ((of = piece_new(open, at, n)) == NULL)
		free(open);
	return of;
}

struct out_file *
out_file_again(const struct out_file *of, uint64_t at, uint64_t n)
{
	return piece_new(of->open, at, n);
}

void
out_file_free(struct out_file *of)
{
	if (of == NULL)
		return;
	if (--of->open->refs == 0) {
		sys_close(of->open->f.fd);
		free(of->open);
	}
	free(of->buf);
	free(of);
}

bool
out_file_is_same(const struct out_file *of)
{
	return sys_file_is_same(&of->open->f);
}

static void
advance(struct out_file *of, uint64_t n)
{
	of->at += n;
	of->left -= n;
}

long
out_file_send(struct out_file *of, struct tls_conn *tls, int sock)
{
	size_t max = of->left < PIECE_MAX ? (size_t)of->left : PIECE_MAX;
	int fd = of->open->f.fd;
	long n;

	if (of->no_sendfile)
		return SYS_UNSUPPORTED;
	n = tls != NULL ? tls_sendfile(tls, fd, of->at, max) :
	    sys_sendfile(sock, fd, of->at, max);
	if (n == SYS_UNSUPPORTED)
		of->no_sendfile = true;
	if (n > 0)
		advance(of, (uint64_t)n);
	/* At its end already: it was longer when we promised. */
	return n == 0 ? SYS_ERROR : n;
}

uint32_t
out_file_fill(struct out_file *of)
{
	size_t n = of->left < OUT_FILE_BUF ? (size_t)of->left : OUT_FILE_BUF;

	if (of->buf == NULL && (of->buf = malloc(OUT_FILE_BUF)) == NULL)
		return 0;
	for (size_t at = 0; at < n;) {
		long k = sys_file_pread(of->open->f.fd, of->buf + at, n - at,
		    of->at + at);

		if (k <= 0)
			return 0;	/* shorter than it was */
		at += (size_t)k;
	}
	/* Asked behind the reading, so that what was read is of that file. */
	if (!out_file_is_same(of))
		return 0;
	advance(of, n);
	return (uint32_t)n;
}
