#include "terminology/cs.h"

#include "base/fault.h"
#include "terminology/cs_int.h"

#include <stdatomic.h>
#include <stdlib.h>

struct cs {
    struct image im;
    const struct cs_info *info;
    const struct cs_concept *concepts;
    const uint32_t *hash;
    atomic_uint refs;
};

int cs_open(char *bytes, size_t n, struct cs **ret, struct err *err)
{
    struct cs *cs = fault_point("alloc") ? NULL : calloc(1, sizeof *cs);
    int r;

    if (!cs) {
        free(bytes);
        return err_no_memory(err);
    }
    r = image_open(&cs->im, bytes, n, IMAGE_CODE_SYSTEM, err);
    if (r < 0) {
        free(cs);
        return r;
    }
    cs->info = cs->im.at[CS_INFO];
    cs->concepts = cs->im.at[CS_CONCEPTS];
    cs->hash = cs->im.at[CS_HASH];
    atomic_init(&cs->refs, 1);
    *ret = cs;
    return 0;
}

struct cs *cs_ref(struct cs *cs)
{
    atomic_fetch_add_explicit(&cs->refs, 1, memory_order_relaxed);
    return cs;
}

void cs_unref(struct cs *cs)
{
    if (!cs || atomic_fetch_sub(&cs->refs, 1) != 1)
        return;
    image_done(&cs->im);
    free(cs);
}

size_t cs_bytes(const struct cs *cs)
{
    return cs->im.n;
}

const struct cs_info *cs_info(const struct cs *cs)
{
    return cs->info;
}

struct str cs_text(const struct cs *cs, text_at at)
{
    return image_text(&cs->im, CS_POOL, at);
}

struct str cs_url(const struct cs *cs)
{
    return cs_text(cs, cs->info->url);
}

struct str cs_version(const struct cs *cs)
{
    return cs_text(cs, cs->info->version);
}

const void *cs_section(const struct cs *cs, enum cs_section section, size_t *ret_bytes)
{
    *ret_bytes = cs->im.section_n[section];
    return cs->im.at[section];
}

/* ---- codes ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

uint64_t cs_code_hash(struct str code, bool any_case)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < code.n; i++)
        h = (h ^ (unsigned char)(any_case ? lower(code.p[i]) : code.p[i])) * 1099511628211u;
    return h ^ h >> 29;
}

uint32_t cs_find(const struct cs *cs, struct str code)
{
    bool any_case = cs_any_case(cs->info);
    uint64_t at = cs_code_hash(code, any_case);
    uint32_t similar = CS_NONE;

    if (!cs->info->n)
        return CS_NONE;
    for (;; at++) {
        uint32_t slot = cs->hash[at & cs->info->hash_mask];
        if (!slot)
            return similar;
        if (str_eq(cs_code(cs, slot - 1), code))
            return slot - 1;
        if (any_case && similar == CS_NONE && str_eq_nocase(cs_code(cs, slot - 1), code))
            similar = slot - 1;
    }
}

const struct cs_concept *cs_at(const struct cs *cs, uint32_t i)
{
    return &cs->concepts[i];
}

struct str cs_code(const struct cs *cs, uint32_t i)
{
    return cs_text(cs, cs->concepts[i].code);
}

struct str cs_display(const struct cs *cs, uint32_t i)
{
    return cs_text(cs, cs->concepts[i].display);
}

/* ---- what belongs to a concept ---- */

const uint32_t *cs_parents(const struct cs *cs, uint32_t i, size_t *ret_n)
{
    *ret_n = cs->concepts[i + 1].parents - cs->concepts[i].parents;
    return (const uint32_t *)cs->im.at[CS_PARENTS] + cs->concepts[i].parents;
}

const uint32_t *cs_children(const struct cs *cs, uint32_t i, size_t *ret_n)
{
    *ret_n = cs->concepts[i + 1].children - cs->concepts[i].children;
    return (const uint32_t *)cs->im.at[CS_CHILDREN] + cs->concepts[i].children;
}

const struct cs_designation *cs_designations(const struct cs *cs, uint32_t i, size_t *ret_n)
{
    *ret_n = cs->concepts[i + 1].designations - cs->concepts[i].designations;
    return (const struct cs_designation *)cs->im.at[CS_DESIGNATIONS] + cs->concepts[i].designations;
}

const struct cs_detail *cs_details(const struct cs *cs, uint32_t i)
{
    if (!cs->im.section_n[CS_DETAILS])
        return NULL;
    return (const struct cs_detail *)cs->im.at[CS_DETAILS] + cs->concepts[i].designations;
}

const struct cs_retired *cs_retired(const struct cs *cs, uint32_t i, size_t *ret_n)
{
    const struct cs_retired *all = cs->im.at[CS_RETIRED];
    size_t n = cs->im.section_n[CS_RETIRED] / sizeof *all, low = 0, high = n, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].concept < i)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < n && all[end].concept == i;)
        end++;
    *ret_n = end - low;
    return *ret_n ? all + low : NULL;
}

const struct cs_member *cs_members(const struct cs *cs, size_t *ret_n)
{
    *ret_n = cs->im.section_n[CS_MEMBERS] / sizeof(struct cs_member);
    return cs->im.at[CS_MEMBERS];
}

const struct cs_field *cs_member_fields(const struct cs *cs, const struct cs_member *m,
                                        size_t *ret_n)
{
    *ret_n = m->n_fields;
    return (const struct cs_field *)cs->im.at[CS_MEMBER_FIELDS] + m->fields;
}

