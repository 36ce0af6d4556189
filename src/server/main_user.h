/*
 * main_user.h: `nightjard user ...`: what an operator does to accounts, while
 * the server of this data directory does not run.
 */
#ifndef SERVER_MAIN_USER_H
#define SERVER_MAIN_USER_H

#include "server/conf.h"
#include "server/data.h"

/*
 * Runs `user import FILE` or `user role NAME ROLE`; words begin behind "user".
 * Prints to standard output and error; the exit status.
 *   json  in  what is printed is one JSON object
 */
int main_user(const struct conf *conf, const struct data *d,
    const char *const *words, size_t n, bool json);

#endif
