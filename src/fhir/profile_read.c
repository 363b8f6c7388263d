/* profile_read.c - from the snapshot of a StructureDefinition to a tree of nodes.
 *
 * The elements of a snapshot come in the order of the tree, so that a stack of open nodes suffices:
 * an element's parent is the last open one whose path is the beginning of its own.
 */
#include "fhir/profile_int.h"

#include "fhir/base_rules.h"
#include "fhir/snapshot.h"

#define OPEN_MAX 64 /* depth of an element's path */
#define BASE_URL STR("http://hl7.org/fhir/StructureDefinition/")
#define SYSTEM_URL STR("http://hl7.org/fhirpath/System.")
#define MAX_VALUE_SET \
    STR("http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet")

struct reading {
    struct profiles *set;
    struct profile *p;
    const struct base_rules *base;
    struct profile_node *open[OPEN_MAX];
    size_t n_open;
    struct err *err;
};

static int broken(struct reading *r, const struct profile_node *node, const char *what)
{
    return err_set(r->err, ERR_PROCESSING, "the profile %.*s cannot be compiled: %.*s %s",
                   STR_ARG(r->p->url), STR_ARG(node->id), what);
}

/* A value of the definition that outlives it. */
static int keep_value(struct reading *r, yyjson_val *v, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(PROFILE_BYTES_MAX / 4);

    js_write(&text, v);
    if (sb_ok(&text, r->err) < 0)
        return ERR_NO_MEMORY;
    return js_parse_stored(&r->p->arena, sb_view(&text), ret, r->err);
}

static int keep_str(struct reading *r, struct str s, struct str *ret)
{
    *ret = arena_dup(&r->p->arena, s);
    return ret->p ? 0 : err_no_memory(r->err);
}

/* ---- links ---- */

/* The type of R4 that a canonical names, or NULL. */
static const struct def_type *base_type_named(struct str url)
{
    ptrdiff_t bar = str_find(url, '|');

    if (!str_starts(url, BASE_URL))
        return NULL;
    url = str_from(bar < 0 ? url : str_head(url, (size_t)bar), BASE_URL.n);
    return def_type(url);
}

static int read_links(struct reading *r, yyjson_val *urls, struct profile_link **ret, size_t *ret_n)
{
    size_t i, n, count = yyjson_arr_size(urls);
    yyjson_val *v;

    *ret_n = 0;
    *ret = count ? ARENA_ARRAY(&r->p->arena, struct profile_link, count) : NULL;
    if (count && !*ret)
        return err_no_memory(r->err);
    yyjson_arr_foreach(urls, i, n, v) {
        struct profile_link *link = &(*ret)[(*ret_n)++];
        if (keep_str(r, js_str(v), &link->url) < 0)
            return ERR_NO_MEMORY;
        link->base = base_type_named(link->url);
    }
    return 0;
}

/* ---- types ---- */

static unsigned read_aggregation(yyjson_val *list)
{
    static const struct {
        struct str name;
        unsigned bit;
    } names[] = {{STR("contained"), AGGREGATION_CONTAINED},
                 {STR("referenced"), AGGREGATION_REFERENCED},
                 {STR("bundled"), AGGREGATION_BUNDLED}};
    unsigned bits = 0;
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v)
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            if (str_eq(js_str(v), names[k].name))
                bits |= names[k].bit;
    return bits;
}

/* Profiles that say nothing beyond the type itself are dropped. */
static void drop_plain_profiles(struct profile_type *t)
{
    for (size_t i = 0; i < t->n_profiles; i++)
        if (t->profiles[i].base == t->type)
            t->n_profiles = 0;
}

static bool has_target(const struct def_element *e, int type)
{
    for (const int *t = e->targets; t && *t; t++)
        if (*t == type)
            return true;
    return false;
}

/* Targets that are exactly R4's are the structural validator's. */
static void drop_plain_targets(const struct def_element *e, struct profile_type *t)
{
    size_t n_base = 0;

    for (size_t i = 0; i < t->n_targets; i++) {
        const struct def_type *base = t->targets[i].base;
        if (base && base->is_abstract) {
            t->n_targets = 0;
            return;
        }
        if (!base || !e || !has_target(e, base->number))
            return;
    }
    for (const int *at = e ? e->targets : NULL; at && *at; at++)
        n_base++;
    if (n_base == t->n_targets)
        t->n_targets = 0;
}

