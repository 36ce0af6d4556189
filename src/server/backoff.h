/*
 * backoff.h: makes guessing the password of one account slow. Shared by all
 * threads.
 */
#ifndef SERVER_BACKOFF_H
#define SERVER_BACKOFF_H

#include "base/bytes.h"

/*
 * Delay after failed logins of one account (named by what was typed, in lower
 * case, whether it exists or not): from the third failure on 1 s, doubling up
 * to accounts.backoff_max. A success clears it.
 */
struct backoff;
MUST_USE enum err backoff_open(struct backoff **out);
void backoff_close(struct backoff *b);
/* Seconds that this account has to wait still; 0: it may try. */
uint32_t backoff_wait_s(struct backoff *b, struct span account,
    uint64_t now_ms);
void backoff_failed(struct backoff *b, struct span account, uint64_t now_ms,
    uint64_t max_ms);
void backoff_clear(struct backoff *b, struct span account);

#endif
