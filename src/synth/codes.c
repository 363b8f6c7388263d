#include "synth/codes.h"

#define CODING(system, code, display) \
    "{\"system\":\"" system "\",\"code\":\"" code "\",\"display\":\"" display "\"}"

const struct coded codes[CODE_COUNT] = {
#define X(id, system, code, display)                                            \
    [id] = {{system, sizeof(system) - 1},                                       \
            {code, sizeof(code) - 1},                                           \
            {display, sizeof(display) - 1},                                     \
            {"{\"coding\":[" CODING(system, code, display) "]}",                \
             sizeof("{\"coding\":[" CODING(system, code, display) "]}") - 1}},
    CODES(X)
#undef X
};
