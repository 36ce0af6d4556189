/*
 * attach.h: files, sealed under keys of their own (docs/protocol.md,
 * "Attachments"). The host moves the bytes, one chunk at a time; a blob is a
 * commitment and the sealed chunks. Freestanding.
 *
 *	ek[32] || np[7] || commit[32] = HKDF(0^32, key, "NJ1 att", 71)
 *	blob = commit || AES-256-GCM(ek, np || u32 i || u8 last,
 *	       AD = "NJ1 att" || u32 chunk_size, chunk i) ...
 */
#ifndef CORE_ATTACH_H
#define CORE_ATTACH_H

#include "crypto/provider.h"

#define ATTACH_KEY_LEN 32
#define ATTACH_CHUNK_LEN 65536u
#define ATTACH_SEALED_MAX (ATTACH_CHUNK_LEN + GCM_TAG_LEN)
#define ATTACH_PADDED_MIN 1024u
#define ATTACH_FILE_MAX (1ull << 40)

struct attach {
	const struct provider *p;
	uint8_t ek[AES256_KEY_LEN];
	uint8_t np[7];
	uint8_t commit[SHA256_LEN];	/* the first bytes of the blob */
};

/* Derives what all chunks of a file need; secret: attach_wipe. */
MUST_USE enum err attach_init(struct attach *a, const struct provider *p,
    const uint8_t key[static ATTACH_KEY_LEN]);
void attach_wipe(struct attach *a);
/* The bytes that are sealed for a file of this size: with its padding; 0 when
 * it is larger than ATTACH_FILE_MAX. */
uint64_t attach_padded(uint64_t file_bytes);
/* How many chunks that is, and how many bytes the blob has. */
uint32_t attach_chunks(uint64_t padded);
uint64_t attach_blob(uint64_t padded);
/* The plain bytes of chunk i: ATTACH_CHUNK_LEN but in the last one. 0: there
 * is no such chunk. */
size_t attach_chunk_len(uint64_t padded, uint32_t i);
/*
 * attach_seal(a, padded, i, plain, out):
 *   plain  in   attach_chunk_len bytes: the file's, then zeros
 *   out    out  plain.n + GCM_TAG_LEN bytes; may be plain.p
 * ERR_ARG: not the length of this chunk.
 */
MUST_USE enum err attach_seal(const struct attach *a, uint64_t padded,
    uint32_t i, struct span plain, uint8_t *out);
/* The reverse. ERR_FORMAT: not the length of this chunk.  ERR_AUTH. */
MUST_USE enum err attach_open(const struct attach *a, uint64_t padded,
    uint32_t i, struct span sealed, uint8_t *out);
/* The first bytes of a blob, in constant time. ERR_NO_KEY: another key. */
MUST_USE enum err attach_check_commit(const struct attach *a,
    const uint8_t commit[static SHA256_LEN]);

#endif