static size_t count_types(const struct def_element *e)
{
    size_t n = 0;

    while (e && e->types[n])
        n++;
    return n;
}

static int read_type(struct reading *r, const struct profile_node *node, yyjson_val *v,
                     struct profile_type *to)
{
    struct str code = js_get_str(v, "code");

    to->type = def_type(code);
    if (!to->type && str_starts(code, BASE_URL))
        to->type = base_type_named(code);
    if (!to->type)
        return err_set(
            r->err, ERR_PROCESSING,
            "the profile %.*s cannot be compiled: the type \"%.*s\" of %.*s is not one of "
            "R4",
            STR_ARG(r->p->url), (int)MIN(code.n, 64u), code.n ? code.p : "", STR_ARG(node->id));
    to->aggregation = read_aggregation(js_get(v, "aggregation"));
    if (read_links(r, js_get(v, "profile"), &to->profiles, &to->n_profiles) < 0 ||
        read_links(r, js_get(v, "targetProfile"), &to->targets, &to->n_targets) < 0)
        return ERR_NO_MEMORY;
    drop_plain_profiles(to);
    drop_plain_targets(node->element, to);
    return 0;
}

/* The base already says that it is a SimpleQuantity. */
static void drop_simple_quantity(struct reading *r, const struct profile_node *parent,
                                 const struct profile_node *node, struct profile_type *t)
{
    const struct base_type *base =
        parent && parent->type ? base_type_of(r->base, parent->type) : NULL;
    size_t at = node->element && base ? (size_t)(node->element - parent->type->elements) : 0;

    if (node->element && base && at < parent->type->n_elements && base->elements[at].is_simple &&
        t->n_profiles == 1 && str_ends(t->profiles[0].url, STR("/SimpleQuantity")))
        t->n_profiles = 0;
}

static int read_types(struct reading *r, const struct profile_node *parent,
                      struct profile_node *node, yyjson_val *list)
{
    size_t i, n, count = yyjson_arr_size(list);
    yyjson_val *v;
    int result;

    if (!count || str_starts(js_get_str(yyjson_arr_get_first(list), "code"), SYSTEM_URL))
        return 0;
    node->types = ARENA_ARRAY(&r->p->arena, struct profile_type, count);
    if (!node->types)
        return err_no_memory(r->err);
    yyjson_arr_foreach(list, i, n, v) {
        struct profile_type *t = &node->types[node->n_types];
        const struct profile_type *before = node->n_types ? t - 1 : NULL;
        result = read_type(r, node, v, t);
        if (result < 0)
            return result;
        drop_simple_quantity(r, parent, node, t);
        node->has_types |= t->n_profiles || t->n_targets || t->aggregation;
        /* STU3's way to say several targets */
        if (before && before->type == t->type && !before->n_profiles && !before->n_targets)
            continue;
        node->n_types++;
    }
    node->has_types |= node->element && node->n_types < count_types(node->element);
    return 0;
}

/* ---- values, bindings, rules ---- */

/* The member that begins with `name` ("fixedCode" for "fixed"). */
static yyjson_val *choice_of(yyjson_val *v, struct str name)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(v, i, n, key, val) {
        struct str s = js_str(key);
        if (s.n > name.n && str_starts(s, name) && s.p[name.n] >= 'A' && s.p[name.n] <= 'Z')
            return val;
    }
    return NULL;
}

static int read_values(struct reading *r, struct profile_node *node, yyjson_val *v)
{
    const struct {
        struct str name;
        yyjson_val **to;
    } values[] = {{STR("fixed"), &node->fixed},
                  {STR("pattern"), &node->pattern},
                  {STR("minValue"), &node->min_value},
                  {STR("maxValue"), &node->max_value}};
    struct str length = js_str(js_get(v, "maxLength"));
    uint64_t max = 0;

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        yyjson_val *found = choice_of(v, values[i].name);
        int result = found ? keep_value(r, found, values[i].to) : 0;
        if (result < 0)
            return result;
    }
    if (length.n && str_to_u64(length, UINT32_MAX - 1, &max))
        node->max_length = (uint32_t)max;
    return 0;
}

