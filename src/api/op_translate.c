/* op_translate.c - ConceptMap/$translate: a code in another system
 * (conceptmap-operation-translate.html).
 */
#include "api/terms.h"

#include "terminology/canonical.h"
#include "terminology/translate.h"

struct translate_call {
    struct terms_call t;
    struct coding *codings;
    size_t n;
    struct translate_options opt;
    struct str source_set, target_set;
    struct translation found;
};

/* ---- in ---- */

static int read_codings(struct translate_call *x)
{
    const struct op_param *concept = op_param_find(&x->t.p, "codeableConcept");
    yyjson_val *list = concept ? js_get(concept->value, "coding") : NULL, *v;
    struct call *c = x->t.c;
    size_t i, n;

    if (yyjson_arr_size(list) > OP_PARAMS_MAX)
        return err_set(&c->err, ERR_COSTLY, "a concept may have %d codings", OP_PARAMS_MAX);
    x->codings = ARENA_ARRAY(c->a, struct coding, yyjson_arr_size(list) + 1);
    if (!x->codings)
        return err_no_memory(&c->err);
    yyjson_arr_foreach(list, i, n, v) {
        x->codings[x->n++] = terms_coding(v);
    }
    if (x->n)
        return 0;
    x->n = 1;
    return terms_call_coding(&x->t, "coding", "code", x->codings);
}

/* `dependency` with its parts `element` and `concept`. */
static int read_dependencies(struct translate_call *x)
{
    const struct op_params *p = &x->t.p;
    struct call *c = x->t.c;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < p->n; i++) {
        const struct op_param *concept;
        struct op_params parts;
        if (!str_eq(p->v[i].name, STR("dependency")))
            continue;
        if (x->opt.n == TRANSLATE_DEPENDENCIES_MAX)
            return err_set(&c->err, ERR_COSTLY, "a call may have %d dependencies",
                           TRANSLATE_DEPENDENCIES_MAX);
        if ((r = op_parts_read(c, &p->v[i], &parts)) < 0)
            return r;
        concept = op_param_find(&parts, "concept");
        if (!op_param_text(&parts, "element").n || !concept || !yyjson_is_obj(concept->value))
            return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                          "a dependency needs an element and a concept");
        x->opt.dependencies[x->opt.n++] =
            (struct translate_dependency){op_param_text(&parts, "element"), concept->value};
    }
    return r;
}

static int read_params(struct translate_call *x)
{
    const struct op_params *p = &x->t.p;
    struct str version, target;
    int r = op_param_bool(x->t.c, p, "reverse", false, &x->opt.reverse);

    if (r < 0 || (r = read_dependencies(x)) < 0)
        return r;
    target = op_param_text(p, "targetsystem");
    if (!target.n)
        target = op_param_text(p, "targetSystem");
    x->opt.target = canonical_split(target.n ? target : STR(""), &version);
    x->source_set = op_param_text(p, "source");
    x->target_set = op_param_text(p, "target");
    return read_codings(x);
}

/* ---- maps ---- */

static int use(struct translate_call *x, const struct map *m)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < x->n; i++)
        r = terms_translate(&x->t.s, m, &x->codings[i], &x->opt, &x->found, &x->t.c->err);
    return r;
}

/* Whether a map is between the value sets that were named. */
static bool is_between(const struct translate_call *x, const struct map *m)
{
    struct str source = map_text(m, map_info(m)->source), target = map_text(m, map_info(m)->target);

    if (x->opt.reverse) {
        struct str swap = source;
        source = target;
        target = swap;
    }
    return (!x->source_set.n || str_eq(x->source_set, source)) &&
           (!x->target_set.n || str_eq(x->target_set, target));
}

static int use_row(struct translate_call *x, uint64_t number)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct call *c = x->t.c;
    yyjson_val *root;
    struct map *m;
    struct row row;
    struct str url, version, canonical;
    int r = store_get_row(x->t.txn, number, &row, &c->err);

    if (r < 0 || (r = row_json(c->api->store, &row, &text, &c->err)) < 0 ||
        (r = js_parse_stored(c->a, sb_view(&text), &root, &c->err)) < 0)
        return r;
    url = js_get_str(root, "url");
    version = js_get_str(root, "version");
    canonical = version.n ? arena_join(c->a, (const struct str[]){url, STR("|"), version}, 3) : url;
    if (url.n && !canonical.p)
        return err_no_memory(&c->err);
    r = url.n ? terms_map(&x->t.s, canonical, &m, &c->err)
              : terms_map_of(&x->t.s, root, &m, &c->err);
    return r < 0 || !m || !is_between(x, m) ? r : use(x, m);
}

