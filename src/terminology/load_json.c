/* load_json.c - JSON files: the lists of the iso-codes project (Debian's iso-codes, LGPL 2.1+):
 * countries and their parts (3166), languages (639), currencies (4217), one JSON file each; and
 * terminology resources of FHIR, as they stand; and entities of ICD-11 (load_axes.c).
 */
#include "terminology/load_int.h"

#include "base/js.h"

struct list {
    const char *member, *url;
    struct load_about about;
    const char *codes[3]; /* members that are codes; the first is the one with the others */
};

#define ISO .publisher = "International Organization for Standardization"

static const struct list lists[] = {
    {"3166-1",
     "urn:iso:std:iso:3166",
     {.id = "iso-3166-1", .name = "ISO3166", .title = "Countries", ISO},
     {"alpha_2", "alpha_3", "numeric"}},
    {"3166-2",
     "urn:iso:std:iso:3166:-2",
     {.id = "iso-3166-2", .name = "ISO3166Part2", .title = "Parts of countries", ISO},
     {"code"}},
    {"639-2",
     "http://id.loc.gov/vocabulary/iso639-2",
     {.id = "iso-639-2", .name = "ISO6392", .title = "Languages", ISO},
     {"alpha_3"}},
    {"639-3",
     "https://iso639-3.sil.org",
     {.id = "iso-639-3", .name = "ISO6393", .title = "Languages, all", ISO},
     {"alpha_3"}},
    {"4217",
     "urn:iso:std:iso:4217",
     {.id = "iso-4217", .name = "ISO4217", .title = "Currencies", ISO},
     {"alpha_3"}},
};

/* Every other text of an entry is a property of its first code. */
static void add_properties(struct cs_builder *b, uint32_t concept, yyjson_val *entry)
{
    yyjson_val *key, *value;
    size_t i, n;

    yyjson_obj_foreach(entry, i, n, key, value) {
        uint32_t def;
        if (!yyjson_is_str(value) || str_eq(js_str(key), STR("name")))
            continue;
        def = cs_builder_property_def(b, js_str(key), STR(""), STR(""), PROPERTY_STRING);
        cs_builder_property(b, concept, def, PROPERTY_STRING, js_str(value), STR(""), STR(""));
    }
}

static int add_entry(const struct list *list, struct cs_builder *b, yyjson_val *entry, size_t at,
                     struct err *err)
{
    struct str name = js_get_str(entry, "name");

    if (!name.n || !js_get_str(entry, list->codes[0]).n)
        return err_set(err, ERR_SYNTAX, "entry %zu of \"%s\" has no name or no %s", at + 1,
                       list->member, list->codes[0]);
    for (size_t i = 0; i < ARRAY_LEN(list->codes) && list->codes[i]; i++) {
        struct str code = js_get_str(entry, list->codes[i]);
        uint32_t concept = code.n ? cs_builder_add(b, code, name, STR(""), 0) : CS_NONE;
        if (i == 0 && concept == CS_NONE)
            return cs_builder_refused(b, code, err);
        if (i == 0)
            add_properties(b, concept, entry);
    }
    return 0;
}

static int load_list(struct load *l, const struct list *list, yyjson_val *entries, struct err *err)
{
    _cleanup_(cs_builder_freep) struct cs_builder *b = cs_builder_new();
    struct cs_info *info = b ? cs_builder_info(b) : NULL;
    yyjson_val *v;
    size_t i, n;
    int r;

    if (!b)
        return err_no_memory(err);
    info->flags = CS_CASE_UNKNOWN;
    info->url = cs_builder_text(b, str_c(list->url));
    info->name = cs_builder_text(b, str_c(list->about.name));
    info->title = cs_builder_text(b, str_c(list->about.title));
    info->language = cs_builder_text(b, STR("en"));
    info->status = cs_builder_text(b, STR("active"));
    info->content = CONTENT_COMPLETE;
    yyjson_arr_foreach(entries, i, n, v) {
        if ((r = add_entry(list, b, v, i, err)) < 0)
            return r;
    }
    return load_give_system(l, b, &list->about, err);
}

static bool is_wanted(struct str type)
{
    static const struct str types[] = {STR("CodeSystem"), STR("ValueSet"), STR("ConceptMap"),
                                       STR("NamingSystem")};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(type, types[i]))
            return true;
    return false;
}

/* One entity of ICD-11, or several. */
static int load_entities(struct load *l, yyjson_val *root, bool *ret_known, struct err *err)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    *ret_known = load_is_entity(yyjson_is_arr(root) ? yyjson_arr_get_first(root) : root);
    if (*ret_known && !yyjson_is_arr(root))
        return load_entity_axes(l, root, err);
    yyjson_arr_foreach(root, i, n, v) {
        if (r >= 0 && *ret_known)
            r = load_is_entity(v)
                    ? load_entity_axes(l, v, err)
                    : err_set(err, ERR_SYNTAX, "item %zu is no entity of ICD-11", i + 1);
    }
    return r;
}

int load_json(struct load *l, struct str json, bool *ret_known, struct err *err)
{
    struct arena a;
    yyjson_val *root;
    int r;

    arena_init(&a, LOAD_RESOURCE_MAX * 8);
    r = js_parse(&a, json, &root, err);
    *ret_known = false;
    if (r >= 0 && is_wanted(js_get_str(root, "resourceType"))) {
        *ret_known = true;
        r = l->sink->resource(l->sink->ctx, json, err);
    }
    if (r >= 0 && !*ret_known)
        r = load_entities(l, root, ret_known, err);
    for (size_t i = 0; r >= 0 && !*ret_known && i < ARRAY_LEN(lists); i++)
        if (yyjson_is_arr(js_get(root, lists[i].member))) {
            *ret_known = true;
            r = load_list(l, &lists[i], js_get(root, lists[i].member), err);
        }
    arena_done(&a);
    return r;
}
