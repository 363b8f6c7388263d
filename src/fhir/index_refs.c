#include "fhir/index_int.h"
#include "fhir/value_int.h"

#define REFS_FIRST 8

/* The way from the root to the value in hand. */
struct place {
    const struct place *up;
    struct str name;
    size_t i; /* index in an array, SIZE_MAX: none */
};

struct scan {
    struct arena *a;
    const struct index_options *opt;
    struct index *ret;
    size_t cap;
    bool is_bundle;
    struct err *err;
};

static void place_write(const struct place *p, struct sb *out)
{
    if (p->up) {
        place_write(p->up, out);
        sb_char(out, '.');
    }
    sb_str(out, p->name);
    if (p->i != SIZE_MAX)
        sb_fmt(out, "[%zu]", p->i);
}

static size_t place_bytes(const struct place *p)
{
    size_t n = 0;

    for (; p; p = p->up)
        n += p->name.n + 24;
    return n;
}

static int add_ref(struct scan *s, const struct value *v, const struct place *at)
{
    struct index *x = s->ret;
    _cleanup_(sb_done) struct sb where = sb_make(place_bytes(at));
    struct str text;

    if (x->n_refs == INDEX_ENTRIES_MAX)
        return err_set(s->err, ERR_COSTLY, "the resource has more than %d references",
                       INDEX_ENTRIES_MAX);
    if (x->n_refs == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : REFS_FIRST;
        struct index_ref *more =
            arena_grow(s->a, x->refs, s->cap * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(s->err);
        x->refs = more;
        s->cap = cap;
    }
    place_write(at, &where);
    text = sb_ok(&where, NULL) < 0 ? STR_NULL : arena_dup(s->a, sb_view(&where));
    if (!text.p)
        return err_no_memory(s->err);
    x->refs[x->n_refs++] = (struct index_ref){v->type, v->id, text};
    return 0;
}

static int scan_object(struct scan *s, yyjson_val *o, const struct place *at);

static int scan_member(struct scan *s, struct str name, yyjson_val *v, const struct place *up)
{
    struct place here = {up, name, SIZE_MAX};
    size_t i, max;
    yyjson_val *e;
    int r = 0;

    if (yyjson_is_obj(v))
        return scan_object(s, v, &here);
    yyjson_arr_foreach(v, i, max, e) {
        here.i = i;
        if (yyjson_is_obj(e))
            r = scan_object(s, e, &here);
        if (r < 0)
            return r;
    }
    return 0;
}

/* js_parse bounds the depth. */
static int scan_object(struct scan *s, yyjson_val *o, const struct place *at)
{
    size_t i, max;
    yyjson_val *key, *v;
    int r = 0;

    yyjson_obj_foreach(o, i, max, key, v) {
        struct str name = js_str(key);
        if (yyjson_is_ctn(v)) {
            /* The entries of a stored Bundle are a text, not part of this record. */
            if (s->is_bundle && str_eq(name, STR("resource")) && at->up && !at->up->up)
                continue;
            r = scan_member(s, name, v, at);
        } else if (yyjson_is_str(v) && str_eq(name, STR("reference"))) {
            struct value ref;
            value_reference(s->opt, js_str(v), &ref);
            r = ref.kind == VALUE_LOCAL ? add_ref(s, &ref, at) : 0;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int index_refs(struct arena *a, const struct index_options *opt, int type, yyjson_val *root,
               struct index *ret, struct err *err)
{
    struct scan s = {.a = a, .opt = opt, .ret = ret, .err = err};
    struct place top = {NULL, def_resource_name(type), SIZE_MAX};

    s.is_bundle = str_eq(top.name, STR("Bundle"));
    return scan_object(&s, root, &top);
}
