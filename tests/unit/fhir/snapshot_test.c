/* Snapshots generated from the differentials of R4's own profiles and extensions are the official
 * ones: the same elements in the same order, with the same rules. */
#include "../test.h"

#include "base/js.h"
#include "fhir/shelf.h"
#include "fhir/snapshot.h"

#include <zlib.h>

#define FILE_MAX MIB(96)

/* Where the official snapshot is not what its own differential says. */
static const struct {
    const char *id, *why;
} excepted[] = {
    {"familymemberhistory-genetic", "a choice keeps the name of a slice without being sliced"},
    {"provenance-relevant-history", "the slice Author does not get the binding of agent.type"},
    {"bp", "valueQuantity becomes the unsliced value[x] in components, a slice everywhere else"},
    {"clinicaldocument", "a slice does not get the number that its extension's root has"},
    {"elementdefinition-de", "the slices of extension are unfolded, and nothing in them is named"},
};

static bool is_excepted(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(excepted); i++)
        if (str_eq(id, str_c(excepted[i].id)))
            return true;
    return false;
}

struct official {
    struct arena a;
    struct shelf *shelf;
    const struct world *world;
    size_t n, n_wrong;
};

static bool load(struct official *o, const char *name, yyjson_val **ret)
{
    const char *dir = getenv("CARNET_SHARED");
    _cleanup_(sb_done) struct sb text = sb_make(FILE_MAX);
    char path[4096];
    gzFile gz;
    int n;

    snprintf(path, sizeof path, "%s/r4-definitions/%s", dir ? dir : "", name);
    gz = dir ? gzopen(path, "rb") : NULL;
    if (!gz)
        return false;
    for (;;) {
        char *to = sb_room(&text, KIB(256));
        assert_non_null(to);
        n = gzread(gz, to, KIB(256));
        if (n <= 0)
            break;
        sb_add(&text, (size_t)n);
    }
    gzclose(gz);
    assert_int_equal(js_parse(&o->a, sb_view(&text), ret, NULL), 0);
    return true;
}

static void put_all(struct official *o, yyjson_val *bundle)
{
    yyjson_val *entry;
    size_t i, n;

    yyjson_arr_foreach(js_get(bundle, "entry"), i, n, entry) {
        _cleanup_(sb_done) struct sb text = sb_make(MIB(8));
        yyjson_val *sd = js_get(entry, "resource");
        if (!str_eq(js_get_str(sd, "derivation"), STR("constraint")))
            continue;
        js_write(&text, sd);
        assert_int_equal(shelf_put(o->shelf, sb_view(&text), NULL), 0);
    }
}

static struct str text_of(struct sb *b, yyjson_val *v)
{
    sb_reset(b);
    if (v)
        js_write(b, v);
    else
        sb_lit(b, "-");
    return sb_view(b);
}

static bool is_same(yyjson_val *a, yyjson_val *b, char *why, size_t max, const char *name)
{
    _cleanup_(sb_done) struct sb x = sb_make(MIB(1)), y = sb_make(MIB(1));
    struct str ours = text_of(&x, a), theirs = text_of(&y, b);

    if (str_eq(ours, theirs))
        return true;
    snprintf(why, max, "%s is %.*s, not %.*s", name, (int)MIN(ours.n, 300u), ours.p,
             (int)MIN(theirs.n, 300u), theirs.p);
    return false;
}

/* Every rule that theirs has, ours has. */
static bool has_rules(yyjson_val *ours, yyjson_val *theirs, char *why, size_t max)
{
    yyjson_val *a, *b;
    size_t i, n, j, m;

    yyjson_arr_foreach(theirs, i, n, b) {
        struct str source = js_get_str(b, "source");
        bool found =
            str_starts(source, STR("http://hl7.org/fhir/StructureDefinition/")) || !source.n;
        yyjson_arr_foreach(ours, j, m, a)
            found |= str_eq(js_get_str(a, "key"), js_get_str(b, "key"));
        if (!found) {
            struct str key = js_get_str(b, "key");
            snprintf(why, max, "the rule %.*s is missing", (int)key.n, key.n ? key.p : "");
            return false;
        }
    }
    return true;
}

static bool is_same_element(yyjson_val *ours, yyjson_val *theirs, char *why, size_t max)
{
    static const char *const parts[] = {"path",      "sliceName",  "min", "max", "contentReference",
                                        "maxLength", "mustSupport"};
    yyjson_val *key, *val;
    size_t i, n;

    for (size_t k = 0; k < ARRAY_LEN(parts); k++)
        if (!is_same(js_get(ours, parts[k]), js_get(theirs, parts[k]), why, max, parts[k]))
            return false;
    yyjson_obj_foreach(theirs, i, n, key, val) {
        struct str name = js_str(key);
        if ((str_starts(name, STR("fixed")) || str_starts(name, STR("pattern"))) &&
            !is_same(yyjson_obj_getn(ours, name.p, name.n), val, why, max, "a value"))
            return false;
    }
    if (js_get(js_get(theirs, "binding"), "valueSet") &&
        (!is_same(js_get(js_get(ours, "binding"), "valueSet"),
                  js_get(js_get(theirs, "binding"), "valueSet"), why, max, "valueSet") ||
         !is_same(js_get(js_get(ours, "binding"), "strength"),
                  js_get(js_get(theirs, "binding"), "strength"), why, max, "strength")))
        return false;
    return has_rules(js_get(ours, "constraint"), js_get(theirs, "constraint"), why, max);
}

