/*
 * cert_fuzz.c: what cert_decode accepts is exactly what cert_encode makes. The
 * input is the certificate, or what to change in a good one from a place on.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "pub/cert.h"

static struct span
change_good(struct span in, uint8_t mem[static CERT_LEN_MAX])
{
	struct cert c = { .device = 1, .suites_n = 2, .suites = { 1, 2 },
	    .vmin = 1, .vmax = 1 };
	struct wr w = wr_init(mem, CERT_LEN_MAX);
	size_t at;

	if (cert_encode(&c, &w) != OK)
		abort();
	at = (size_t)(in.p[1] << 8 | in.p[2]) % w.n;
	for (size_t i = 3; i < in.n && at < w.n; i++)
		mem[at++] ^= in.p[i];
	return wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cert c;
	static uint8_t mem[CERT_LEN_MAX], good[CERT_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span in = span_of(data, size);

	if (size > 3 && data[0] != 1)
		in = change_good(in, good);
	if (cert_decode(in, &c) != OK)
		return 0;
	(void)cert_check(&c);
	if (cert_encode(&c, &w) != OK ||
	    !span_eq(wr_done(&w), in))
		abort();
	return 0;
}
