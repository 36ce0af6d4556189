/*
 * linking_fuzz.c: texts, offers, replies, facts and stored states of linking:
 * nothing crashes, what is accepted survives encode and decode, and no changed
 * Provisioning opens.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/linking.h"
#include "crypto/openssl.h"

static struct provider p;
static struct linking fresh;
static uint8_t sealed[LINKING_PROVISIONING_MAX];
static size_t sealed_n;

static void
start(void)
{
	struct any_id mailbox = { { 1 } };
	struct linking manager;
	struct linking_facts f = { .device = 2, .list_version = 3 };
	char code[LINKING_CODE_DIGITS + 1], text[LINKING_TEXT_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct wr w = wr_init(sealed, sizeof(sealed));

	if (openssl_provider_open(&p) != OK ||
	    linking_offer(&p, &mailbox, &fresh) != OK ||
	    linking_text(&p, &fresh, text) != OK ||
	    linking_text_parse(span_str(text), &mailbox, hash) != OK ||
	    linking_reply(&p, &mailbox, hash, SPAN_OF(fresh.offer),
	    &manager) != OK ||
	    linking_accept(&p, &fresh, SPAN_OF(manager.reply)) != OK)
		abort();
	linking_code(&fresh, code);
	if (linking_enter_code(&manager, span_str(code)) != OK ||
	    linking_provision(&p, &manager, &f, &w) != OK)
		abort();
	sealed_n = w.n;
}

static void
check_facts(struct span in)
{
	uint8_t mem[LINKING_PROVISIONING_MAX], two[LINKING_PROVISIONING_MAX];
	struct wr w = wr_init(mem, sizeof(mem)), v = wr_init(two, sizeof(two));
	struct linking_facts f, again;

	if (linking_decode_facts(in, &f) != OK)
		return;
	if (linking_encode_facts(&f, &w) != OK ||
	    linking_decode_facts(wr_done(&w), &again) != OK ||
	    linking_encode_facts(&again, &v) != OK ||
	    !span_eq(wr_done(&w), wr_done(&v)))
		abort();
}

static void
check_state(struct span in)
{
	uint8_t mem[LINKING_STATE_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	struct linking s;

	if (linking_decode(in, &s) == OK && (linking_encode(&s, &w) != OK ||
	    !span_eq(wr_done(&w), in)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	uint8_t hash[SHA256_LEN], changed[LINKING_PROVISIONING_MAX];
	uint8_t plain[LINKING_PROVISIONING_MAX];
	struct linking_facts f;
	struct linking copy;
	struct any_id mailbox;

	if (p.random == NULL)
		start();
	(void)!linking_text_parse(in, &mailbox, hash);
	(void)!linking_check_offer(in);
	(void)!linking_check_reply(in);
	check_facts(in);
	check_state(in);
	copy = fresh;
	(void)!linking_open_provisioning(&p, &copy, in, plain, &f);
	memcpy(changed, sealed, sealed_n);
	for (size_t i = 0; i + 2 < size && i < 60; i += 3)
		changed[(size_t)(data[i] << 8 | data[i + 1]) % sealed_n] ^=
		    data[i + 2];
	copy = fresh;
	if ((linking_open_provisioning(&p, &copy, span_of(changed, sealed_n),
	    plain, &f) == OK) != (memcmp(changed, sealed, sealed_n) == 0))
		abort();
	return 0;
}
