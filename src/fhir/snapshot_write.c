/* snapshot_write.c - one element laid over another: what is narrower, and what comes of both. */
#include "fhir/snapshot_int.h"

#include "fhir/defs.h"

#include <stdio.h>

#define UNBOUNDED UINT64_MAX

/* ---- whether it is narrower ---- */

static uint64_t number(yyjson_val *v, const char *name, uint64_t fallback)
{
    struct str s = js_str(js_get(v, name));
    uint64_t n;

    if (str_eq(s, STR("*")))
        return UNBOUNDED;
    return s.n && str_to_u64(s, UINT32_MAX, &n) ? n : fallback;
}

static int wider(const struct making *m, yyjson_val *over, const char *what)
{
    struct str id = js_get_str(over, "id").n ? js_get_str(over, "id") : js_get_str(over, "path");

    return err_set(m->err, ERR_PROCESSING, "the snapshot of %.*s cannot be made: %.*s %s",
                   STR_ARG(m->url), STR_ARG(id), what);
}

static int check_cardinality(const struct making *m, const struct sprout *s, yyjson_val *over)
{
    uint64_t base_min = number(s->base, "min", 0);
    uint64_t base_max = number(s->base, "max", UNBOUNDED);
    uint64_t min = number(over, "min", base_min), max = number(over, "max", base_max);

    if (min < base_min)
        return wider(m, over, "has a lower min than its base");
    if (max > base_max)
        return wider(m, over, "has a higher max than its base");
    if (min > max)
        return wider(m, over, "has a min above its max");
    return 0;
}

static int strength_of(yyjson_val *binding)
{
    static const struct str names[] = {STR("example"), STR("preferred"), STR("extensible"),
                                       STR("required")};
    struct str s = js_get_str(binding, "strength");

    for (int i = 0; i < (int)ARRAY_LEN(names); i++)
        if (str_eq(s, names[i]))
            return i;
    return -1;
}

/* Whether a type of the differential is one of the base, or derives from one. */
static bool has_type(yyjson_val *types, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(types, i, n, v) {
        struct str base = js_get_str(v, "code");
        for (const struct def_type *t = def_type(code); t; t = t->base)
            if (str_eq(t->name, base))
                return true;
        if (str_eq(base, code) || str_eq(base, STR("Resource")) || str_eq(base, STR("Element")) ||
            str_starts(base, STR("http:")))
            return true;
    }
    return false;
}

static int check_types(const struct making *m, const struct sprout *s, yyjson_val *over)
{
    yyjson_val *types = js_get(s->base, "type"), *v;
    size_t i, n;

    if (!types)
        return 0;
    yyjson_arr_foreach(js_get(over, "type"), i, n, v) {
        if (!has_type(types, js_get_str(v, "code")))
            return wider(m, over, "has a type that its base does not have");
    }
    return 0;
}

int sprout_lay(struct making *m, struct sprout *s, yyjson_val *over)
{
    int strength = strength_of(js_get(over, "binding"));
    int base = strength_of(js_get(s->base, "binding"));
    int r = check_cardinality(m, s, over);

    if (r < 0 || (r = check_types(m, s, over)) < 0)
        return r;
    if (base == 3 && strength >= 0 && strength < base)
        return wider(m, over, "has a weaker binding than its base, which is required");
    if (s->over)
        return wider(m, over, "stands twice in the differential");
    s->over = over;
    return 0;
}

/* ---- what comes of both ---- */

/* Lists to which the differential adds; everything else it replaces. */
static bool is_added(struct str name, const char **ret_key)
{
    static const struct {
        struct str name;
        const char *key; /* members that tell one from another; NULL: the whole value */
    } lists[] = {{STR("constraint"), "key"}, {STR("condition"), NULL},  {STR("mapping"), "map"},
                 {STR("alias"), NULL},       {STR("example"), "label"}, {STR("code"), "code"}};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (str_eq(name, lists[i].name)) {
            *ret_key = lists[i].key;
            return true;
        }
    return false;
}

static bool is_in(yyjson_val *list, yyjson_val *one, const char *key)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        struct str a = key ? js_get_str(v, key) : js_str(v);
        struct str b = key ? js_get_str(one, key) : js_str(one);
        if (str_eq(a, b))
            return true;
    }
    return false;
}

static void write_added(struct sb *out, yyjson_val *base, yyjson_val *over, const char *key)
{
    bool is_first = true;
    yyjson_val *v;
    size_t i, n;

    sb_char(out, '[');
    yyjson_arr_foreach(base, i, n, v) {
        if (is_in(over, v, key))
            continue;
        sb_str(out, is_first ? STR("") : STR(","));
        js_write(out, v);
        is_first = false;
    }
    yyjson_arr_foreach(over, i, n, v) {
        sb_str(out, is_first ? STR("") : STR(","));
        js_write(out, v);
        is_first = false;
    }
    sb_char(out, ']');
}

