/*
 * files_path_fuzz.c: paths of URLs to names of files. Laws: what is accepted
 * has no empty name, none that begins with a dot, no slash or backslash that
 * was coded and no control character; coded again and decoded it is the same;
 * it is accepted name by name as it is whole.
 */
#include <assert.h>

#include "base/fuzz.h"
#include "base/text.h"
#include "edge/files_private.h"

static void
check_name(struct span raw, struct span name)
{
	char one[FILES_PATH_MAX + 1], again[FILES_PATH_MAX + 1];
	uint8_t text[3 * FILES_PATH_MAX];
	struct wr w = wr_init(text, sizeof text);
	size_t n;

	assert(name.n > 0);
	assert(name.n <= 255);
	assert(name.p[0] != '.');
	for (size_t i = 0; i < name.n; i++)
		assert(name.p[i] >= 0x20 && name.p[i] != '\\');
	assert(edge_files_path(raw, one, &n));
	assert(span_eq(span_of(one, n), name));
	http_put_coded(&w, name);
	assert(wr_ok(&w));
	assert(edge_files_path(wr_done(&w), again, &n));
	assert(span_eq(span_of(again, n), name));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = span_of(data, size), path;
	char out[FILES_PATH_MAX + 1];
	size_t n;

	if (!edge_files_path(raw, out, &n))
		return 0;
	path = span_of(out, n);
	assert(n <= FILES_PATH_MAX);
	assert(out[n] == '\0');
	assert(memchr(out, 0, n) == NULL);
	assert(utf8_valid(path));
	assert(edge_files_type(path).n > 0);
	for (bool more = true; more;) {
		size_t a = span_find(raw, '/'), b = span_find(path, '/');

		check_name(span_sub(raw, 0, a), span_sub(path, 0, b));
		assert((a == raw.n) == (b == path.n));
		more = a < raw.n;
		raw = span_sub(raw, a + 1, raw.n);
		path = span_sub(path, b + 1, path.n);
	}
	return 0;
}
