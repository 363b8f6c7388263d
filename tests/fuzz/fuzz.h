/* fuzz.h - what every fuzz target has in common.
 *
 * A target is one file: it defines LLVMFuzzerTestOneInput (clang's libFuzzer calls it with what
 * it makes up, replay.c with each file of the corpus); FUZZ_HOLDS, a sanitizer or a signal fail it.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A property of every input; also in builds without assert. */
#define FUZZ_HOLDS(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
            abort(); \
        } \
    } while (0)

#endif