const struct cs_property *cs_properties(const struct cs *cs, uint32_t i, size_t *ret_n)
{
    *ret_n = cs->concepts[i + 1].properties - cs->concepts[i].properties;
    return (const struct cs_property *)cs->im.at[CS_PROPERTIES] + cs->concepts[i].properties;
}

const struct cs_property_def *cs_property_defs(const struct cs *cs, size_t *ret_n)
{
    *ret_n = cs->im.section_n[CS_PROPERTY_DEFS] / sizeof(struct cs_property_def);
    return cs->im.at[CS_PROPERTY_DEFS];
}

struct str cs_status(const struct cs *cs, uint32_t i)
{
    size_t n_defs, n;
    const struct cs_property_def *defs = cs_property_defs(cs, &n_defs);
    const struct cs_property *p = cs_properties(cs, i, &n);
    uint32_t flags = cs_at(cs, i)->flags;

    for (size_t k = 0; k < n; k++)
        if (str_eq(cs_text(cs, defs[p[k].def].code), STR("status")) ||
            str_eq(cs_text(cs, defs[p[k].def].uri),
                   STR("http://hl7.org/fhir/concept-properties#status")))
            return cs_text(cs, p[k].value);
    return flags & CONCEPT_INACTIVE     ? STR("inactive")
           : flags & CONCEPT_DEPRECATED ? STR("deprecated")
                                        : STR("active");
}

int cs_property_find(const struct cs *cs, struct str code)
{
    size_t n;
    const struct cs_property_def *defs = cs_property_defs(cs, &n);

    for (size_t i = 0; i < n; i++)
        if (str_eq(cs_text(cs, defs[i].code), code))
            return (int)i;
    return -1;
}

/* ---- sets ---- */

size_t bits_count(const uint64_t *bits, uint32_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < bits_words(n); i++)
        count += (size_t)__builtin_popcountll(bits[i]);
    return count;
}

uint32_t bits_next(const uint64_t *bits, uint32_t n, uint32_t from)
{
    size_t words = bits_words(n), w = from / 64;
    uint64_t v;

    if (from >= n)
        return CS_NONE;
    v = bits[w] & ~UINT64_C(0) << from % 64;
    while (!v)
        if (++w == words)
            return CS_NONE;
        else
            v = bits[w];
    return (uint32_t)(w * 64 + (size_t)__builtin_ctzll(v));
}

uint32_t bits_next_both(const uint64_t *a, const uint64_t *b, uint32_t n, uint32_t from)
{
    size_t words = bits_words(n), w = from / 64;
    uint64_t v;

    if (from >= n)
        return CS_NONE;
    v = a[w] & b[w] & ~UINT64_C(0) << from % 64;
    while (!v)
        if (++w == words)
            return CS_NONE;
        else
            v = a[w] & b[w];
    return (uint32_t)(w * 64 + (size_t)__builtin_ctzll(v));
}

/* Everything that can be reached from `i`; each concept is met once, whatever the graph is. */
static int reach(const struct cs *cs, struct arena *a, uint32_t i, bool up, uint64_t *bits,
                 struct err *err)
{
    uint32_t *stack = arena_alloc(a, sizeof *stack * (cs->info->n + 1));
    size_t n = 0;

    if (!stack)
        return err_no_memory(err);
    stack[n++] = i;
    bits_add(bits, i);
    while (n) {
        size_t n_next;
        const uint32_t *next;
        i = stack[--n];
        next = up ? cs_parents(cs, i, &n_next) : cs_children(cs, i, &n_next);
        for (size_t k = 0; k < n_next; k++)
            if (!bits_has(bits, next[k])) {
                bits_add(bits, next[k]);
                stack[n++] = next[k];
            }
    }
    return 0;
}

int cs_descendants(const struct cs *cs, struct arena *a, uint32_t i, uint64_t *bits,
                   struct err *err)
{
    uint32_t end = cs->concepts[i].end;

    if (!(cs->info->flags & CS_TREE))
        return reach(cs, a, i, false, bits, err);
    for (; i < end; i++)
        bits_add(bits, i);
    return 0;
}

int cs_ancestors(const struct cs *cs, struct arena *a, uint32_t i, uint64_t *bits, struct err *err)
{
    size_t n;
    const uint32_t *parents;

    if (!(cs->info->flags & CS_TREE))
        return reach(cs, a, i, true, bits, err);
    bits_add(bits, i);
    while ((parents = cs_parents(cs, i, &n)), n) {
        i = parents[0];
        bits_add(bits, i);
    }
    return 0;
}

#define CLIMB_MAX 4096 /* ancestors of one concept: SNOMED CT's have some hundreds at most */

/* Climbs from `i`; what was seen is remembered in a small table. */
static bool climbs_to(const struct cs *cs, uint32_t i, uint32_t ancestor)
{
    uint32_t seen[CLIMB_MAX];
    size_t n_seen = 0, at = 0;

    seen[n_seen++] = i;
    while (at < n_seen) {
        size_t n;
        const uint32_t *parents = cs_parents(cs, seen[at++], &n);
        for (size_t k = 0; k < n; k++) {
            size_t s = 0;
            if (parents[k] == ancestor)
                return true;
            while (s < n_seen && seen[s] != parents[k])
                s++;
            if (s == n_seen && n_seen < CLIMB_MAX)
                seen[n_seen++] = parents[k];
        }
    }
    return false;
}

bool cs_is_a(const struct cs *cs, uint32_t i, uint32_t ancestor)
{
    if (i == ancestor)
        return true;
    if (cs->info->flags & CS_TREE)
        return i > ancestor && i < cs->concepts[ancestor].end;
    return cs->info->flags & CS_DAG && climbs_to(cs, i, ancestor);
}
