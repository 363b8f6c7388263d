/* compose.c - any JSON as a value set, over code systems that it may draw on: it is compiled, its
 * codes are asked for, and a page of it is written; what a page has is in the set. */
#include "fuzz.h"
#include "store/store.h"
#include "terminology/expand.h"
#include "terminology/terminology.h"
#include "trust/trust.h"

#include "../fault/folder.h"

#include <stdlib.h>

#define ARENA_MAX MIB(64)
#define COUNT 20

/* A tree with properties, and one whose codes may be written in any case; units, language tags and
 * media types are there without a resource. */
static const char systems[] =
    "[{\"resourceType\":\"CodeSystem\",\"url\":\"urn:a\",\"version\":\"1\",\"content\":"
    "\"complete\","
    "\"caseSensitive\":true,\"property\":[{\"code\":\"p\",\"type\":\"string\"}],\"concept\":["
    "{\"code\":\"a\",\"display\":\"All\",\"concept\":[{\"code\":\"b\",\"property\":[{\"code\":"
    "\"p\","
    "\"valueString\":\"v\"}]},{\"code\":\"c\",\"concept\":[{\"code\":\"d\"}]}]},{\"code\":\"e\"}]},"
    "{\"resourceType\":\"CodeSystem\",\"url\":\"urn:b\",\"content\":\"complete\",\"concept\":["
    "{\"code\":\"X\"},{\"code\":\"x\"},{\"code\":\"Y\"}]},"
    "{\"resourceType\":\"ValueSet\",\"url\":\"urn:v\",\"compose\":{\"include\":[{\"system\":\"urn:"
    "a\"},"
    "{\"system\":\"urn:ietf:bcp:47\"}]}}]";

static struct {
    char dir[FOLDER_BYTES];
    struct store *store;
    struct terms *terms;
    struct access who;
} node;

static void node_close(void)
{
    terms_free(node.terms);
    store_close(node.store);
    folder_remove(node.dir);
}

static void node_open(void)
{
    struct store_config store = {.dir = node.dir, .create = true};
    struct err err = {0};

    folder_new(node.dir);
    node.who = trust_system();
    FUZZ_HOLDS(store_open(&store, &node.store, &err) >= 0);
    FUZZ_HOLDS(terms_new(node.store, &node.who, &node.terms, &err) >= 0);
    atexit(node_close);
}

static void ask(const struct vs *vs, struct str system, struct str code)
{
    struct vs_found found;

    if (vs_has(vs, system, STR_NULL, code, &found))
        FUZZ_HOLDS(found.group != NULL);
}

/* Each code of the page is one that the set has. */
static void check_page(const struct vs *vs, struct arena *a, struct str page)
{
    yyjson_val *root, *v;
    size_t i, n;
    struct vs_found found;
    struct err err = {0};

    FUZZ_HOLDS(js_parse(a, page, &root, &err) == 0);
    FUZZ_HOLDS(yyjson_arr_size(js_get(js_get(root, "expansion"), "contains")) <= COUNT);
    yyjson_arr_foreach(js_get(js_get(root, "expansion"), "contains"), i, n, v) {
        FUZZ_HOLDS(vs_has(vs, js_get_str(v, "system"), STR_NULL, js_get_str(v, "code"), &found));
    }
}

static void run(struct terms_scope *s, yyjson_val *resource)
{
    struct expand_options opt = {.has_count = true, .count = COUNT, .exclude_nested = true};
    struct sb page = sb_make(MIB(4));
    struct err err = {0};
    struct vs *vs;

    if (terms_value_set_of(s, resource, &vs, &err) < 0) {
        FUZZ_HOLDS(err.text[0]);
        sb_done(&page);
        return;
    }
    ask(vs, STR("urn:a"), STR("d"));
    ask(vs, STR("urn:b"), STR("y"));
    ask(vs, STR("http://unitsofmeasure.org"), STR("mg/dL"));
    ask(vs, STR("urn:ietf:bcp:47"), STR("en-Latn-GB-x-a"));
    ask(vs, STR("urn:ietf:bcp:13"), STR("text/plain"));
    ask(vs, STR_NULL, STR("b"));
    if (terms_expand(s, vs, &opt, &page, &err) >= 0)
        check_page(vs, s->a, sb_view(&page));
    sb_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    yyjson_val *extra[8], *list, *root, *v;
    struct terms_scope s;
    struct err err = {0};
    size_t i, max;
    struct arena a;

    if (!node.terms)
        node_open();
    arena_init(&a, ARENA_MAX);
    FUZZ_HOLDS(js_parse(&a, str_c(systems), &list, &err) == 0);
    if (js_parse(&a, str_n((const char *)data, n), &root, &err) == 0) {
        terms_scope_init(&s, node.terms, &a);
        s.extra = extra;
        yyjson_arr_foreach(list, i, max, v) {
            extra[s.n_extra++] = v;
        }
        extra[s.n_extra++] = root;
        run(&s, root);
        terms_scope_done(&s);
    }
    arena_done(&a);
    return 0;
}
