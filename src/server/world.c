/* world.c - struct world over a store and its terminology. Each question has a snapshot of its own,
 * with the node's own access: definitions are everybody's.
 */
#include "server/world.h"

#include "fhir/validate.h"
#include "terminology/canonical.h"
#include "trust/trust.h"

#include <stdlib.h>

struct server_world {
    struct world world;
    struct store *store;
    struct access who;
    struct terms *terms;
};

static int canonical(void *ctx, struct arena *a, int type, struct str url, yyjson_val **ret,
                     struct err *err)
{
    struct server_world *w = ctx;

    return canonical_get(w->store, &w->who, a, type, url, ret, err);
}

/* ---- references ---- */

/* Without the base URL where it is one of ours; STR_NULL where it is somebody else's. */
static struct str make_local(struct store *store, struct str reference)
{
    const struct index_options *opt = store_index_options(store);

    for (size_t i = 0; i < opt->n_bases; i++)
        if (str_starts(reference, opt->bases[i]) && reference.n > opt->bases[i].n &&
            reference.p[opt->bases[i].n] == '/')
            return str_from(reference, opt->bases[i].n + 1);
    return str_find(reference, ':') >= 0 ? STR_NULL : reference;
}

/* "Type/id" or "Type/id/_history/version"; false if it is neither. */
static bool split_reference(struct str local, int *ret_type, struct str *ret_id,
                            struct str *ret_version)
{
    struct str parts[4], rest = local;
    size_t n = 0;

    *ret_version = STR_NULL;
    while (n < ARRAY_LEN(parts) && rest.p && str_split(&rest, '/', &parts[n]))
        n++;
    if (rest.p || (n != 2 && n != 4) || (n == 4 && !str_eq(parts[2], STR("_history"))))
        return false;
    *ret_type = def_resource(parts[0]);
    *ret_id = parts[1];
    if (n == 4)
        *ret_version = parts[3];
    return *ret_type && fhir_is_id(parts[1]);
}

static int get(struct store_txn *txn, int type, struct str id, struct str version_id,
               struct row *ret, struct err *err)
{
    struct version version;

    if (!version_id.p)
        return store_get(txn, type, id, ret, err);
    if (!version_parse(version_id, &version))
        return ERR_NOT_FOUND;
    return store_get_version(txn, type, id, &version, ret, err);
}

static int reference(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                     struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct server_world *w = ctx;
    struct str id, version, local = make_local(w->store, reference);
    struct row row;
    int type, r;

    if (!local.p || !split_reference(local, &type, &id, &version)) {
        *ret = NULL;
        return 0;
    }
    if ((r = store_begin(w->store, &w->who, &txn, err)) < 0)
        return r;
    r = get(txn, type, id, version, &row, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE)) {
        *ret = NULL;
        return 0;
    }
    if (r < 0 || (r = row_json(w->store, &row, &text, err)) < 0)
        return r;
    return js_parse_stored(a, sb_view(&text), ret, err);
}

/* ---- terminology ---- */

static int member_of(void *ctx, struct arena *a, struct str value_set, const struct coding *coding,
                     enum terms_answer *ret, struct err *err)
{
    return terms_member_of(((struct server_world *)ctx)->terms, a, value_set, coding, ret, err);
}

static int has_code(void *ctx, struct arena *a, const struct coding *coding, enum terms_answer *ret,
                    struct str *ret_display, struct err *err)
{
    return terms_has_code(((struct server_world *)ctx)->terms, a, coding, ret, ret_display, err);
}

static int subsumes(void *ctx, struct arena *a, struct str system, struct str code_a,
                    struct str code_b, enum terms_relation *ret, struct err *err)
{
    return terms_subsumes(((struct server_world *)ctx)->terms, a, system, code_a, code_b, ret, err);
}

static int codes(void *ctx, struct arena *a, enum terms_set kind, struct str url,
                 const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                 struct err *err)
{
    return terms_codes(((struct server_world *)ctx)->terms, a, kind, url, of, max, quick, ret, err);
}

/* ---- life ---- */

int server_world_new(struct store *store, struct server_world **ret, struct err *err)
{
    struct server_world *w = calloc(1, sizeof *w);
    int r;

    if (!w)
        return err_no_memory(err);
    w->store = store;
    w->who = trust_system();
    w->world = (struct world){.ctx = w,
                              .canonical = canonical,
                              .reference = reference,
                              .member_of = member_of,
                              .has_code = has_code,
                              .subsumes = subsumes,
                              .codes = codes};
    r = terms_new(store, &w->who, &w->terms, err);
    if (r < 0) {
        server_world_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void server_world_free(struct server_world *w)
{
    if (!w)
        return;
    terms_free(w->terms);
    free(w);
}

static void terminology_changed(void *ctx)
{
    terms_changed(((struct server_world *)ctx)->terms);
}

void server_world_follow(struct server_world *w, struct api *api)
{
    api_world(api, &w->world);
    api_terms(api, w->terms);
    api_on_terminology(api, terminology_changed, w);
}

const struct world *server_world_table(const struct server_world *w)
{
    return &w->world;
}

struct terms *server_world_terms(struct server_world *w)
{
    return w->terms;
}
