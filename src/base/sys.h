/*
 * sys.h: the seam to the operating system. Linux is behind it in
 * net/sys_linux.c; a simulator can stand in for it at link time. All OS calls
 * of the repository (but for start-up code and the CLI's terminal) go here.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include "base/bytes.h"

/* Unix time in milliseconds (may step). */
uint64_t sys_unix_ms(void);
/* Monotonic clock in microseconds. */
uint64_t sys_mono_us(void);
/* Fills with random bytes of the OS; aborts where it can not. */
void sys_random(void *p, size_t n);

#endif