static enum def_binding strength_of(struct str s)
{
    return str_eq(s, STR("required"))     ? DEF_REQUIRED
           : str_eq(s, STR("extensible")) ? DEF_EXTENSIBLE
           : str_eq(s, STR("preferred"))  ? DEF_PREFERRED
                                          : DEF_EXAMPLE;
}

static struct str max_value_set(yyjson_val *binding)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(binding, "extension"), i, n, v) {
        if (str_eq(js_get_str(v, "url"), MAX_VALUE_SET))
            return js_get_str(v, "valueCanonical").n ? js_get_str(v, "valueCanonical")
                                                     : js_get_str(v, "valueUri");
    }
    return STR("");
}

static struct str without_version(struct str url)
{
    ptrdiff_t bar = str_find(url, '|');

    return bar < 0 ? url : str_head(url, (size_t)bar);
}

static bool is_base_binding(const struct profile_binding *base, enum def_binding strength,
                            struct str url)
{
    return base && base->strength >= strength &&
           str_eq(without_version(base->value_set), without_version(url));
}

static int read_binding(struct reading *r, const struct profile_node *parent,
                        struct profile_node *node, yyjson_val *v)
{
    enum def_binding strength = strength_of(js_get_str(v, "strength"));
    struct str url = js_get_str(v, "valueSet"), max = max_value_set(v);
    const struct base_type *base =
        parent && parent->type && node->element ? base_type_of(r->base, parent->type) : NULL;
    struct profile_binding *to;

    if (!v || (strength == DEF_EXAMPLE && !max.n) || (!url.n && !max.n))
        return 0;
    if (base && !max.n &&
        is_base_binding(base->elements[node->element - parent->type->elements].binding, strength,
                        url))
        return 0;
    to = ARENA_NEW(&r->p->arena, struct profile_binding);
    if (!to)
        return err_no_memory(r->err);
    to->strength = (uint8_t)strength;
    if (keep_str(r, url, &to->value_set) < 0 || keep_str(r, max, &to->max_value_set) < 0)
        return ERR_NO_MEMORY;
    node->binding = to;
    return 0;
}

/* R4's own rules are held by the base check, and stand in every snapshot. */
static bool is_base_rule(struct reading *r, yyjson_val *v)
{
    struct str source = js_get_str(v, "source");

    return base_has_rule(r->base, js_get_str(v, "key")) &&
           (!source.n || str_find(source, ':') < 0 || base_type_named(source));
}

static int read_rule(struct reading *r, const struct profile_node *node, yyjson_val *v,
                     struct profile_rule *to)
{
    struct err why;
    int result;

    to->severity = str_eq(js_get_str(v, "severity"), STR("warning")) ? ISSUE_WARNING : ISSUE_ERROR;
    if (keep_str(r, js_get_str(v, "key"), &to->key) < 0 ||
        keep_str(r, js_get_str(v, "human"), &to->human) < 0 ||
        keep_str(r, js_get_str(v, "expression"), &to->expression) < 0)
        return ERR_NO_MEMORY;
    if (!to->expression.n) {
        to->why = STR("it has no FHIRPath expression");
        return 0;
    }
    result = path_compile(&r->p->arena, to->expression, node->type, &to->path, &why);
    if (result == ERR_NO_MEMORY)
        return err_no_memory(r->err);
    if (result < 0) {
        to->path = NULL;
        return keep_str(r, str_c(why.text), &to->why);
    }
    return 0;
}

static int read_rules(struct reading *r, struct profile_node *node, yyjson_val *list)
{
    size_t i, n, count = 0;
    yyjson_val *v;

    yyjson_arr_foreach(list, i, n, v)
        count += !is_base_rule(r, v);
    if (!count)
        return 0;
    node->rules = ARENA_ARRAY(&r->p->arena, struct profile_rule, count);
    if (!node->rules)
        return err_no_memory(r->err);
    yyjson_arr_foreach(list, i, n, v) {
        int result = is_base_rule(r, v) ? 0 : read_rule(r, node, v, &node->rules[node->n_rules++]);
        if (result < 0)
            return result;
    }
    return 0;
}

