/* cs_int.h - the sections of a code system's image. */
#ifndef TERMINOLOGY_CS_INT_H
#define TERMINOLOGY_CS_INT_H

#include "terminology/cs.h"

enum cs_section {
    CS_INFO,
    CS_POOL,
    CS_CONCEPTS, /* n + 1 records: the last one ends the lists of the one before */
    CS_HASH,     /* concept + 1, 0: free */
    CS_PARENTS,
    CS_CHILDREN,
    CS_DESIGNATIONS,
    CS_PROPERTIES,
    CS_PROPERTY_DEFS,
    CS_WORDS, /* n_words + 1 records, in byte order of their text */
    CS_POSTINGS,
    CS_DETAILS, /* one a designation, or none at all */
    CS_RETIRED, /* by concept */
    CS_MEMBERS, /* by set */
    CS_MEMBER_FIELDS,
    CS_SECTIONS,
};

/* A word, and where its concepts begin: numbers as differences in 7-bit groups. */
struct cs_word {
    text_at text;
    uint32_t postings;
};

/* The hash of a code: where it is found in any case, of its lower case. */
uint64_t cs_code_hash(struct str code, bool any_case);

const void *cs_section(const struct cs *cs, enum cs_section section, size_t *ret_bytes);

/* words.c: the index over the texts of a builder's concepts, which are in their final order. */
struct word_index {
    struct grow words; /* struct cs_word */
    struct sb postings;
};

struct word_source {
    struct text_pool *pool;
    const struct cs_concept *concepts;
    uint32_t n;
    const struct cs_designation *designations;
};

int word_index_make(const struct word_source *source, struct word_index *ret, struct err *err);
void word_index_done(struct word_index *w);

#endif
