#include "fhir/defs.h"

#include "fhir/defs_int.h"

static const struct def_type *find_type(struct str name, size_t *ret_index)
{
    uint32_t at = str_mix(name) & defs_type_by_name_mask;

    for (; defs_type_by_name[at]; at = (at + 1) & defs_type_by_name_mask) {
        const struct def_type *t = &defs_types[defs_type_by_name[at] - 1];
        if (t->name.n == name.n && bytes_eq(t->name.p, name.p, name.n)) {
            *ret_index = (size_t)(t - defs_types);
            return t;
        }
    }
    return NULL;
}

const struct def_type *def_type(struct str name)
{
    size_t i;

    return find_type(name, &i);
}

int def_resource(struct str name)
{
    const struct def_type *t = def_type(name);

    return t ? t->number : 0;
}

const struct def_type *def_resource_type(int type)
{
    assert(type > 0 && type <= DEF_RESOURCE_MAX);
    return &defs_types[defs_resource_index[type]];
}

struct str def_resource_name(int type)
{
    return def_resource_type(type)->name;
}

const struct def_element *def_member(const struct def_type *t, struct str json_name,
                                     const struct def_type **ret_type)
{
    const struct defs_members *m = &defs_members[t - defs_types];
    const struct defs_member *table = defs_member_table + m->first;

    for (uint32_t at = str_mix(json_name) & m->mask; table[at].name_n; at = (at + 1) & m->mask) {
        if (table[at].name_n != json_name.n ||
            !bytes_eq(defs_pool + table[at].name, json_name.p, json_name.n))
            continue;
        *ret_type = &defs_types[table[at].type];
        return &t->elements[table[at].element];
    }
    return NULL;
}

const struct def_type *def_owner(const struct def_element *e)
{
    const struct def_type *t = defs_types;

    while (e < t->elements || e >= t->elements + t->n_elements)
        t++;
    return t;
}

#define LOOK_AHEAD 6 /* elements that are passed over more quickly than a hash is made */

const struct def_element *def_next_member(const struct def_type *t, struct str json_name,
                                          size_t *at, const struct def_type **ret_type)
{
    const struct def_element *e = t->elements + *at;
    size_t left = MIN(t->n_elements - *at, (size_t)LOOK_AHEAD);

    for (; left; left--, e++) {
        if (e->name.n != json_name.n || e->is_choice ||
            !bytes_eq(e->name.p, json_name.p, json_name.n))
            continue;
        *ret_type = e->types[0];
        *at = (size_t)(e + 1 - t->elements);
        return e;
    }
    e = def_member(t, json_name, ret_type);
    if (e)
        *at = (size_t)(e + 1 - t->elements);
    return e;
}

bool def_codes_has(const struct def_codes *c, struct str system, struct str code)
{
    const struct defs_code *rows = defs_code_table + c->first;
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        struct str s = str_n(defs_pool + rows[mid].code, rows[mid].code_n);
        if (str_cmp(s, code) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < c->n; lo++) {
        if (!str_eq(str_n(defs_pool + rows[lo].code, rows[lo].code_n), code))
            return false;
        if (!system.p || str_eq(defs_code_systems[rows[lo].system], system))
            return true;
    }
    return false;
}

struct str def_codes_url(const struct def_codes *c)
{
    return c->url;
}

const struct def_param *def_params(size_t *ret_n)
{
    *ret_n = defs_n_params;
    return defs_params;
}

int def_compartment_type(enum def_compartment c)
{
    assert(c < COMPARTMENT_COUNT);
    return defs_compartment_types[c];
}

const struct str *def_compartment_params(enum def_compartment c, int type)
{
    assert(c < COMPARTMENT_COUNT && type > 0 && type <= DEF_RESOURCE_MAX);
    return defs_compartments[c][type];
}

uint16_t def_system(struct str uri)
{
    size_t lo = 0, hi = defs_n_systems;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct defs_system *s = &defs_systems[mid];
        int cmp = str_cmp(str_n(defs_pool + s->uri, s->uri_n), uri);
        if (cmp == 0)
            return s->number;
        if (cmp < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}
