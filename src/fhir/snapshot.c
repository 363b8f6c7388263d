#include "fhir/snapshot.h"

#include "fhir/defs.h"
#include "fhir/snapshot_int.h"

static int bad(const struct making *m, const char *what)
{
    return err_set(m->err, ERR_PROCESSING, "the snapshot of %.*s cannot be made: %s",
                   STR_ARG(m->url), what);
}

static struct str without_version(struct str url)
{
    ptrdiff_t bar = str_find(url, '|');

    return bar < 0 ? url : str_head(url, (size_t)bar);
}

/* The snapshot of what a canonical names. */
static int elements_of(struct making *m, struct str url, yyjson_val **ret)
{
    yyjson_val *definition = NULL;
    int r = m->world && m->world->canonical
                ? m->world->canonical(m->world->ctx, m->a, def_resource(STR("StructureDefinition")),
                                      url, &definition, m->err)
                : 0;

    if (r < 0)
        return r;
    if (!definition)
        return err_set(m->err, ERR_PROCESSING,
                       "the snapshot of %.*s cannot be made: %.*s, which it needs, is not known "
                       "here",
                       STR_ARG(m->url), STR_ARG(url));
    return snapshot_make(m, m->a, m->world, definition, false, ret, m->err);
}

/* ---- the tree ---- */

static struct sprout *grow(struct making *m, yyjson_val *base, struct str name, struct str slice)
{
    struct sprout *s = NULL;

    if (++m->n > SNAPSHOT_ELEMENTS_MAX)
        err_set(m->err, ERR_COSTLY, "the snapshot of %.*s has more than %d elements",
                STR_ARG(m->url), SNAPSHOT_ELEMENTS_MAX);
    else if (!(s = ARENA_NEW(m->a, struct sprout)))
        err_no_memory(m->err);
    if (s)
        *s = (struct sprout){.name = name, .slice = slice, .base = base};
    return s;
}

static void add_child(struct sprout *to, struct sprout *s)
{
    if (to->last)
        to->last->next = s;
    else
        to->child = s;
    to->last = s;
}

static void add_slice(struct sprout *to, struct sprout *s)
{
    struct sprout **at = &to->slices;

    while (*at)
        at = &(*at)->next;
    *at = s;
}

static struct str last_name(struct str path)
{
    return str_from(path, (size_t)(str_rfind(path, '.') + 1));
}

static size_t count_dots(struct str path)
{
    size_t n = 0;

    for (size_t i = 0; i < path.n; i++)
        n += path.p[i] == '.';
    return n;
}

static struct sprout *child_named(struct sprout *s, struct str name)
{
    struct sprout *c = s->child;

    while (c && !str_eq(c->name, name))
        c = c->next;
    return c;
}

int sprout_plant(struct making *m, yyjson_val *elements, struct sprout **ret)
{
    struct sprout *open[JS_DEPTH_MAX] = {NULL}, *s, *same;
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(elements, i, n, v) {
        struct str path = js_get_str(v, "path"), slice = js_get_str(v, "sliceName");
        size_t depth = count_dots(path);
        if (depth >= ARRAY_LEN(open) || (depth && !open[depth - 1]) || (!depth && open[0]))
            return bad(m, "the elements of its base are out of order");
        s = grow(m, v, last_name(path), slice.p ? slice : STR(""));
        if (!s)
            return m->err->code;
        open[depth] = s;
        for (size_t k = depth + 1; k < ARRAY_LEN(open); k++)
            open[k] = NULL;
        if (!depth)
            continue;
        open[depth - 1]->is_unfolded = true;
        same = s->slice.n ? child_named(open[depth - 1], s->name) : NULL;
        s->like = same;
        if (same)
            add_slice(same, s);
        else
            add_child(open[depth - 1], s);
    }
    *ret = open[0];
    return open[0] ? 0 : bad(m, "its base has no elements");
}

static int copy_children(struct making *m, const struct sprout *from, struct sprout *to);

/* A copy with what was said so far as its base. */
static struct sprout *copy(struct making *m, const struct sprout *from)
{
    struct sprout *s = grow(m, from->base, from->name, from->slice);

    if (!s || (from->over && sprout_merge(m, from, false, &s->base) < 0))
        return NULL;
    s->only = from->only;
    s->is_unfolded = from->is_unfolded;
    return copy_children(m, from, s) < 0 ? NULL : s;
}