static int read_cardinality(struct reading *r, struct profile_node *node, yyjson_val *v)
{
    struct str min = js_str(js_get(v, "min")), max = js_get_str(v, "max");
    const struct def_element *e = node->element;
    uint64_t n;

    node->min = e ? e->min : 0;
    node->max = e && e->max != DEF_MAX_UNBOUNDED ? e->max : NODE_MAX_UNBOUNDED;
    if (min.n) {
        if (!str_to_u64(min, UINT32_MAX - 1, &n))
            return broken(r, node, "has a min that is no number");
        node->min = (uint32_t)n;
    }
    if (max.n && !str_eq(max, STR("*"))) {
        if (!str_to_u64(max, UINT32_MAX - 1, &n))
            return broken(r, node, "has a max that is neither a number nor *");
        node->max = (uint32_t)n;
    }
    node->has_cardinality =
        e && (node->min > e->min ||
              node->max < (e->max == DEF_MAX_UNBOUNDED ? NODE_MAX_UNBOUNDED : e->max));
    return 0;
}

/* ---- the tree ---- */

static void append(struct profile_node *parent, struct profile_node *node)
{
    if (parent->last_child)
        parent->last_child->next = node;
    else
        parent->child = node;
    parent->last_child = node;
}

static struct profile_node *child_for(struct profile_node *parent, const struct def_element *e)
{
    for (struct profile_node *n = parent->child; n; n = n->next)
        if (n->element == e)
            return n;
    return NULL;
}

static int add_slice(struct reading *r, struct profile_node *of, struct profile_node *node)
{
    struct profile_node **at;

    if (!of->slicing) {
        /* A slice without a slicing: of an extension, by its url; of a choice, by its type. */
        int result = slicing_read(r->p, of, NULL, r->err);
        if (result < 0)
            return result;
    }
    if (++of->slicing->n > PROFILE_SLICES_MAX)
        return err_set(r->err, ERR_COSTLY, "%.*s of the profile %.*s has more than %d slices",
                       STR_ARG(of->id), STR_ARG(r->p->url), PROFILE_SLICES_MAX);
    for (at = &of->slicing->first; *at; at = &(*at)->next)
        ;
    *at = node;
    node->has_cardinality = node->min > 0 || node->max < of->max;
    return 0;
}

/* "a/b" is a slice b within the slice a. */
static struct profile_node *slice_parent(struct profile_node *of, struct str name)
{
    struct profile_node *found = of;

    for (struct profile_node *s = of->slicing ? of->slicing->first : NULL; s; s = s->next)
        if (str_starts(name, s->slice) && name.n > s->slice.n && name.p[s->slice.n] == '/')
            found = slice_parent(s, name);
    return found;
}

static struct str last_name(struct str path)
{
    struct str name = str_from(path, (size_t)(str_rfind(path, '.') + 1));

    return str_ends(name, STR("[x]")) ? str_head(name, name.n - 3) : name;
}

/* Which element of its parent a node is; `*ret_type` where the name says it ("valueQuantity"). */
static int find_element(struct reading *r, const struct profile_node *parent,
                        struct profile_node *node, const struct def_type **ret_type)
{
    struct str name = last_name(node->path);

    *ret_type = NULL;
    if (!parent->type)
        return broken(r, node, "stands below an element that may have several types");
    node->element = element_of(parent->type, name);
    if (!node->element)
        node->element = def_member(parent->type, name, ret_type);
    return node->element ? 0 : broken(r, node, "is not an element of R4");
}

