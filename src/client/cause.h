/*
 * cause.h: counts how messages ended, by cause. Called where a message was
 * shown, refused, repaired or dropped.
 */
#ifndef CLIENT_CAUSE_H
#define CLIENT_CAUSE_H

#include "client/step.h"

/* e == OK: "what"; else "what_<name of the error>". */
MUST_USE enum err cause_count(struct step *s, const char *what, enum err e);

#endif
