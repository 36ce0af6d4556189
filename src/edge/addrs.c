/*
 * addrs.c: how many of something each address has, with a limit for each.
 * exports edge_addrs_*
 */
#include <assert.h>

#include "edge/private.h"

/* An IPv4 address counts alone, an IPv6 one with its /64. */
static void
key_of(const struct sys_addr *a, uint8_t key[static EDGE_ADDR_KEY])
{
	memset(key, 0, EDGE_ADDR_KEY);
	memcpy(key, a->ip, sys_addr_is_v4(a) ? 16 : 8);
}

/* What a machine does with itself, or a proxy on it, is no flood. */
static bool
counts(uint32_t max, const struct sys_addr *a)
{
	static const uint8_t local6[16] = { [15] = 1 };

	if (max == 0)
		return false;
	return sys_addr_is_v4(a) ? a->ip[12] != 127 :
	    memcmp(a->ip, local6, sizeof(local6)) != 0;
}

bool
edge_addrs_take(struct map *m, uint32_t max, const struct sys_addr *a)
{
	uint8_t key[EDGE_ADDR_KEY];
	uintptr_t n;

	if (!counts(max, a))
		return true;
	key_of(a, key);
	n = (uintptr_t)map_find(m, key);
	return n < max && map_put(m, key, (void *)(n + 1)) == OK;
}

void
edge_addrs_give(struct map *m, uint32_t max, const struct sys_addr *a)
{
	uint8_t key[EDGE_ADDR_KEY];
	uintptr_t n;

	if (!counts(max, a))
		return;
	key_of(a, key);
	n = (uintptr_t)map_find(m, key);
	assert(n > 0);
	/* Setting a key that is there can not fail. */
	if (n == 1)
		(void)map_remove(m, key);
	else if (map_put(m, key, (void *)(n - 1)) != OK)
		abort();
}
