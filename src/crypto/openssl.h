/*
 * openssl.h: the native provider: every primitive of provider.h from OpenSSL
 * (>= 3.5). One provider object belongs to one thread at a time: its contexts
 * are reused from call to call. Programs call host_init() (host.h) first.
 *
 * Private keys are given as seeds with each call; the provider keeps a small
 * cache of OpenSSL's expanded handles, so that a key in use is not expanded
 * again (30 us for X25519, 75 for ML-KEM, 600 for ML-DSA). A cache entry is
 * found by the whole seed, compared in constant time; when it is evicted or
 * the provider is closed OpenSSL frees it and wipes it, and so do we the seed.
 * Who erases a private key calls provider_forget, or it lives on in the cache.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include "crypto/provider.h"

/*
 * openssl_provider_open(out):
 * Make a provider; its state is on the heap (start-up of a thread).
 *   out  out  the table; all zero unless OK
 * ERR_NOMEM.  ERR_PROVIDER: this OpenSSL lacks an algorithm.
 */
MUST_USE enum err openssl_provider_open(struct provider *out);

/* Wipes and frees what open made; a zeroed provider is fine. */
void openssl_provider_close(struct provider *p);

/*
 * Drops every cached private key at once (the profile is locked, an account
 * is signed out). The provider stays usable.
 */
void openssl_provider_forget(struct provider *p);

#endif
