/* conform_code_system.c - what a CodeSystem has to keep besides R4's invariants: it uses properties
 * that it has, its content is what it says, and its hierarchy has no circles.
 *
 * Source: http://hl7.org/fhir/R4/codesystem.html.
 */
#include "fhir/conform_definition_int.h"

/* Properties that every code system has (http://hl7.org/fhir/concept-properties). */
static const struct {
    const char *code, *type;
} known_properties[] = {{"inactive", "boolean"},
                        {"deprecated", "dateTime"},
                        {"notSelectable", "boolean"},
                        {"parent", "code"},
                        {"child", "code"},
                        {"status", "code"},
                        {"retirementDate", "dateTime"},
                        {"deprecationDate", "dateTime"},
                        {"synonym", "code"},
                        {"comment", "string"},
                        {"abstract", "boolean"},
                        {"partOf", "code"}};

/* What a property's value has to be; empty: nothing says, .p NULL: there is no such property. */
static struct str property_type(yyjson_val *root, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(root, "property"), i, n, v) {
        if (str_eq(js_get_str(v, "code"), code))
            return js_get_str(v, "type").p ? js_get_str(v, "type") : STR("");
    }
    for (i = 0; i < ARRAY_LEN(known_properties); i++)
        if (str_eq(code, str_c(known_properties[i].code)))
            return str_c(known_properties[i].type);
    return STR_NULL;
}

static bool has_value_of(yyjson_val *property, struct str type)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(property, i, n, key, val) {
        struct str name = js_str(key);
        if (str_starts(name, STR("value")))
            return str_eq_nocase(str_from(name, 5), type);
    }
    return true;
}

static void check_properties(const struct definition_check *d, yyjson_val *concept,
                             const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(concept, "property"), i, n, v) {
        struct place here = {at, STR("property"), (ptrdiff_t)i};
        struct str type = property_type(d->root, js_get_str(v, "code"));
        if (!type.p)
            definition_say(d, ISSUE_ERROR, "value", &here, "property",
                           "is a property that the code system does not define");
        else if (type.n && !has_value_of(v, type))
            definition_say(d, ISSUE_ERROR, "value", &here, "property",
                           "has a value of another type than the property is defined with");
    }
}

/* JSON's depth bounds how deep concepts go. */
static size_t check_system_concepts(const struct definition_check *d, yyjson_val *of,
                                    const struct place *at)
{
    yyjson_val *v;
    size_t i, n, count = 0;

    yyjson_arr_foreach(js_get(of, "concept"), i, n, v) {
        struct place here = {at, STR("concept"), (ptrdiff_t)i};
        if (!conform_step(d->c, at))
            break;
        check_properties(d, v, &here);
        count += 1 + check_system_concepts(d, v, &here);
    }
    return count;
}

/* Names that a code system gives to its properties, or to its filters, each once. */
static int check_once(const struct definition_check *d, const char *list)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(d->root, list), i, n, v) {
        struct place here = {d->at, str_c(list), (ptrdiff_t)i};
        struct str code = js_get_str(v, "code");
        struct str key = arena_fmt(d->c->a, "%s %p %.*s", list, (void *)d->root, STR_ARG(code));
        if (!key.p)
            return err_no_memory(d->c->err);
        if (d->c->issues && conform_said(d->c, key))
            definition_say(d, ISSUE_ERROR, "duplicate", &here, list, "is defined twice");
    }
    return 0;
}

static void check_content(const struct definition_check *d, struct str content, size_t count)
{
    struct place at = {d->at, STR("content"), -1};

    if (str_eq(content, STR("not-present")) && count)
        definition_say(d, ISSUE_ERROR, "value", &at, "content",
                       "says that no concepts are here, but there are");
    if (str_eq(content, STR("complete")) && !count)
        definition_say(d, ISSUE_WARNING, "value", &at, "content",
                       "says that all concepts are here, but there are none");
}

/* ---- the hierarchy ---- */

/* A concept, and how many of the ways up from it were followed. */
struct knot {
    struct str code;
    yyjson_val *concept;
    uint32_t up;    /* number + 1 of the concept around, or 0 */
    uint32_t first; /* link + 1 to a parent, through `next` */
    bool is_open, is_done;
};

struct link {
    uint32_t to, next; /* number of the parent; link + 1 */
};

struct web {
    const struct definition_check *d;
    struct knot *knots;
    struct link *links;
    uint32_t *places; /* of codes: number + 1, or 0 */
    size_t n, n_links, n_places, links_max;
};

static uint32_t *place_of(const struct web *w, struct str code)
{
    size_t at = str_hash(code) & (w->n_places - 1);

    while (w->places[at] && !str_eq(w->knots[w->places[at] - 1].code, code))
        at = (at + 1) & (w->n_places - 1);
    return &w->places[at];
}

/* JSON's depth bounds how deep concepts go. */
static void gather(struct web *w, yyjson_val *of, uint32_t up, size_t max)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(of, "concept"), i, n, v) {
        struct str code = js_get_str(v, "code");
        uint32_t *place = place_of(w, code.p ? code : STR(""));
        if (w->n == max)
            return;
        w->knots[w->n] = (struct knot){.code = code.p ? code : STR(""), .concept = v, .up = up};
        w->n++;
        *place = *place ? *place : (uint32_t)w->n;
        gather(w, v, (uint32_t)w->n, max);
    }
}

static void tie(struct web *w, uint32_t child, uint32_t parent)
{
    if (w->n_links == w->links_max)
        return;
    w->links[w->n_links++] = (struct link){parent, w->knots[child].first};
    w->knots[child].first = (uint32_t)w->n_links;
}