/* The same definition, but the elements of its differential have no ids. */
static yyjson_val *without_ids(struct arena *a, yyjson_val *sd)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *copy = yyjson_val_mut_copy(doc, sd), *element;
    yyjson_val *ret = NULL;
    size_t i, n;
    char *text;

    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_obj_get(copy, "differential"), "element"),
                           i, n, element) yyjson_mut_obj_remove_key(element, "id");
    yyjson_mut_doc_set_root(doc, copy);
    text = yyjson_mut_write(doc, 0, NULL);
    yyjson_mut_doc_free(doc);
    assert_non_null(text);
    assert_int_equal(js_parse(a, arena_dup(a, str_c(text)), &ret, NULL), 0);
    free(text);
    return ret;
}

static void compare(struct official *o, yyjson_val *sd, bool has_ids)
{
    _cleanup_(arena_done) struct arena a;
    struct str url = js_get_str(sd, "url");
    yyjson_val *theirs = js_get(js_get(sd, "snapshot"), "element"), *ours, *x, *y;
    char why[1000] = "";
    struct err err;
    size_t i, n;

    o->n++;
    arena_init(&a, SNAPSHOT_BYTES_MAX);
    if (!has_ids)
        sd = without_ids(&a, sd);
    if (snapshot_generate(&a, o->world, sd, &ours, &err) < 0) {
        print_error("%.*s: %s\n", STR_ARG(url), err.text);
        o->n_wrong++;
        return;
    }
    x = yyjson_arr_get_first(ours);
    yyjson_arr_foreach(theirs, i, n, y) {
        bool has_x = i < yyjson_arr_size(ours);
        struct str id = js_get_str(y, "id");
        if (!has_x || !str_eq(js_get_str(x, "id"), id)) {
            struct str found = has_x ? js_get_str(x, "id") : STR("nothing");
            snprintf(why, sizeof why, "%.*s is where %.*s should be", (int)found.n,
                     found.n ? found.p : "", (int)id.n, id.n ? id.p : "");
            break;
        }
        if (!is_same_element(x, y, why, sizeof why)) {
            print_error("%.*s: %.*s: %s\n", STR_ARG(url), STR_ARG(id), why);
            o->n_wrong++;
            return;
        }
        x = unsafe_yyjson_get_next(x);
    }
    if (!why[0] && yyjson_arr_size(ours) != yyjson_arr_size(theirs))
        snprintf(why, sizeof why, "%zu elements, not %zu", yyjson_arr_size(ours),
                 yyjson_arr_size(theirs));
    if (why[0]) {
        print_error("%.*s: %s\n", STR_ARG(url), why);
        o->n_wrong++;
    }
}

static void snapshots_are_the_official_ones(void **state)
{
    static const char *const files[] = {"profiles-types.json.gz", "profiles-others.json.gz",
                                        "extension-definitions.json.gz"};
    yyjson_val *bundles[ARRAY_LEN(files)], *entry;
    struct official o = {.n = 0};
    struct err err;
    size_t i, n;

    (void)state;
    arena_init(&o.a, MIB(1024));
    assert_int_equal(shelf_new(&o.shelf, &err), 0);
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        if (!load(&o, files[f], &bundles[f])) {
            shelf_free(o.shelf);
            arena_done(&o.a);
            print_message("CARNET_SHARED has no r4-definitions\n");
            skip();
        }
        put_all(&o, bundles[f]);
    }
    o.world = shelf_world(o.shelf, NULL);
    for (size_t f = 0; f < ARRAY_LEN(files); f++)
        yyjson_arr_foreach(js_get(bundles[f], "entry"), i, n, entry) {
            yyjson_val *sd = js_get(entry, "resource");
            if (str_eq(js_get_str(sd, "derivation"), STR("constraint")) &&
                !is_excepted(js_get_str(sd, "id"))) {
                compare(&o, sd, true);
                compare(&o, sd, false);
            }
        }
    print_message("%zu snapshots, %zu differ\n", o.n, o.n_wrong);
    shelf_free(o.shelf);
    arena_done(&o.a);
    assert_int_equal(o.n_wrong, 0);
    assert_true(o.n > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_are_the_official_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