/* Where a node belongs: among the children of `parent`, or among the slices of one of them. */
static int place_node(struct reading *r, struct profile_node *parent, struct profile_node *node,
                      const struct def_type *named)
{
    struct profile_node *same = child_for(parent, node->element);
    /* Some give a slice's name to an element that cannot be sliced: it is a label then. */
    bool is_label = !same && !node->element->is_choice && node->element->max == 1;

    if (is_label)
        node->slice = STR("");
    if (!same && !node->slice.n && !named) {
        append(parent, node);
        return 0;
    }
    if (!same) {
        same = ARENA_NEW(&r->p->arena, struct profile_node);
        if (!same)
            return err_no_memory(r->err);
        same->id = same->path = node->path;
        same->slice = STR("");
        same->element = node->element;
        same->min = node->element->min;
        same->max =
            node->element->max == DEF_MAX_UNBOUNDED ? NODE_MAX_UNBOUNDED : node->element->max;
        append(parent, same);
    }
    if (!node->slice.n && !named)
        return broken(r, node, "stands twice");
    if (!node->slice.n)
        node->slice = last_name(node->path);
    return add_slice(r, slice_parent(same, node->slice), node);
}

static int read_names(struct reading *r, yyjson_val *v, struct profile_node *node)
{
    struct str id = js_get_str(v, "id"), path = js_get_str(v, "path");

    if (!path.n)
        return err_set(r->err, ERR_PROCESSING,
                       "the profile %.*s cannot be compiled: an element has no path",
                       STR_ARG(r->p->url));
    if (keep_str(r, path, &node->path) < 0 || keep_str(r, id.n ? id : path, &node->id) < 0 ||
        keep_str(r, js_get_str(v, "sliceName"), &node->slice) < 0)
        return ERR_NO_MEMORY;
    return 0;
}

static bool is_below(struct str path, struct str above)
{
    return path.n > above.n && str_starts(path, above) && path.p[above.n] == '.';
}

/* The one type that the node's children belong to. */
static void settle_type(struct profile_node *node, const struct def_type *named)
{
    const struct def_element *e = node->element;

    if (named)
        node->type = named;
    else if (node->n_types == 1)
        node->type = node->types[0].type;
    else if (!node->n_types && e && !e->is_choice)
        node->type = e->types[0];
    /* The official snapshots type backbone elements "BackboneElement". */
    if (e && !e->is_choice && e->types[0]->kind == DEF_BACKBONE)
        node->type = e->types[0];
    if (e && !e->is_choice && e->types[0]->kind == DEF_BACKBONE)
        node->n_types = 0, node->has_types = false;
}

static int fill(struct reading *r, const struct profile_node *parent, struct profile_node *node,
                yyjson_val *v, const struct def_type *named)
{
    int result;

    if ((result = read_cardinality(r, node, v)) < 0 ||
        (result = read_types(r, parent, node, js_get(v, "type"))) < 0)
        return result;
    settle_type(node, named);
    if ((result = read_values(r, node, v)) < 0 ||
        (result = read_binding(r, parent, node, js_get(v, "binding"))) < 0 ||
        (result = read_rules(r, node, js_get(v, "constraint"))) < 0)
        return result;
    node->is_must_support = yyjson_get_bool(js_get(v, "mustSupport"));
    return js_get(v, "slicing") ? slicing_read(r->p, node, js_get(v, "slicing"), r->err) : 0;
}

static int read_element(struct reading *r, yyjson_val *v)
{
    struct profile_node *node = ARENA_NEW(&r->p->arena, struct profile_node), *parent;
    const struct def_type *named = NULL;
    int result;

    if (!node)
        return err_no_memory(r->err);
    result = read_names(r, v, node);
    if (result < 0)
        return result;
    while (r->n_open && !is_below(node->path, r->open[r->n_open - 1]->path))
        r->n_open--;
    if (r->n_open == OPEN_MAX)
        return broken(r, node, "is too deep");
    parent = r->n_open ? r->open[r->n_open - 1] : NULL;
    if (!parent && r->p->root)
        return broken(r, node, "is not below the first element");
    /* The value of a primitive is the primitive itself. */
    if (parent && parent->type && parent->type->kind == DEF_PRIMITIVE &&
        str_eq(last_name(node->path), STR("value")))
        return 0;
    r->open[r->n_open++] = node;
    if (!parent) {
        node->type = r->p->type;
        r->p->root = node;
        r->p->is_modifier = yyjson_get_bool(js_get(v, "isModifier"));
        node->max = NODE_MAX_UNBOUNDED;
        return read_rules(r, node, js_get(v, "constraint"));
    }
    if ((result = find_element(r, parent, node, &named)) < 0 ||
        (result = fill(r, parent, node, v, named)) < 0)
        return result;
    r->p->n_nodes++;
    return place_node(r, parent, node, named);
}

