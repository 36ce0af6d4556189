/*
 * archive.h: history on its way to a new device or into a backup
 * (docs/protocol.md, "Archives"): a stream of records, cut into chunks that
 * are sealed one by one under the archive's key. Records never cross chunks,
 * so a chunk is made, sent, fetched and read without any other, and both
 * sides go on where they stopped. Freestanding.
 *
 *	chunk = 0x1A | u8 1 | u8 flags (bit 0: last) | u32 index | commit[32] |
 *	        salt[16] | AES-256-GCM(plain) | tag[16]
 *	plain = pad(u8 kind | bytes) ... | zeros
 * The plain of every chunk but the last has ARCHIVE_PLAIN_LEN bytes, that of
 * the last the padded size of what is in it (pad.h), at least 1024.
 *
 * A chunk is sealed with a salt of its own: made again with other contents
 * (after a crash, or from a store that was put back) it is under other keys.
 * What was sealed is still stored together with the place in the history that
 * it reached, before it is sent: the server takes a part only once.
 */
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include "base/id.h"
#include "crypto/provider.h"

#define ARCHIVE_KEY_LEN 32
#define ARCHIVE_HEAD_LEN (1 + 1 + 1 + 4 + 32 + 16)		/* 55 */
#define ARCHIVE_PLAIN_LEN 65536
#define ARCHIVE_CHUNK_MAX (ARCHIVE_HEAD_LEN + ARCHIVE_PLAIN_LEN + 16)
#define ARCHIVE_CHUNKS_MAX 65536		/* 4 GiB */
/* The bytes of a record: with its kind, padded, it fits one chunk. */
#define ARCHIVE_RECORD_MAX (ARCHIVE_PLAIN_LEN - 4 - 1)

struct archive_key { uint8_t b[ARCHIVE_KEY_LEN]; };	/* random, used for
							 * one archive */

/* What all chunks of one archive are sealed and opened with; secret. */
struct archive {
	const struct provider *p;
	uint8_t ek[AES256_KEY_LEN];
	uint8_t commit[SHA256_LEN];
};

/* Derives the keys. The account binds an archive to its owner. */
MUST_USE enum err archive_init(struct archive *a, const struct provider *p,
    const struct archive_key *key, const struct user_id *account);
void archive_wipe(struct archive *a);

/* ---- making ---- */

/* Collects the records of one chunk. */
struct archive_writer {
	struct wr w;		/* over ARCHIVE_PLAIN_LEN bytes */
	uint32_t records_n;
};

/* mem: ARCHIVE_PLAIN_LEN bytes of the caller's, which will hold plaintext. */
void archive_begin(struct archive_writer *w, uint8_t *mem);
/*
 * archive_add(w, kind, bytes):
 *   kind  in  1..255: what the bytes are is the client's matter
 * ERR_SPACE: it does not fit any more; seal this chunk, begin the next one.
 * Nothing was added.  ERR_TOO_LARGE: it fits no chunk.  ERR_ARG: kind 0.
 */
MUST_USE enum err archive_add(struct archive_writer *w, uint8_t kind,
    struct span bytes);
/*
 * archive_seal(a, index, last, w, out, n_out):
 *   index  in   0, 1, ... below ARCHIVE_CHUNKS_MAX
 *   last   in   the archive ends with it
 *   w      in   its memory is overwritten (padding)
 *   out    out  at least ARCHIVE_CHUNK_MAX bytes
 * ERR_ARG: index too high.  ERR_PROVIDER.
 */
MUST_USE enum err archive_seal(const struct archive *a, uint32_t index,
    bool last, struct archive_writer *w, uint8_t *out, size_t *n_out);

/* ---- reading ---- */

struct archive_head {
	uint32_t index;
	bool last;
};

/* Layout and length alone, of bytes that nothing authenticates. ERR_FORMAT,
 * ERR_VERSION. */
MUST_USE enum err archive_peek(struct span chunk, struct archive_head *out);
/*
 * archive_open(a, index, chunk, plain_out, n_out, last_out):
 *   index      in   which chunk it has to be
 *   plain_out  out  at least ARCHIVE_PLAIN_LEN bytes; zeros unless OK
 * ERR_NO_KEY: sealed with another key.  ERR_AUTH: changed on its way.
 * ERR_FORMAT, ERR_VERSION, ERR_CONFLICT: another chunk than this one.
 */
MUST_USE enum err archive_open(const struct archive *a, uint32_t index,
    struct span chunk, uint8_t *plain_out, size_t *n_out, bool *last_out);

/* Walks the records of an opened chunk. */
struct archive_reader {
	struct rd r;
	bool bad;
};
struct archive_reader archive_read(struct span plain);
/* The next record; it points into plain. False at the end: archive_end. */
bool archive_next(struct archive_reader *r, uint8_t *kind_out,
    struct span *bytes_out);
/* OK when all of the chunk was well-formed, else ERR_FORMAT. */
MUST_USE enum err archive_end(const struct archive_reader *r);

/* ---- digest ---- */

/*
 * One more sealed chunk into the digest of the archive: zeros before chunk 0,
 * then digest = TH("NJ1 archive digest", digest, chunk). Whoever keeps the
 * last one recognises the archive without its key.
 */
MUST_USE enum err archive_digest(const struct provider *p,
    uint8_t digest[static SHA256_LEN], struct span chunk);

#endif
