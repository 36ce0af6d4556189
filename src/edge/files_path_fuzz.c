/*
 * files_path_fuzz.c: paths of URLs to names of files. Laws: what is accepted
 * has no empty name, none that begins with a dot, no backslash and no control
 * character; coded again and decoded it is the same.
 */
#include <assert.h>

#include "base/fuzz.h"
#include "base/text.h"
#include "edge/files_private.h"

static void
check_name(struct span name)
{
	assert(name.n > 0);
	assert(name.n <= 255);
	assert(name.p[0] != '.');
	for (size_t i = 0; i < name.n; i++)
		assert(name.p[i] >= 0x20 && name.p[i] != '\\');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = span_of(data, size), path;
	char out[FILES_PATH_MAX + 1], again[FILES_PATH_MAX + 1];
	uint8_t text[3 * FILES_PATH_MAX];
	struct wr w = wr_init(text, sizeof text);
	size_t n;

	if (!edge_files_path(raw, out, &n))
		return 0;
	path = span_of(out, n);
	assert(n <= FILES_PATH_MAX);
	assert(out[n] == '\0');
	assert(memchr(out, 0, n) == NULL);
	assert(utf8_valid(path));
	assert(edge_files_type(path).n > 0);
	http_put_coded(&w, path);
	assert(wr_ok(&w));
	assert(edge_files_path(wr_done(&w), again, &n));
	assert(span_eq(span_of(again, n), path));
	do {
		size_t slash = span_find(path, '/');

		check_name(span_sub(path, 0, slash));
		assert(slash + 1 != path.n);
		path = span_sub(path, slash + 1, path.n);
	} while (path.n > 0);
	return 0;
}
