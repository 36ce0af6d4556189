/*
 * bytes.h: borrowed spans, a reading cursor, a writing cursor over the
 * caller's memory, an owned growing buffer. All arithmetic on byte pointers
 * of the repository happens here. No function reads or writes out of bounds:
 * a cursor that would turns bad, gives zeros (or writes nothing) from then
 * on, and is asked once at the end (rd_done, wr_ok).
 * Freestanding except for buf_*, which uses the heap.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Borrowed bytes: valid as long as what they point into. {NULL,0} is empty. */
struct span {
	const uint8_t *p;
	size_t n;
};

/* A span of a string literal, without its NUL. */
#define SPAN(lit) ((struct span){ (const uint8_t *)("" lit), sizeof(lit) - 1 })
/* A span of a fixed array. */
#define SPAN_OF(arr) ((struct span){ (const uint8_t *)(arr), sizeof(arr) })

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ (const uint8_t *)p, n };
}

static inline struct span
span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

/* Not in constant time: for public bytes only (secrets: ct_eq). */
static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The bytes [from, from + n) of s, cut at its end. */
struct span span_sub(struct span s, size_t from, size_t n);
bool span_starts(struct span s, struct span head);
/* Without the spaces and tabs at its ends (RFC 9110 5.6.3: OWS). */
static inline struct span
span_trim(struct span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct span){ s.p + 1, s.n - 1 };
	return s;
}
/* Index of byte c, or s.n when absent. */
size_t span_find(struct span s, uint8_t c);
/* Lexicographic order of bytes, shorter first on a tie; like memcmp. */
int span_cmp(struct span a, struct span b);
/* Equal but for the case of ASCII letters. */
bool span_eq_nocase(struct span a, struct span b);
/* Decimal digits only, no sign, no leading zero but "0" itself, at most max. */
bool span_u64(struct span s, uint64_t max, uint64_t *out);

/* Reading cursor. */
struct rd {
	const uint8_t *p;
	size_t n;		/* bytes left */
	bool bad;
};

static inline struct rd
rd_init(struct span s)
{
	return (struct rd){ s.p, s.n, false };
}

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);	/* big-endian, as all integers here */
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* RFC 9000 16 varint, minimal form only, at most 4 bytes (< 2^30). */
uint32_t rd_varint(struct rd *r);
/* Copies n bytes; zeros when they are not there. */
void rd_bytes(struct rd *r, void *out, size_t n);
/* Borrows n bytes; an empty span when they are not there. */
struct span rd_span(struct rd *r, size_t n);
struct span rd_vec16(struct rd *r);
struct span rd_vec32(struct rd *r);
struct span rd_rest(struct rd *r);
/* True when nothing went wrong and nothing is left. */
bool rd_done(const struct rd *r);

/* Writing cursor over memory of a fixed size. */
struct wr {
	uint8_t *p;
	size_t n;		/* bytes written */
	size_t cap;
	bool bad;
};

static inline struct wr
wr_init(void *p, size_t cap)
{
	return (struct wr){ (uint8_t *)p, 0, cap, false };
}

void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_varint(struct wr *w, uint32_t v);
void wr_bytes(struct wr *w, const void *p, size_t n);
void wr_span(struct wr *w, struct span s);
void wr_zeros(struct wr *w, size_t n);
void wr_vec16(struct wr *w, struct span s);
void wr_vec32(struct wr *w, struct span s);
/* Room for n bytes to be filled in by the caller; NULL when there is none. */
uint8_t *wr_room(struct wr *w, size_t n);
/* Decimal text of v; for JSON and HTTP. */
void wr_dec(struct wr *w, uint64_t v);
void wr_str(struct wr *w, const char *s);

static inline bool
wr_ok(const struct wr *w)
{
	return !w->bad;
}

static inline struct span
wr_done(const struct wr *w)
{
	return (struct span){ w->p, w->n };
}

/* How many bytes the varint of v takes: 1, 2 or 4. */
size_t varint_len(uint32_t v);

/*
 * Owned bytes on the heap that grow up to max (curl's dynbuf): beyond it, or
 * without memory, the buffer keeps what it has and the call says
 * ERR_TOO_LARGE or ERR_NOMEM. A span into it is good until the next call.
 */
struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);		/* frees; a zeroed buf is fine */
MUST_USE enum err buf_reserve(struct buf *b, size_t more);
MUST_USE enum err buf_add(struct buf *b, const void *p, size_t n);
MUST_USE enum err buf_add_span(struct buf *b, struct span s);
MUST_USE enum err buf_add_str(struct buf *b, const char *s);
void buf_drop(struct buf *b, size_t n);	/* removes n bytes at the front */
void buf_clear(struct buf *b);		/* keeps the memory */

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

/* Overwrites n bytes in a way that the compiler keeps. */
void wipe(void *p, size_t n);
/* Equality in time that depends on n only. */
bool ct_eq(const void *a, const void *b, size_t n);

#endif
