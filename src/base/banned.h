/*
 * banned.h: force-included first (-include base/banned.h). Functions that
 * invite mistakes become compile errors. The system's headers that declare
 * them are included here, before the names are poisoned. Those whose names
 * libraries use for other things (rand, time, signal) tidy.py looks for.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#if !defined(__wasm__)

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>
#include <wchar.h>

/* Some are macros in some builds. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef sscanf
#undef atoi
#undef atol
#undef atoll
#undef gets
#undef alloca
#undef gettimeofday
#undef localtime
#undef gmtime
#undef ctime
#undef asctime
#if !defined(BANNED_ALLOW_SETJMP) /* cmocka's own header needs setjmp */
#undef setjmp
#pragma GCC poison setjmp longjmp
#endif
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok
#pragma GCC poison sscanf atoi atol atoll gets alloca
#pragma GCC poison gettimeofday localtime gmtime ctime asctime

#endif
#endif