/* All maps, where none is named: that have something to do with the code's system. */
static int use_all(struct translate_call *x)
{
    struct call *c = x->t.c;
    struct search_options opt = {.index = *store_index_options(c->api->store)};
    struct search s;
    struct page page = {0};
    int r;

    if (x->t.s.quick)
        return err_set(&c->err, ERR_BUSY, "the maps have to be looked for");
    r = search_parse(c->a, c->params, &opt, def_resource(STR("ConceptMap")), STR(""), &s, &c->err);
    s.total = TOTAL_NONE;
    s.count = TRANSLATE_MAPS_MAX + 1;
    if (r >= 0)
        r = store_search(x->t.txn, &s, 0, c->a, &page, &c->err);
    if (r >= 0 && page.n > TRANSLATE_MAPS_MAX)
        return err_set(&c->err, ERR_COSTLY,
                       "there are more than %d concept maps: name the one to use by url",
                       TRANSLATE_MAPS_MAX);
    for (size_t i = 0; r >= 0 && i < page.n; i++)
        r = use_row(x, page.rows[i]);
    for (size_t i = 0; r >= 0 && i < x->t.s.n_extra; i++) {
        struct map *m;
        if (!str_eq(js_get_str(x->t.s.extra[i], "resourceType"), STR("ConceptMap")))
            continue;
        r = terms_map_of(&x->t.s, x->t.s.extra[i], &m, &c->err);
        if (r >= 0 && is_between(x, m))
            r = use(x, m);
    }
    return r;
}

static int use_named(struct translate_call *x)
{
    struct str url = op_param_text(&x->t.p, "url"), version;
    struct call *c = x->t.c;
    yyjson_val *resource;
    struct map *m = NULL;
    int r = c->id.n ? terms_call_instance(&x->t, &resource)
                    : terms_call_brought(&x->t, "conceptMap", "ConceptMap", &resource);

    if (r < 0)
        return r;
    if (resource) {
        r = terms_map_of(&x->t.s, resource, &m, &c->err);
        return r < 0 ? r : use(x, m);
    }
    if (!url.n)
        return use_all(x);
    version = op_param_text(&x->t.p, "conceptMapVersion");
    if (version.n)
        url = arena_join(c->a, (const struct str[]){url, STR("|"), version}, 3);
    if (!url.p)
        return err_no_memory(&c->err);
    r = terms_map(&x->t.s, url, &m, &c->err);
    if (r >= 0 && !m)
        return err_set(&c->err, ERR_NOT_FOUND, "the concept map \"%.*s\" is not known here",
                       (int)MIN(url.n, 300u), url.p);
    return r < 0 ? r : use(x, m);
}

/* ---- out ---- */

static void write_coding(struct terms_call *t, const struct coding *coding)
{
    struct sb *out = t->out;

    terms_out_name(t, "concept", "valueCoding");
    sb_lit(out, "{\"code\":");
    sb_json(out, coding->code.p ? coding->code : STR(""));
    if (coding->system.n) {
        sb_lit(out, ",\"system\":");
        sb_json(out, coding->system);
    }
    if (coding->version.n) {
        sb_lit(out, ",\"version\":");
        sb_json(out, coding->version);
    }
    if (coding->display.n) {
        sb_lit(out, ",\"display\":");
        sb_json(out, coding->display);
    }
    sb_lit(out, "}}");
}

/* Elements of dependsOn or product: a JSON array as it stands in the map. */
static void write_others(struct terms_call *t, const char *name, struct str json)
{
    struct coding coding;
    yyjson_val *list, *v;
    size_t i, n;

    if (!json.n || js_parse_stored(t->c->a, json, &list, NULL) < 0)
        return;
    yyjson_arr_foreach(list, i, n, v) {
        terms_out_open(t, name);
        terms_out_text(t, str_eq(str_c(name), STR("product")) ? "element" : "property", "valueUri",
                       js_get_str(v, "property"));
        coding = (struct coding){.system = js_get_str(v, "system"),
                                 .code = js_get_str(v, "value"),
                                 .display = js_get_str(v, "display")};
        write_coding(t, &coding);
        terms_out_close(t);
    }
}

static void write_match(struct terms_call *t, const struct translate_match *m)
{
    terms_out_open(t, "match");
    terms_out_text(t, "equivalence", "valueCode", m->equivalence);
    if (m->concept.code.n)
        write_coding(t, &m->concept);
    write_others(t, "product", m->product);
    write_others(t, "dependsOn", m->depends_on);
    terms_out_text(t, "source", "valueUri", m->source);
    terms_out_text(t, "comment", "valueString", m->comment);
    terms_out_close(t);
}

static int reply(struct translate_call *x)
{
    const struct translation *found = &x->found;

    terms_out_begin(&x->t);
    terms_out_bool(&x->t, "result", found->result);
    if (!found->result)
        terms_out_text(&x->t, "message", "valueString",
                       !found->found_map ? STR("no concept map for this code system is known here")
                                         : STR("the code has no translation"));
    for (size_t i = 0; i < found->n; i++)
        write_match(&x->t, &found->v[i]);
    return terms_out_end(&x->t);
}

int op_translate(struct call *c, struct store_txn *txn)
{
    struct translate_call x = {.n = 0};
    int r = terms_call_begin(&x.t, c, txn);

    if (r >= 0)
        r = read_params(&x);
    if (r >= 0)
        r = use_named(&x);
    if (r >= 0)
        r = reply(&x);
    terms_call_done(&x.t);
    return r;
}
