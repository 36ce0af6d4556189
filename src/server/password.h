/*
 * password.h: which passwords are accepted: 8 characters to 1,024 bytes with an
 * upper and a lower case letter, a digit and another character, and none that
 * anybody would try first.
 */
#ifndef SERVER_PASSWORD_H
#define SERVER_PASSWORD_H

#include "base/bytes.h"

/*
 * NULL when it is good, else what it must be ("must have a digit"). The name
 * of its owner must not be its main part.
 */
const char *password_fault(struct span password, struct span username);

#endif
