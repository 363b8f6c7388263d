/* names.h - what people and places are called: cultures with a script each, and toponyms. */
#ifndef SYNTH_NAMES_H
#define SYNTH_NAMES_H

#include "base/rng.h"
#include "base/sb.h"

#define PLACE_MAX 32 /* bytes of a place name, with NUL */
#define GIVEN_N 20
#define FAMILY_N 20

struct name {
    const char *native;
    const char *latin; /* transliteration, NULL where the name is Latin already */
};

enum family_rule {
    FAMILY_SHARED,     /* everybody's the same */
    FAMILY_FEMININE,   /* women's ends in an "a" of its script */
    FAMILY_PATRONYMIC, /* the father's given name */
};

struct culture {
    const char *language; /* BCP 47 */
    const char *language_name;
    bool family_first; /* "family given" when written out */
    bool ideographic;  /* the script is not alphabetic */
    enum family_rule rule;
    const char *space; /* between the parts of the native form */
    struct name male[GIVEN_N], female[GIVEN_N], family[FAMILY_N];
};

extern const struct culture cultures[];
extern const size_t n_cultures;

/* An invented place name in the style of a culture, with NUL. */
void place_draw(struct rng *r, size_t culture, char ret[PLACE_MAX]);
/* The n-th street name of a fixed list (any n). */
struct str street_name(uint64_t n);

#endif
