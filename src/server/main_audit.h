/*
 * main_audit.h: nightjard audit verify and audit export.
 */
#ifndef SERVER_MAIN_AUDIT_H
#define SERVER_MAIN_AUDIT_H

#include "server/conf.h"
#include "server/data.h"

/*
 * words: what follows "audit". Exit status: 0 all is well, 1 it is not or can
 * not be told, 2 usage.
 */
int main_audit(const struct conf *conf, const struct data *d,
    const char *const *words, size_t n, bool json);

#endif
