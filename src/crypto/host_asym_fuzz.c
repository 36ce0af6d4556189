/*
 * Fuzzer of host_asym.c: keys of others, in DER, are outside bytes. Its laws:
 * a key is taken whole or not at all (no byte behind it is), and the point of
 * a P-256 key that is taken is one that ECDH takes too.
 */
#include "base/fuzz.h"
#include "crypto/host.h"
#include "crypto/openssl.h"

#define DER_MAX 2048

static void
demand(bool law)
{
	if (!law)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct provider p;
	static const uint8_t priv[P256_PRIV_LEN] = { 1 };
	uint8_t longer[DER_MAX + 1], point[P256_PUB_LEN], z[P256_Z_LEN];
	uint8_t ct[HOST_RSA_BYTES_MAX];
	struct span der = span_of(data, size < DER_MAX ? size : DER_MAX);
	struct span sig = span_sub(der, 0, 64);
	size_t n;
	enum err e;

	if (p.ctx == NULL)
		demand(host_init() == OK && openssl_provider_open(&p) == OK);
	if (der.n > 0)
		memcpy(longer, der.p, der.n);
	longer[der.n] = 0;
	e = host_p256_from_spki(der, point);
	demand(e == OK || e == ERR_FORMAT);
	if (e == OK) {
		demand(p.p256_ecdh(p.ctx, priv, point, z) == OK);
		demand(host_p256_from_spki(span_of(longer, der.n + 1),
		    point) == ERR_FORMAT);
	}
	e = host_es256_verify_der(der, SPAN("m"), sig);
	demand(e == OK || e == ERR_FORMAT || e == ERR_AUTH);
	e = host_es256_verify(der, SPAN("m"), sig);
	demand(e == OK || e == ERR_FORMAT || e == ERR_AUTH);
	e = host_rs256_verify(der, SPAN("m"), sig);
	demand(e == OK || e == ERR_FORMAT || e == ERR_AUTH);
	e = host_oaep_wrap(der, SPAN(""), SPAN("m"), ct, &n);
	demand(e == OK || e == ERR_FORMAT || e == ERR_PROVIDER);
	return 0;
}
