/* taken.h - what a loading gave, opened for the tests to look at. */
#ifndef TAKEN_H
#define TAKEN_H

#include "../test.h"

#include "terminology/cs.h"
#include "terminology/load.h"
#include "terminology/map.h"

#define TAKEN_MAX 12

struct taken {
    struct cs *systems[TAKEN_MAX];
    size_t n_systems;
    struct map *maps[TAKEN_MAX];
    size_t n_maps;
    size_t n_resources;
    char resource[20000]; /* the last one's metadata */
};

/* Loads texts (name, text, name, text …, NULL); the result or the error's code. */
int taken_load(struct taken *t, const char *const *files, struct err *err);
int taken_load_file(struct taken *t, const char *path, struct err *err);
void taken_done(struct taken *t);
uint32_t code_of(const struct cs *cs, const char *code);
struct str property_of(const struct cs *cs, uint32_t i, const char *name);

#endif