/* What is said of an element holds for its slices: they begin with a copy of its children. */
static int copy_children(struct making *m, const struct sprout *from, struct sprout *to)
{
    for (const struct sprout *c = from->child; c; c = c->next) {
        struct sprout *s = copy(m, c);
        if (!s)
            return m->err->code;
        add_child(to, s);
        for (const struct sprout *k = c->slices; k; k = k->next) {
            struct sprout *slice = copy(m, k);
            if (!slice)
                return m->err->code;
            slice->like = s;
            add_slice(s, slice);
        }
    }
    to->is_unfolded |= to->child != NULL;
    return 0;
}

yyjson_val *sprout_types(const struct sprout *s)
{
    yyjson_val *types = s->over ? js_get(s->over, "type") : NULL;

    if (!types)
        types = js_get(s->base, "type");
    return types || !s->like ? types : sprout_types(s->like);
}

/* ---- unfolding ---- */

static struct sprout *find_path(struct making *m, struct str path)
{
    struct str rest = path, part;
    struct sprout *s = m->root;

    if (!str_split(&rest, '.', &part) || !str_eq(part, m->root->name))
        return NULL;
    while (s && rest.p && str_split(&rest, '.', &part))
        s = child_named(s, part);
    return s;
}

static int unfold_like(struct making *m, struct sprout *s, struct str reference)
{
    ptrdiff_t hash = str_find(reference, '#');
    struct sprout *from = find_path(m, str_from(reference, (size_t)(hash + 1)));

    if (!from)
        return bad(m, "a contentReference leads nowhere");
    return copy_children(m, from, s);
}

static int unfold_type(struct making *m, struct sprout *s, struct str url)
{
    struct sprout *root;
    yyjson_val *elements;
    int r = elements_of(m, url, &elements);

    if (r < 0 || (r = sprout_plant(m, elements, &root)) < 0)
        return r;
    s->child = root->child;
    s->last = root->last;
    s->is_unfolded = true;
    return 0;
}

static int type_url(struct making *m, struct str code, struct str *ret)
{
    if (str_find(code, ':') >= 0)
        *ret = code;
    else
        *ret = arena_fmt(m->a, "http://hl7.org/fhir/StructureDefinition/%.*s", STR_ARG(code));
    return ret->p ? 0 : err_no_memory(m->err);
}

int sprout_unfold(struct making *m, struct sprout *s)
{
    struct str reference = js_get_str(s->base, "contentReference"), url;
    yyjson_val *types = sprout_types(s), *type = yyjson_arr_get_first(types), *profiles;

    if (s->is_unfolded)
        return 0;
    if (s->like && s->like->is_unfolded)
        return copy_children(m, s->like, s);
    if (reference.n)
        return unfold_like(m, s, reference);
    if (s->only) {
        if (type_url(m, str_c(s->only), &url) < 0)
            return ERR_NO_MEMORY;
        return unfold_type(m, s, url);
    }
    if (yyjson_arr_size(types) != 1)
        return err_set(m->err, ERR_PROCESSING,
                       "the snapshot of %.*s cannot be made: it goes into %.*s, which may have "
                       "several types",
                       STR_ARG(m->url), STR_ARG(s->name));
    profiles = js_get(type, "profile");
    if (yyjson_arr_size(profiles) == 1)
        return unfold_type(m, s, js_str(yyjson_arr_get_first(profiles)));
    if (type_url(m, js_get_str(type, "code"), &url) < 0)
        return ERR_NO_MEMORY;
    return unfold_type(m, s, url);
}

/* ---- finding what the differential is about ---- */

/* The type at the end of "valueQuantity" where the element is value[x]; NULL if it is none. */
static const char *type_in_name(const struct sprout *s, struct str name)
{
    struct str stem = s->name;
    yyjson_val *v;
    size_t i, n;

    if (!str_ends(stem, STR("[x]")))
        return NULL;
    stem = str_head(stem, stem.n - 3);
    if (!str_starts(name, stem) || name.n <= stem.n)
        return NULL;
    name = str_from(name, stem.n);
    yyjson_arr_foreach(sprout_types(s), i, n, v) {
        struct str code = js_get_str(v, "code");
        if (code.n == name.n && (code.p[0] | 32) == (name.p[0] | 32) &&
            memcmp(code.p + 1, name.p + 1, code.n - 1) == 0)
            return code.p;
    }
    return NULL;
}

static struct sprout *slice_named(struct sprout *s, struct str slice)
{
    struct sprout *found = s->slices;

    while (found && !str_eq(found->slice, slice))
        found = found->next;
    return found;
}