/* ---- after all elements are read ---- */

static int settle_slices(struct reading *r, struct profile_node *node, unsigned depth)
{
    int result = node->slicing ? slicing_settle(r->set, r->p, node, depth, r->err) : 0;

    for (struct profile_node *n = node->child; n && result >= 0; n = n->next)
        result = settle_slices(r, n, depth);
    for (struct profile_node *n = node->slicing ? node->slicing->first : NULL; n && result >= 0;
         n = n->next)
        result = settle_slices(r, n, depth);
    return result;
}

/* Whether a node says anything; children that do not are taken out. */
static bool prune(struct profile_node *node, bool is_slice)
{
    struct profile_node **at = &node->child;
    bool matters = node->has_cardinality || node->has_types || node->fixed || node->pattern ||
                   node->min_value || node->max_value || node->max_length || node->binding ||
                   node->n_rules || is_slice;
    bool slices_matter = false;

    while (*at) {
        if (prune(*at, false))
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
    for (struct profile_node *s = node->slicing ? node->slicing->first : NULL; s; s = s->next) {
        prune(s, true);
        slices_matter |= s->matters || s->has_cardinality;
    }
    if (node->slicing && !slices_matter && node->slicing->rules == SLICING_OPEN)
        node->slicing = NULL;
    node->matters = matters || node->child || node->slicing;
    return node->matters;
}

static int read_head(struct reading *r, yyjson_val *definition)
{
    struct profile *p = r->p;
    struct str type = js_get_str(definition, "type");
    yyjson_val *contexts = js_get(definition, "context");
    yyjson_val *invariants = js_get(definition, "contextInvariant");
    int result;

    if (keep_str(r, js_get_str(definition, "url"), &p->url) < 0 ||
        keep_str(r, js_get_str(definition, "version"), &p->version) < 0)
        return ERR_NO_MEMORY;
    p->type = def_type(type);
    if (!p->type)
        return err_set(r->err, ERR_PROCESSING,
                       "the profile %.*s cannot be compiled: \"%.*s\" is not a type of R4",
                       STR_ARG(p->asked), (int)MIN(type.n, 64u), type.n ? type.p : "");
    if (contexts && (result = keep_value(r, contexts, &p->contexts)) < 0)
        return result;
    if (invariants && (result = keep_value(r, invariants, &p->context_invariants)) < 0)
        return result;
    return 0;
}

int profile_compile(struct profiles *set, struct profile *p, yyjson_val *definition, unsigned depth,
                    struct err *err)
{
    struct reading r = {.set = set, .p = p, .base = base_rules(), .err = err};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *elements = NULL, *v;
    size_t i, n;
    int result;

    arena_init(&a, SNAPSHOT_BYTES_MAX);
    if (!r.base)
        return err_no_memory(err);
    result = read_head(&r, definition);
    if (result >= 0)
        result = snapshot_elements(&a, profiles_world(set), definition, &elements, err);
    if (result < 0)
        return result;
    if (yyjson_arr_size(elements) > PROFILE_ELEMENTS_MAX)
        return err_set(err, ERR_COSTLY, "the profile %.*s has more than %d elements",
                       STR_ARG(p->url), PROFILE_ELEMENTS_MAX);
    yyjson_arr_foreach(elements, i, n, v) {
        result = read_element(&r, v);
        if (result < 0)
            return result;
    }
    if (!p->root)
        return err_set(err, ERR_PROCESSING, "the profile %.*s has no elements", STR_ARG(p->url));
    result = settle_slices(&r, p->root, depth);
    if (result >= 0)
        prune(p->root, false);
    return result;
}
