/*
 * memory.c: the limits that the kernel tells in its files. cgroup v2: Linux,
 * Documentation/admin-guide/cgroup-v2.rst, "memory.max".
 */
#include "server/memory.h"

#include "base/sys.h"
#include "crypto/host.h"

#define MEMORY_FILE_MAX ((size_t)16 << 10)
#define MEMORY_PATH_MAX 1024
#define MEMORY_SHARE 4		/* hashing may have one part in so many */
#define MEMORY_GROUPS SPAN("/sys/fs/cgroup")

static struct span
first_word(struct span s)
{
	size_t n = 0;

	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_sub(s, 1, s.n);
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\n')
		n++;
	return span_sub(s, 0, n);
}

/* What follows `head` at the beginning of a line; without a pointer: none. */
static struct span
line_after(struct span text, struct span head)
{
	while (text.n > 0) {
		size_t n = span_find(text, '\n');
		struct span line = span_sub(text, 0, n);

		if (span_starts(line, head))
			return span_sub(line, head.n, line.n);
		text = span_sub(text, n + 1, text.n);
	}
	return (struct span){ NULL, 0 };
}

uint64_t
memory_of_machine(struct span meminfo)
{
	uint64_t kib;

	if (!span_u64(first_word(line_after(meminfo, SPAN("MemTotal:"))),
	    UINT64_MAX / 1024, &kib))
		return 0;
	return kib * 1024;
}

uint64_t
memory_of_group(struct span text)
{
	uint64_t bytes;

	return span_u64(first_word(text), UINT64_MAX, &bytes) ? bytes : 0;
}

static uint64_t
read_group(struct span group, struct buf *out)
{
	char path[MEMORY_PATH_MAX];
	struct wr w = wr_init(path, sizeof(path));

	wr_span(&w, MEMORY_GROUPS);
	wr_span(&w, group);
	wr_str(&w, "/memory.max");
	wr_u8(&w, '\0');
	out->n = 0;
	if (!wr_ok(&w) || sys_file_read(path, out) != OK)
		return 0;
	return memory_of_group(span_of(out->p, out->n));
}

/* The smallest of the group's and those above it. */
static uint64_t
read_groups(struct span group, uint64_t least, struct buf *scratch)
{
	for (;;) {
		uint64_t bytes = read_group(group, scratch);

		if (bytes != 0 && (least == 0 || bytes < least))
			least = bytes;
		if (group.n == 0)
			return least;
		do
			group.n--;
		while (group.n > 0 && group.p[group.n] != '/');
	}
}

uint64_t
memory_bytes(void)
{
	struct buf text, scratch;
	uint64_t bytes = 0;

	buf_init(&text, MEMORY_FILE_MAX);
	buf_init(&scratch, MEMORY_FILE_MAX);
	if (sys_file_read("/proc/meminfo", &text) == OK)
		bytes = memory_of_machine(span_of(text.p, text.n));
	text.n = 0;
	/* "0::/path" is the line of version 2. */
	if (sys_file_read("/proc/self/cgroup", &text) == OK)
		bytes = read_groups(line_after(span_of(text.p, text.n),
		    SPAN("0::")), bytes, &scratch);
	buf_fini(&text);
	buf_fini(&scratch);
	return bytes;
}

unsigned
memory_hashers(unsigned wanted, uint64_t bytes)
{
	uint64_t fit = bytes / MEMORY_SHARE /
	    ((uint64_t)HOST_ARGON_M_KIB * 1024);

	if (bytes == 0 || fit >= wanted)
		return wanted;
	return fit == 0 ? 1 : (unsigned)fit;
}
