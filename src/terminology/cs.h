/* cs.h - a compiled code system: immutable, shared by reference count.
 *
 * Concepts are numbers 0 … n-1 in the order of their definition. In a tree that is written parent
 * before children (CS_TREE) the descendants of a concept are the numbers behind it up to its end,
 * so that subsumption is two comparisons; elsewhere the parents are climbed.
 */
#ifndef TERMINOLOGY_CS_H
#define TERMINOLOGY_CS_H

#include "terminology/image.h"

#include "base/arena.h"

#define CS_CONCEPTS_MAX 4000000
#define CS_CODE_MAX 1000   /* bytes of a code */
#define CS_FILTER_WORDS 16 /* words of a text filter */
#define CS_NONE UINT32_MAX

/* Of a system. */
#define CS_TREE 1u
#define CS_IGNORE_CASE 2u /* codes that differ by case alone are one code */
#define CS_COMPOSITIONAL 4u
#define CS_VERSION_NEEDED 8u
#define CS_DAG 16u        /* has parents, and is no tree in order */
#define CS_DEPRECATED 32u /* the extension structuredefinition-standards-status */
#define CS_WITHDRAWN 64u
#define CS_DRAFT 128u
#define CS_CASE_UNKNOWN 256u /* nothing says whether case matters: codes are taken in any case */

/* Of a concept. */
#define CONCEPT_ABSTRACT 1u /* not selectable */
#define CONCEPT_INACTIVE 2u
#define CONCEPT_EXTENSION 4u /* ICD-11: an extension code, to stand behind a stem */
#define CONCEPT_DEPRECATED 8u
#define CONCEPT_ANYWHERE 16u /* ICD-11: an extension code that may stand behind any stem */
#define CONCEPT_AXES 32u     /* ICD-11: all its axes are known (cluster.h) */

enum cs_content {
    CONTENT_COMPLETE,
    CONTENT_FRAGMENT,
    CONTENT_EXAMPLE,
    CONTENT_NOT_PRESENT,
    CONTENT_SUPPLEMENT
};

/* Systems whose codes are a grammar instead of, or beside, a list. */
enum cs_grammar { GRAMMAR_NONE, GRAMMAR_UCUM, GRAMMAR_LANGUAGE, GRAMMAR_MIME, GRAMMAR_ICD11 };

enum property_type {
    PROPERTY_CODE,
    PROPERTY_CODING,
    PROPERTY_STRING,
    PROPERTY_INTEGER,
    PROPERTY_BOOLEAN,
    PROPERTY_DATETIME,
    PROPERTY_DECIMAL,
};

struct cs_info {
    uint32_t n, flags, hash_mask, n_words;
    text_at url, version, name, title, language, supplements, hierarchy, status, value_set;
    uint32_t content, grammar, experimental;
};

struct cs_concept {
    text_at code, display, definition;
    uint32_t flags;
    uint32_t end;                                         /* of its descendants, where CS_TREE */
    uint32_t parents, children, designations, properties; /* first of its own */
};

struct cs_designation {
    text_at language, use_system, use_code, use_display, value;
};

struct cs_property {
    uint32_t def; /* of the definitions */
    uint32_t type;
    text_at value;           /* text; of a Coding its code */
    text_at system, display; /* of a Coding; of SNOMED CT the group of a relationship */
};

struct cs_property_def {
    text_at code, uri, description;
    uint32_t type;
};

/* What SNOMED CT's release says besides: of each designation (a description), of descriptions that
 * are no longer active, and the rows of reference sets whose components are concepts. */
struct cs_detail {
    uint64_t id;
    text_at module;
    text_at dialects; /* "SET+ SET-": language reference sets that prefer it, or accept it */
    uint32_t time;    /* YYYYMMDD; 0: none yet */
    uint32_t reserved;
};

struct cs_retired {
    struct cs_detail detail;
    struct cs_designation d;
    uint32_t concept;
};

struct cs_member {
    uint32_t set, concept;
    text_at module;
    uint32_t time, active;
    uint32_t fields, n_fields; /* first, and how many */
};

struct cs_field {
    text_at name, value;
};

struct cs;

/* Takes `bytes`, also when it fails. */
int cs_open(char *bytes, size_t n, struct cs **ret, struct err *err);
struct cs *cs_ref(struct cs *cs);
void cs_unref(struct cs *cs);
size_t cs_bytes(const struct cs *cs);

const struct cs_info *cs_info(const struct cs *cs);
struct str cs_text(const struct cs *cs, text_at at);
struct str cs_url(const struct cs *cs);
struct str cs_version(const struct cs *cs);
static inline uint32_t cs_n(const struct cs *cs)
{
    return cs_info(cs)->n;
}

/* Whether a code is found in other letters than its system's: where case does not matter, and, as
 * R4 asks for, where nothing says that it does (codesystem-definitions.html, caseSensitive). */
static inline bool cs_any_case(const struct cs_info *info)
{
    return info->flags & (CS_IGNORE_CASE | CS_CASE_UNKNOWN);
}

/* The concept of a code, CS_NONE if there is none. A code that is written as its system writes it
 * comes before one that differs by case. */
