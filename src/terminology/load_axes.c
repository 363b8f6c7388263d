/* load_axes.c - which axes ICD-11's codes have for postcoordination: beside a tabulation, either as
 * tab-separated lines or as the JSON of WHO's API (GET /icd/release/11/{release}/mms/{id}), one
 * entity a file or an array of them.
 *
 * The lines have the columns LinearizationURI, axisName, requiredPostcoordination,
 * allowMultipleValues and scaleEntity, called and filled as the members of postcoordinationScale
 * are; the entities of a scale stand apart by blanks. A line (or an entity) without an axis says
 * that the code has none. Codes that nothing is said of are not held to axes.
 */
#include "terminology/load_int.h"

#include "terminology/cluster.h"

#include <stdlib.h>

#define BEHIND "/mms/"

/* Of an entity; an empty name: it has none. */
struct axis {
    text_at entity, name, scale; /* scale: parts of URIs, apart by blanks */
    text_at rules;               /* what CLUSTER_AXIS says beside its name */
};

struct load_axes {
    struct text_pool pool;
    struct grow axes; /* struct axis */
    int entity, name, required, multiple, scale;
};

struct str load_linearized(struct str uri)
{
    const char *at = uri.n ? memmem(uri.p, uri.n, BEHIND, sizeof BEHIND - 1) : NULL;

    return at ? str_from(uri, (size_t)(at - uri.p) + sizeof BEHIND - 1) : uri;
}

static int axes_new(struct load *l, struct err *err)
{
    if (l->axes)
        return 0;
    l->axes = load_alloc(sizeof *l->axes);
    if (!l->axes)
        return err_no_memory(err);
    text_pool_init(&l->axes->pool);
    return 0;
}

/* "http://id.who.int/icd/schema/infectiousAgent" is infectiousAgent. */
static struct str short_name(struct str name)
{
    return str_from(name, (size_t)(str_rfind(name, '/') + 1));
}

/* As the API writes them. */
static int rules_of(struct str required, struct str multiple, struct str *ret, struct err *err)
{
    static const struct str words[] = {STR(AXIS_ONCE), STR(AXIS_MANY), STR(AXIS_BLOCKS)};
    static const struct str both[][2] = {
        {STR(AXIS_ONCE), STR(AXIS_REQUIRED " " AXIS_ONCE)},
        {STR(AXIS_MANY), STR(AXIS_REQUIRED " " AXIS_MANY)},
        {STR(AXIS_BLOCKS), STR(AXIS_REQUIRED " " AXIS_BLOCKS)},
    };
    bool is_required = str_eq_nocase(required, STR("true"));

    if (!is_required && required.n && !str_eq_nocase(required, STR("false")))
        return err_set(err, ERR_SYNTAX, "requiredPostcoordination is \"%.*s\", not true or false",
                       (int)MIN(required.n, 40u), required.p);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(multiple, words[i])) {
            *ret = both[i][is_required];
            return 0;
        }
    return err_set(err, ERR_SYNTAX,
                   "allowMultipleValues is \"%.*s\", not " AXIS_ONCE ", " AXIS_MANY
                   " or " AXIS_BLOCKS,
                   (int)MIN(multiple.n, 40u), multiple.n ? multiple.p : "");
}

static int add_axis(struct load_axes *x, struct str entity, struct str name, struct str rules,
                    struct str scale, struct err *err)
{
    struct axis *a = grow_add(&x->axes, sizeof *a);

    if (a)
        *a = (struct axis){text_pool_add(&x->pool, load_linearized(entity)),
                           text_pool_add(&x->pool, short_name(name)),
                           text_pool_add(&x->pool, scale), text_pool_add(&x->pool, rules)};
    return a && !x->pool.failed ? 0 : err_no_memory(err);
}

/* ---- lines ---- */

static bool knows(const struct cells *h)
{
    return cells_find(h, "linearizationuri") >= 0 && cells_find(h, "axisname") >= 0 &&
           cells_find(h, "scaleentity") >= 0;
}

static int begin(struct load *l, const struct cells *h, struct err *err)
{
    struct load_axes *x;
    int r = axes_new(l, err);

    if (r < 0)
        return r;
    x = l->axes;
    x->entity = cells_find(h, "linearizationuri");
    x->name = cells_find(h, "axisname");
    x->required = cells_find(h, "requiredpostcoordination");
    x->multiple = cells_find(h, "allowmultiplevalues");
    x->scale = cells_find(h, "scaleentity");
    if (x->required < 0 || x->multiple < 0)
        return err_set(err, ERR_SYNTAX,
                       "the table of axes lacks one of the columns requiredPostcoordination and "
                       "allowMultipleValues");
    return 0;
}