/* The slice `slice` of an element, made if it is not there. "a/b" is made like the slice "a". */
static struct sprout *take_slice(struct making *m, struct sprout *s, struct str slice)
{
    struct sprout *found = slice_named(s, slice), *like = s;
    ptrdiff_t slash = str_rfind(slice, '/');

    if (found)
        return found;
    if (slash > 0 && slice_named(s, str_head(slice, (size_t)slash)))
        like = slice_named(s, str_head(slice, (size_t)slash));
    found = grow(m, s->base, s->name, slice);
    if (!found || sprout_merge(m, like, true, &found->base) < 0)
        return NULL;
    found->like = like;
    found->only = type_in_name(s, slice);
    add_slice(s, found);
    return found;
}

/* Some give a slice's name to an element that cannot be sliced: it is a label then. */
static bool is_label(const struct sprout *s)
{
    yyjson_val *slicing = s->over ? js_get(s->over, "slicing") : NULL;

    return !slicing && !js_get(s->base, "slicing") && !str_ends(s->name, STR("[x]")) &&
           str_eq(js_get_str(s->base, "max"), STR("1"));
}

/* "Patient.name:official.given" by name and slice; a name may be a choice's with its type. */
static int step_down(struct making *m, struct sprout *from, struct str part, struct sprout **ret)
{
    ptrdiff_t colon = str_find(part, ':');
    struct str name = colon < 0 ? part : str_head(part, (size_t)colon);
    struct str slice = colon < 0 ? STR("") : str_from(part, (size_t)colon + 1);
    struct sprout *s = NULL, *c;
    int r = sprout_unfold(m, from);

    if (r < 0)
        return r;
    for (c = from->child; c && !s; c = c->next) {
        if (str_eq(c->name, name))
            s = c;
        else if (type_in_name(c, name)) {
            s = c;
            slice = slice.n ? slice : name;
        }
    }
    if (!s)
        return err_set(m->err, ERR_PROCESSING,
                       "the snapshot of %.*s cannot be made: \"%.*s\" is not an element of %.*s",
                       STR_ARG(m->url), (int)MIN(name.n, 100u), name.p, STR_ARG(from->name));
    if (slice.n && is_label(s))
        s->slice = slice;
    else if (slice.n)
        s = take_slice(m, s, slice);
    *ret = s;
    return s ? 0 : m->err->code;
}

/* A type of a choice without a name of its own, behind the choice itself, is the slice of that
 * type: "valueQuantity". NULL in p where it is none. */
static struct str slice_by_type(struct making *m, const struct sprout *s, yyjson_val *over)
{
    yyjson_val *types = js_get(over, "type");
    struct str stem, code = js_get_str(yyjson_arr_get_first(types), "code");

    if (!s->over || !js_get(s->over, "slicing") || !str_ends(s->name, STR("[x]")) ||
        yyjson_arr_size(types) != 1 || !code.n)
        return STR_NULL;
    stem = str_head(s->name, s->name.n - 3);
    return arena_fmt(m->a, "%.*s%c%.*s", STR_ARG(stem), code.p[0] & ~32, (int)code.n - 1,
                     code.p + 1);
}

int sprout_find(struct making *m, yyjson_val *over, struct sprout **ret)
{
    struct sprout *s = m->root;
    struct str rest, part, by_type;
    int r = snapshot_id(m, over, &rest);

    if (r < 0)
        return r;
    if (!str_split(&rest, '.', &part) || !str_eq(part, m->root->name))
        return bad(m, "its differential begins with another type");
    while (rest.p && str_split(&rest, '.', &part)) {
        r = step_down(m, s, part, &s);
        if (r < 0)
            return r;
    }
    by_type = slice_by_type(m, s, over);
    if (by_type.n && !s->slice.n) {
        s = take_slice(m, s, by_type);
        m->last_id = arena_fmt(m->a, "%.*s:%.*s", STR_ARG(m->last_id), STR_ARG(by_type));
        if (!s || !m->last_id.p)
            return err_no_memory(m->err);
    }
    *ret = s;
    return 0;
}

/* ---- the number of an extension ---- */

static yyjson_val *first_element(yyjson_val *definition, bool *ret_whole)
{
    yyjson_val *given = js_get(js_get(definition, "snapshot"), "element"), *first;

    *ret_whole = yyjson_arr_size(given) > 0;
    if (!*ret_whole)
        given = js_get(js_get(definition, "differential"), "element");
    first = yyjson_arr_get_first(given);
    return str_find(js_get_str(first, "path"), '.') < 0 ? first : NULL;
}