uint32_t cs_find(const struct cs *cs, struct str code);
const struct cs_concept *cs_at(const struct cs *cs, uint32_t i);
struct str cs_code(const struct cs *cs, uint32_t i);
struct str cs_display(const struct cs *cs, uint32_t i);
const uint32_t *cs_parents(const struct cs *cs, uint32_t i, size_t *ret_n);
const uint32_t *cs_children(const struct cs *cs, uint32_t i, size_t *ret_n);
const struct cs_designation *cs_designations(const struct cs *cs, uint32_t i, size_t *ret_n);
const struct cs_property *cs_properties(const struct cs *cs, uint32_t i, size_t *ret_n);
const struct cs_property_def *cs_property_defs(const struct cs *cs, size_t *ret_n);
/* In the order of its designations; NULL where none are kept. */
const struct cs_detail *cs_details(const struct cs *cs, uint32_t i);
const struct cs_retired *cs_retired(const struct cs *cs, uint32_t i, size_t *ret_n);
/* All rows, in the order of their sets. */
const struct cs_member *cs_members(const struct cs *cs, size_t *ret_n);
const struct cs_field *cs_member_fields(const struct cs *cs, const struct cs_member *m,
                                        size_t *ret_n);
/* Its status property; without one "inactive", "deprecated" or "active". */
struct str cs_status(const struct cs *cs, uint32_t i);
/* Number of a property's definition by its code, -1 if there is none. */
int cs_property_find(const struct cs *cs, struct str code);

/* Whether `ancestor` is `i` or above it. */
bool cs_is_a(const struct cs *cs, uint32_t i, uint32_t ancestor);

/* ---- sets of concepts: one bit each ---- */

static inline size_t bits_words(uint32_t n)
{
    return ((size_t)n + 63) / 64;
}

static inline bool bits_has(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static inline void bits_add(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

size_t bits_count(const uint64_t *bits, uint32_t n);
/* The first at or behind `from`, CS_NONE if there is none. */
uint32_t bits_next(const uint64_t *bits, uint32_t n, uint32_t from);
/* The same of those that are in both sets. */
uint32_t bits_next_both(const uint64_t *a, const uint64_t *b, uint32_t n, uint32_t from);

/* `i` and everything below it (or above it) into `bits`. */
int cs_descendants(const struct cs *cs, struct arena *a, uint32_t i, uint64_t *bits,
                   struct err *err);
int cs_ancestors(const struct cs *cs, struct arena *a, uint32_t i, uint64_t *bits, struct err *err);

/* Concepts whose code, display or a designation has a word that begins with each word of `text`
 * (both folded as in docs/formats/folding.md). NULL in *ret: nothing to look for, so all match. */
int cs_match_text(const struct cs *cs, struct arena *a, struct str text, uint64_t **ret,
                  struct err *err);

/* ---- making one ---- */

struct cs_builder;

struct cs_builder *cs_builder_new(void);
void cs_builder_free(struct cs_builder *b);
static inline void cs_builder_freep(struct cs_builder **b)
{
    cs_builder_free(*b);
}

/* Failures stick and are told by cs_build. */
struct cs_info *cs_builder_info(struct cs_builder *b);
text_at cs_builder_text(struct cs_builder *b, struct str s);
/* The next concept's number; CS_NONE (and *ret_is_new false) where the code is there already. */
uint32_t cs_builder_add(struct cs_builder *b, struct str code, struct str display,
                        struct str definition, uint32_t flags);
/* Why cs_builder_add did not take a code: ERR_NO_MEMORY, ERR_COSTLY, or ERR_SYNTAX: it stands
 * twice. */
int cs_builder_refused(const struct cs_builder *b, struct str code, struct err *err);
uint32_t cs_builder_find(const struct cs_builder *b, struct str code);
uint32_t cs_builder_n(const struct cs_builder *b);
struct str cs_builder_code(const struct cs_builder *b, uint32_t concept);
void cs_builder_flag(struct cs_builder *b, uint32_t concept, uint32_t flags);
void cs_builder_display(struct cs_builder *b, uint32_t concept, struct str display);
void cs_builder_parent(struct cs_builder *b, uint32_t concept, uint32_t parent);
void cs_builder_designation(struct cs_builder *b, uint32_t concept, struct str language,
                            struct str use_system, struct str use_code, struct str use_display,
                            struct str value);
/* Of the designation that was added last. */
void cs_builder_detail(struct cs_builder *b, const struct cs_detail *detail);
void cs_builder_retired(struct cs_builder *b, const struct cs_retired *retired);
/* Its fields follow; where they stand is set here. */
void cs_builder_member(struct cs_builder *b, const struct cs_member *m);
void cs_builder_member_field(struct cs_builder *b, struct str name, struct str value);
/* The definition of this code, made if it is new. */
uint32_t cs_builder_property_def(struct cs_builder *b, struct str code, struct str uri,
                                 struct str description, enum property_type type);
void cs_builder_property(struct cs_builder *b, uint32_t concept, uint32_t def,
                         enum property_type type, struct str value, struct str system,
                         struct str display);
/* The image; the caller frees *ret or gives it to cs_open. */
int cs_build(struct cs_builder *b, char **ret, size_t *ret_n, struct err *err);

#endif