static void write_member(struct sb *out, struct str name, yyjson_val *v)
{
    sb_char(out, ',');
    sb_json(out, name);
    sb_char(out, ':');
    js_write(out, v);
}

/* Members that are made, not taken over. */
static bool is_made(struct str name)
{
    static const struct str names[] = {STR("id"),      STR("path"), STR("sliceName"), STR("base"),
                                       STR("slicing"), STR("min"),  STR("max")};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

/* "fixedCode" and "patternCodeableConcept" are what the differential says of the same thing. */
static bool is_said_otherwise(yyjson_val *over, struct str name)
{
    static const struct str stems[] = {STR("fixed"), STR("pattern"), STR("minValue"),
                                       STR("maxValue"), STR("defaultValue")};
    yyjson_val *key, *val;
    size_t i, n;

    for (size_t k = 0; k < ARRAY_LEN(stems); k++) {
        if (!str_starts(name, stems[k]))
            continue;
        yyjson_obj_foreach(over, i, n, key, val) {
            if (str_starts(js_str(key), stems[k]))
                return true;
        }
    }
    return false;
}

/* ,"name":value for each member of both; without `type` where the slice says it itself. */
static void write_merged(struct sb *out, yyjson_val *base, yyjson_val *over, bool without_type)
{
    yyjson_val *key, *val, *said;
    const char *list_key;
    size_t i, n;

    yyjson_obj_foreach(base, i, n, key, val) {
        struct str name = js_str(key);
        if (is_made(name) || (without_type && str_eq(name, STR("type"))))
            continue;
        said = over ? yyjson_obj_getn(over, name.p, name.n) : NULL;
        if (said && is_added(name, &list_key)) {
            sb_char(out, ',');
            sb_json(out, name);
            sb_char(out, ':');
            write_added(out, val, said, list_key);
        } else if (said || !over || !is_said_otherwise(over, name)) {
            write_member(out, name, said ? said : val);
        }
    }
    if (!over)
        return;
    yyjson_obj_foreach(over, i, n, key, val) {
        struct str name = js_str(key);
        if (!is_made(name) && !yyjson_obj_getn(base, name.p, name.n))
            write_member(out, name, val);
    }
}

static void write_base(struct sb *out, const struct sprout *s)
{
    yyjson_val *base = js_get(s->base, "base");

    sb_lit(out, ",\"base\":");
    if (base) {
        js_write(out, base);
        return;
    }
    sb_lit(out, "{\"path\":");
    sb_json(out, js_get_str(s->base, "path"));
    sb_lit(out, ",\"min\":");
    sb_str(out, js_str(js_get(s->base, "min")).n ? js_str(js_get(s->base, "min")) : STR("0"));
    sb_lit(out, ",\"max\":");
    sb_json(out, js_get_str(s->base, "max").n ? js_get_str(s->base, "max") : STR("*"));
    sb_char(out, '}');
}

static yyjson_val *said(const struct sprout *s, const char *name)
{
    yyjson_val *v = s->over ? js_get(s->over, name) : NULL;

    return v ? v : js_get(s->base, name);
}

/* The differential's word, or else the extension's and the base's, whichever is narrower. */
static struct str count_of(const struct sprout *s, const char *name, struct str root)
{
    struct str base = js_str(js_get(s->base, name)), count = js_str(js_get(s->over, name));
    bool is_min = str_eq(str_c(name), STR("min"));
    uint64_t of_base, of_root;

    if (count.n || !root.n || !base.n)
        return count.n ? count : base.n ? base : root;
    of_base = number(s->base, name, 0);
    of_root = str_eq(root, STR("*")) ? UNBOUNDED : 0;
    if (!of_root && !str_to_u64(root, UINT32_MAX, &of_root))
        return base;
    return (is_min ? of_root > of_base : of_root < of_base) ? root : base;
}

static void write_counts(struct sb *out, const struct sprout *s)
{
    struct str min = count_of(s, "min", s->root_min), max = count_of(s, "max", s->root_max);

    if (!max.n)
        max = js_get_str(js_get(s->base, "base"), "max");
    sb_lit(out, ",\"min\":");
    sb_str(out, min.n ? min : STR("0"));
    sb_lit(out, ",\"max\":");
    sb_json(out, max.n ? max : STR("*"));
}

static void write_slicing(struct sb *out, const struct sprout *s)
{
    static const char by_type[] = ",\"slicing\":{\"discriminator\":[{\"type\":\"type\",\"path\":"
                                  "\"$this\"}],\"ordered\":false,\"rules\":\"open\"}";
    static const char by_url[] = ",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":"
                                 "\"url\"}],\"ordered\":false,\"rules\":\"open\"}";
    yyjson_val *slicing = s->over ? js_get(s->over, "slicing") : NULL;

    if (!slicing)
        slicing = js_get(s->base, "slicing");
    if (slicing)
        write_member(out, STR("slicing"), slicing);
    else if (s->slices && !s->slice.n && str_ends(s->name, STR("[x]")))
        sb_str(out, str_c(by_type));
    else if (s->slices && !s->slice.n &&
             (str_eq(s->name, STR("extension")) || str_eq(s->name, STR("modifierExtension"))))
        sb_str(out, str_c(by_url));
}

/* A slice called by a type ("valueQuantity") has that type. Returns whether it was written. */
static bool write_only(struct sb *out, const struct sprout *s)
{
    yyjson_val *v;
    size_t i, n;

    if (!s->only || (s->over && js_get(s->over, "type")))
        return false;
    yyjson_arr_foreach(js_get(s->base, "type"), i, n, v) {
        if (!str_eq(js_get_str(v, "code"), str_c(s->only)))
            continue;
        sb_lit(out, ",\"type\":[");
        js_write(out, v);
        sb_char(out, ']');
        return true;
    }
    return false;
}

static void write_rest(struct sb *out, const struct sprout *s)
{
    bool has_type;

    write_counts(out, s);
    write_base(out, s);
    has_type = write_only(out, s);
    write_merged(out, s->base, s->over, has_type);
}

int sprout_merge(struct making *m, const struct sprout *s, bool as_slice, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb out = sb_make(SNAPSHOT_TEXT_MAX);

    sb_lit(&out, "{\"path\":");
    sb_json(&out, js_get_str(s->base, "path"));
    if (as_slice) {
        struct str max = js_str(said(s, "max"));
        /* Who allows none and then names slices means those. */
        if (str_eq(max, STR("0")))
            max = js_get_str(s->base, "max");
        sb_lit(&out, ",\"min\":0,\"max\":");
        sb_json(&out, max.n ? max : STR("*"));
        write_base(&out, s);
        write_merged(&out, s->base, s->over, false);
    } else {
        write_slicing(&out, s);
        write_rest(&out, s);
    }
    sb_char(&out, '}');
    return sb_ok(&out, m->err) < 0 ? ERR_NO_MEMORY
                                   : js_parse_stored(m->a, sb_view(&out), ret, m->err);
}

struct names {
    char id[SNAPSHOT_PATH_MAX + 1], path[SNAPSHOT_PATH_MAX + 1];
};

static int next_names(struct making *m, const struct names *up, const struct sprout *s,
                      struct names *ret)
{
    int path = snprintf(ret->path, sizeof ret->path, "%s%s%.*s", up ? up->path : "", up ? "." : "",
                        STR_ARG(s->name));
    int id = snprintf(ret->id, sizeof ret->id, "%s%s%.*s%s%.*s", up ? up->id : "", up ? "." : "",
                      STR_ARG(s->name), s->slice.n ? ":" : "", STR_ARG(s->slice));

    if (path > SNAPSHOT_PATH_MAX || id > SNAPSHOT_PATH_MAX)
        return err_set(m->err, ERR_COSTLY, "an element of %.*s has an id longer than %d bytes",
                       STR_ARG(m->url), SNAPSHOT_PATH_MAX);
    return 0;
}

static void write_element(struct sb *out, const struct sprout *s, const struct names *names)
{
    sb_str(out, out->n > 1 ? STR(",{\"id\":") : STR("{\"id\":"));
    sb_json(out, str_c(names->id));
    sb_lit(out, ",\"path\":");
    sb_json(out, str_c(names->path));
    if (s->slice.n) {
        sb_lit(out, ",\"sliceName\":");
        sb_json(out, s->slice);
    }
    write_slicing(out, s);
    write_rest(out, s);
    sb_char(out, '}');
}

static int write_tree(struct making *m, const struct sprout *s, const struct names *up,
                      struct sb *out)
{
    struct names names;
    int r = next_names(m, up, s, &names);

    if (r < 0)
        return r;
    write_element(out, s, &names);
    for (const struct sprout *c = s->child; c && r >= 0; c = c->next)
        r = write_tree(m, c, &names, out);
    for (const struct sprout *c = s->slices; c && r >= 0; c = c->next)
        r = write_tree(m, c, up, out);
    return r;
}

int sprout_write(struct making *m, struct sb *out)
{
    int r;

    sb_char(out, '[');
    r = write_tree(m, m->root, NULL, out);
    sb_char(out, ']');
    return r < 0 ? r : sb_ok(out, m->err);
}