static bool is_link(yyjson_val *property, bool *ret_child)
{
    struct str code = js_get_str(property, "code");

    *ret_child = str_eq(code, STR("child"));
    return (*ret_child || str_eq(code, STR("parent"))) && js_get_str(property, "valueCode").n;
}

static size_t count_links(const struct web *w)
{
    size_t i, n, total = w->n;
    yyjson_val *v;
    bool is_child;

    for (size_t k = 0; k < w->n; k++)
        yyjson_arr_foreach(js_get(w->knots[k].concept, "property"), i, n, v) {
            total += is_link(v, &is_child);
        }
    return total;
}

/* The ways up: into the concept around, and as `parent` and `child` say. */
static void tie_all(struct web *w)
{
    struct place at = {w->d->at, STR("concept"), -1};
    size_t i, n;
    yyjson_val *v;

    for (uint32_t k = 0; k < w->n; k++) {
        if (w->knots[k].up)
            tie(w, k, w->knots[k].up - 1);
        yyjson_arr_foreach(js_get(w->knots[k].concept, "property"), i, n, v) {
            struct str code = js_get_str(v, "valueCode");
            bool is_child;
            uint32_t other;
            if (!is_link(v, &is_child))
                continue;
            other = *place_of(w, code);
            if (other)
                tie(w, is_child ? other - 1 : k, is_child ? k : other - 1);
            else if (str_eq(js_get_str(w->d->root, "content"), STR("complete")))
                conform_say(w->d->c, ISSUE_ERROR, "code-invalid", &at, NULL, STR("property"),
                            "has \"%.*s\" of \"%.*s\", which is not a code of the system",
                            (int)MIN(code.n, 64u), code.p, (int)MIN(w->knots[k].code.n, 64u),
                            w->knots[k].code.p);
        }
    }
}

/* Follows all ways up from one concept; the way so far is in `trail`. True where one leads back to
 * where it came by. */
static bool leads_back(struct web *w, uint32_t from, uint32_t *trail)
{
    size_t depth = 0;

    trail[depth++] = from;
    w->knots[from].is_open = true;
    while (depth) {
        struct knot *knot = &w->knots[trail[depth - 1]], *parent;
        const struct link *link;
        if (!knot->first) {
            knot->is_open = false;
            knot->is_done = true;
            depth--;
            continue;
        }
        link = &w->links[knot->first - 1];
        knot->first = link->next;
        parent = &w->knots[link->to];
        if (parent->is_open)
            return true;
        if (parent->is_done)
            continue;
        parent->is_open = true;
        trail[depth++] = link->to;
    }
    return false;
}

static int check_circles(struct web *w)
{
    struct place at = {w->d->at, STR("concept"), -1};
    uint32_t *trail = ARENA_ARRAY(w->d->c->a, uint32_t, w->n + 1);

    if (!trail)
        return err_no_memory(w->d->c->err);
    for (uint32_t k = 0; k < w->n; k++) {
        if (w->knots[k].is_done || !leads_back(w, k, trail))
            continue;
        conform_say(w->d->c, ISSUE_ERROR, "business-rule", &at, NULL, STR("concept"),
                    "has a circle: above \"%.*s\" is a concept that is its own ancestor",
                    (int)MIN(w->knots[k].code.n, 64u), w->knots[k].code.p);
        break;
    }
    return 0;
}

/* No concept is its own ancestor. */
static int check_hierarchy(const struct definition_check *d, size_t count)
{
    struct web w = {.d = d, .n_places = 4};

    if (!count || !conform_steps(d->c, count, d->at))
        return 0;
    while (w.n_places < count * 2)
        w.n_places *= 2;
    w.knots = ARENA_ARRAY(d->c->a, struct knot, count);
    w.places = ARENA_ARRAY(d->c->a, uint32_t, w.n_places);
    if (!w.knots || !w.places)
        return err_no_memory(d->c->err);
    gather(&w, d->root, 0, count);
    w.links_max = count_links(&w);
    w.links = ARENA_ARRAY(d->c->a, struct link, w.links_max + 1);
    if (!w.links)
        return err_no_memory(d->c->err);
    tie_all(&w);
    return check_circles(&w);
}

/* ---- the whole ---- */

int conform_code_system(const struct definition_check *d)
{
    struct place at_supplements = {d->at, STR("supplements"), -1},
                 at_count = {d->at, STR("count"), -1};
    struct str content = js_get_str(d->root, "content");
    bool is_supplement = str_eq(content, STR("supplement"));
    size_t count = check_system_concepts(d, d->root, d->at);
    uint64_t said;

    if (is_supplement && !js_get(d->root, "supplements"))
        definition_say(d, ISSUE_ERROR, "required", &at_supplements, "supplements",
                       "is required of a supplement");
    if (!is_supplement && js_get(d->root, "supplements"))
        definition_say(d, ISSUE_ERROR, "value", &at_supplements, "supplements",
                       "is there, but the content is no supplement");
    if (str_eq(content, STR("complete")) &&
        str_to_u64(js_str(js_get(d->root, "count")), UINT64_MAX, &said) && said != count)
        definition_say(d, ISSUE_WARNING, "value", &at_count, "count",
                       "is not the number of concepts");
    check_content(d, content, count);
    if (check_once(d, "property") < 0 || check_once(d, "filter") < 0)
        return ERR_NO_MEMORY;
    return is_supplement ? 0 : check_hierarchy(d, count);
}
