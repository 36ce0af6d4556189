/*
 * fuzz.h: what every foo_fuzz.c defines (libFuzzer's entry point).
 */
#ifndef BASE_FUZZ_H
#define BASE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