static int line(struct load *l, const struct cells *c, struct err *err)
{
    struct load_axes *x = l->axes;
    struct str rules;
    int r;

    if (!c->v[x->entity].n)
        return err_set(err, ERR_SYNTAX, "the line names no entity");
    if (!c->v[x->name].n)
        return add_axis(x, c->v[x->entity], STR(""), STR(""), STR(""), err);
    if (!str_trim(c->v[x->scale]).n)
        return err_set(err, ERR_SYNTAX, "the axis \"%.*s\" has no scale",
                       (int)MIN(c->v[x->name].n, 60u), c->v[x->name].p);
    r = rules_of(c->v[x->required], c->v[x->multiple], &rules, err);
    return r < 0 ? r : add_axis(x, c->v[x->entity], c->v[x->name], rules, c->v[x->scale], err);
}

const struct load_reader load_axes_reader = {
    .what = "table of ICD-11's axes",
    .knows = knows,
    .between = '\t',
    .begin = begin,
    .line = line,
};

/* ---- JSON ---- */

bool load_is_entity(yyjson_val *root)
{
    return str_starts(js_get_str(root, "@id"), STR("http://id.who.int/icd/release/11/"));
}

static int read_scale(struct load_axes *x, struct str entity, yyjson_val *v, struct err *err)
{
    _cleanup_(sb_done) struct sb scale = sb_make(MIB(1));
    struct str name = js_get_str(v, "axisName"), rules;
    yyjson_val *one;
    size_t i, n;
    int r = rules_of(js_primitive(js_get(v, "requiredPostcoordination")),
                     js_get_str(v, "allowMultipleValues"), &rules, err);

    if (r < 0)
        return r;
    if (!name.n || !yyjson_arr_size(js_get(v, "scaleEntity")))
        return err_set(err, ERR_SYNTAX, "an axis of \"%.*s\" has no name or no scale",
                       (int)MIN(entity.n, 100u), entity.p);
    yyjson_arr_foreach(js_get(v, "scaleEntity"), i, n, one) {
        struct str uri = js_str(one);
        if (i)
            sb_char(&scale, ' ');
        sb_str(&scale, uri.p ? uri : STR(""));
    }
    if ((r = sb_ok(&scale, err)) < 0)
        return r;
    return add_axis(x, entity, name, rules, sb_view(&scale), err);
}

int load_entity_axes(struct load *l, yyjson_val *root, struct err *err)
{
    yyjson_val *scales = js_get(root, "postcoordinationScale"), *v;
    struct str entity = js_get_str(root, "@id");
    size_t i, n;
    int r = axes_new(l, err);

    if (r >= 0 && !yyjson_arr_size(scales))
        return add_axis(l->axes, entity, STR(""), STR(""), STR(""), err);
    yyjson_arr_foreach(scales, i, n, v) {
        if (r >= 0)
            r = read_scale(l->axes, entity, v, err);
    }
    return r;
}

/* ---- the end ---- */

static int no_entity(struct str entity, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
                   "the axes name the entity \"%.*s\", which the tabulation does not have",
                   (int)MIN(entity.n, 100u), entity.n ? entity.p : "");
}

/* The codes of a scale's entities, apart by blanks. */
static int codes_of(const struct cs_builder *b, const struct cs_builder *entities, struct str scale,
                    struct sb *out, struct err *err)
{
    struct str uri;

    while (scale.n && str_split(&scale, ' ', &uri)) {
        uint32_t i = uri.n ? cs_builder_find(entities, load_linearized(uri)) : CS_NONE;
        if (!uri.n)
            continue;
        if (i == CS_NONE)
            return no_entity(uri, err);
        if (out->n)
            sb_char(out, ' ');
        sb_str(out, cs_builder_code(b, i));
    }
    return sb_ok(out, err);
}

int load_axes_apply(struct load *l, struct cs_builder *b, const struct cs_builder *entities,
                    struct err *err)
{
    struct load_axes *x = l->axes;
    uint32_t def;
    int r = 0;

    if (!x)
        return 0;
    def = cs_builder_property_def(b, STR(CLUSTER_AXIS), STR(""),
                                  STR("an axis that it may be postcoordinated by"), PROPERTY_CODE);
    for (size_t i = 0; r >= 0 && i < x->axes.n; i++) {
        const struct axis *a = GROW_AT(&x->axes, struct axis, i);
        struct str entity = text_pool_get(&x->pool, a->entity);
        _cleanup_(sb_done) struct sb codes = sb_make(MIB(1));
        uint32_t concept = cs_builder_find(entities, entity);
        if (concept == CS_NONE)
            return no_entity(entity, err);
        cs_builder_flag(b, concept, CONCEPT_AXES);
        if (!a->name)
            continue;
        r = codes_of(b, entities, text_pool_get(&x->pool, a->scale), &codes, err);
        if (r >= 0)
            cs_builder_property(b, concept, def, PROPERTY_CODE, text_pool_get(&x->pool, a->name),
                                text_pool_get(&x->pool, a->rules), sb_view(&codes));
    }
    return r;
}

void load_axes_free(struct load_axes *x)
{
    if (!x)
        return;
    text_pool_done(&x->pool);
    grow_done(&x->axes);
    free(x);
}