/* How often an extension may stand is said by the root of its definition, or of the one that it
 * constrains. An extension that is not known here says nothing. */
static int count_extension(struct making *m, struct sprout *s, struct str url)
{
    bool is_whole = false;

    for (unsigned depth = 0; url.n && !is_whole && depth < SNAPSHOT_NESTING_MAX; depth++) {
        yyjson_val *definition = NULL, *root;
        int r =
            m->world && m->world->canonical
                ? m->world->canonical(m->world->ctx, m->a, def_resource(STR("StructureDefinition")),
                                      url, &definition, m->err)
                : 0;
        if (r < 0)
            return r;
        root = first_element(definition, &is_whole);
        if (!s->root_min.n)
            s->root_min = js_str(js_get(root, "min"));
        if (!s->root_max.n)
            s->root_max = js_get_str(root, "max");
        url = js_get_str(definition, "baseDefinition");
    }
    return 0;
}

static int count_slice(struct making *m, struct sprout *s, yyjson_val *over)
{
    yyjson_val *types = js_get(over, "type"), *type = yyjson_arr_get_first(types);
    yyjson_val *profiles = js_get(type, "profile");

    if (!s->slice.n || yyjson_arr_size(types) != 1 || yyjson_arr_size(profiles) != 1 ||
        !str_eq(js_get_str(type, "code"), STR("Extension")))
        return 0;
    return count_extension(m, s, js_str(yyjson_arr_get_first(profiles)));
}

/* ---- the whole ---- */

static int lay_all(struct making *m, yyjson_val *differential)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(differential, i, n, v) {
        struct sprout *s;
        int r = sprout_find(m, v, &s);
        if (r < 0 || (r = sprout_lay(m, s, v)) < 0 || (r = count_slice(m, s, v)) < 0)
            return r;
    }
    return 0;
}

static int check_circle(const struct making *m)
{
    unsigned depth = 0;

    for (const struct making *up = m->up; up; up = up->up) {
        if (str_eq(without_version(up->url), without_version(m->url)))
            return err_set(m->err, ERR_PROCESSING,
                           "the snapshot of %.*s cannot be made: it needs itself", STR_ARG(m->url));
        if (++depth > SNAPSHOT_NESTING_MAX)
            return err_set(m->err, ERR_COSTLY,
                           "the snapshot of %.*s cannot be made: definitions need one another more "
                           "than %d deep",
                           STR_ARG(m->url), SNAPSHOT_NESTING_MAX);
    }
    return 0;
}

int snapshot_make(const struct making *up, struct arena *a, const struct world *world,
                  yyjson_val *definition, bool anew, yyjson_val **ret, struct err *err)
{
    struct making m = {
        .up = up, .a = a, .world = world, .url = js_get_str(definition, "url"), .err = err};
    yyjson_val *given = js_get(js_get(definition, "snapshot"), "element"), *base;
    yyjson_val *differential = js_get(js_get(definition, "differential"), "element");
    struct str base_url = js_get_str(definition, "baseDefinition");
    _cleanup_(sb_done) struct sb out = sb_make(SNAPSHOT_TEXT_MAX);
    int r;

    if (yyjson_arr_size(given) && (!anew || !base_url.n)) {
        *ret = given;
        return 0;
    }
    if (!m.url.n)
        return err_set(err, ERR_PROCESSING, "a StructureDefinition without a url has no snapshot");
    if (!str_eq(js_get_str(definition, "derivation"), STR("constraint")))
        return bad(&m, "it has none, and is no constraint on another definition");
    if (!base_url.n)
        return bad(&m, "it has no baseDefinition");
    if ((r = check_circle(&m)) < 0 || (r = elements_of(&m, base_url, &base)) < 0 ||
        (r = sprout_plant(&m, base, &m.root)) < 0 || (r = lay_all(&m, differential)) < 0 ||
        (r = sprout_write(&m, &out)) < 0)
        return r;
    return js_parse_stored(a, sb_view(&out), ret, err);
}

int snapshot_elements(struct arena *a, const struct world *world, yyjson_val *definition,
                      yyjson_val **ret, struct err *err)
{
    struct err own;

    return snapshot_make(NULL, a, world, definition, false, ret, err ? err : &own);
}

int snapshot_generate(struct arena *a, const struct world *world, yyjson_val *definition,
                      yyjson_val **ret, struct err *err)
{
    struct err own;

    return snapshot_make(NULL, a, world, definition, true, ret, err ? err : &own);
}
