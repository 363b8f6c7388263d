/* capability_terms.c - metadata?mode=terminology: what this node knows of terminology
 * (terminologycapabilities.html).
 */
#include "api/terms.h"

#include "base/clock.h"

#define SYSTEMS_MAX 20000 /* code systems that are named */

static void write_head(struct call *c)
{
    struct sb *out = &c->out;
    char now[CLOCK_INSTANT_MAX];

    clock_format(c->api->started_ms, now);
    sb_fmt(out,
           "{\"resourceType\":\"TerminologyCapabilities\",\"status\":\"active\",\"date\":\"%s\","
           "\"publisher\":\"Carnet\",\"kind\":\"instance\",\"software\":{\"name\":\"Carnet\","
           "\"version\":",
           now);
    sb_json(out, c->api->config.version);
    sb_lit(out, "},\"implementation\":{\"description\":\"Carnet, a country's digital-health "
                "node\",\"url\":");
    sb_json(out, c->base);
    sb_lit(out, "},\"lockedDate\":false");
}

static int write_system(struct call *c, struct store_txn *txn, uint64_t number, bool *first)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct sb *out = &c->out;
    struct arena a;
    yyjson_val *root;
    struct str url, version;
    struct row row;
    int r = store_get_row(txn, number, &row, &c->err);

    if (r < 0 || (r = row_json(c->api->store, &row, &text, &c->err)) < 0)
        return r;
    arena_init(&a, STORE_BODY_MAX * 4);
    r = js_parse_stored(&a, sb_view(&text), &root, &c->err);
    url = r >= 0 ? js_get_str(root, "url") : STR_NULL;
    if (url.n) {
        sb_str(out, *first ? STR(",\"codeSystem\":[{\"uri\":") : STR(",{\"uri\":"));
        *first = false;
        sb_json(out, url);
        version = js_get_str(root, "version");
        if (version.n) {
            sb_lit(out, ",\"version\":[{\"code\":");
            sb_json(out, version);
            sb_lit(out, "}]");
        }
        if (str_eq(js_get_str(root, "content"), STR("not-present")))
            sb_lit(out, ",\"subsumption\":true");
        sb_char(out, '}');
    }
    arena_done(&a);
    return r;
}

static int write_systems(struct call *c, struct store_txn *txn)
{
    struct search_options opt = {.index = *store_index_options(c->api->store)};
    struct page page = {0};
    bool first = true;
    struct search s;
    size_t n = 0;
    int r =
        search_parse(c->a, c->params, &opt, def_resource(STR("CodeSystem")), STR(""), &s, &c->err);

    s.total = TOTAL_NONE;
    s.count = SEARCH_COUNT_MAX;
    while (r >= 0 && n < SYSTEMS_MAX) {
        r = store_search(txn, &s, 0, c->a, &page, &c->err);
        for (size_t i = 0; r >= 0 && i < page.n; i++, n++)
            r = write_system(c, txn, page.rows[i], &first);
        if (!page.next.p)
            break;
        s.cursor = page.next;
    }
    if (!first)
        sb_char(&c->out, ']');
    return r;
}

static void write_expansion(struct sb *out)
{
    static const char *const names[] = {"url",
                                        "valueSet",
                                        "valueSetVersion",
                                        "filter",
                                        "offset",
                                        "count",
                                        "activeOnly",
                                        "excludeNested",
                                        "includeDefinition",
                                        "designation",
                                        "property",
                                        "displayLanguage",
                                        "includeDesignations",
                                        "excludeNotForUI",
                                        "useSupplement",
                                        "system-version",
                                        "check-system-version",
                                        "force-system-version",
                                        "exclude-system",
                                        "tx-resource"};

    sb_lit(out, ",\"expansion\":{\"hierarchical\":true,\"paging\":true,\"incomplete\":false,"
                "\"parameter\":[");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        sb_fmt(out, "%s{\"name\":\"%s\"}", i ? "," : "", names[i]);
    sb_lit(out, "],\"textFilter\":\"Each word of the filter must begin a word of a concept's code, "
                "display or designations, whatever its case and accents.\"},"
                "\"codeSearch\":\"all\",\"validateCode\":{\"translations\":true},"
                "\"translation\":{\"needsMap\":false},\"closure\":{\"translation\":false}}");
}

int api_terminology_capabilities(struct call *c, struct store_txn *txn)
{
    int r;

    if (c->budget)
        return err_set(&c->err, ERR_BUSY, "all code systems have to be named");
    write_head(c);
    if ((r = write_systems(c, txn)) < 0)
        return r;
    write_expansion(&c->out);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
