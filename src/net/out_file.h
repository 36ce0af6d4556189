/*
 * out_file.h: a piece of a file on its way out: what net/stream.c keeps of it
 * in the queue of a stream. Pieces of one file share its descriptor, which
 * goes with the last of them. One thread at a time.
 */
#ifndef NET_OUT_FILE_H
#define NET_OUT_FILE_H

#include "base/sys.h"
#include "net/tls.h"

#define OUT_FILE_BUF 16384	/* bytes read at a time, a record's (RFC 8446
				   5.1), where sendfile can not be used */

struct open_file;

/* Fields are out_file.c's, but for buf. */
struct out_file {
	struct open_file *open;
	uint64_t at, left;
	uint8_t *buf;		/* OUT_FILE_BUF bytes, once out_file_fill */
	bool no_sendfile;
};

/*
 * n > 0 bytes from `at` on. The descriptor is taken over; on failure it stays
 * the caller's. NULL: no memory.
 */
struct out_file *out_file_new(const struct sys_file *f, uint64_t at,
    uint64_t n);
/* Another piece of the same file. */
struct out_file *out_file_again(const struct out_file *of, uint64_t at,
    uint64_t n);
void out_file_free(struct out_file *of);	/* NULL does nothing */
/* Is the file still as long, and not written to? */
bool out_file_is_same(const struct out_file *of);
/*
 * Sends a part of what is left without reading it: bytes, SYS_AGAIN,
 * SYS_ERROR, or SYS_UNSUPPORTED: out_file_fill has to be used.
 */
long out_file_send(struct out_file *of, struct tls_conn *tls, int sock);
/*
 * Reads the next bytes of what is left into buf; how many, or 0: the file is
 * not any more what it was, or there is no memory.
 */
uint32_t out_file_fill(struct out_file *of);

#endif
