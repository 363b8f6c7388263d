#include "api/call_world.h"

#include "api/conformance.h"
#include "api/op.h"
#include "api/trail.h"

int call_world_init(struct call_world *w, struct call *c)
{
    w->profiles = conformance_profiles(c->api->conformance, c->api->world);
    if (!w->profiles)
        return err_no_memory(&c->err);
    world_over(&w->terminology, c->api->world);
    w->terminology.world.reference = NULL;
    profile_world(&w->all, w->profiles, &w->terminology.world);
    return 0;
}

void call_world_done(struct call_world *w)
{
    profiles_unref(w->profiles);
}

/* ---- what the caller may see ---- */

static int sight_row(struct call_sight *s, struct str reference, struct row *ret, struct err *err)
{
    ptrdiff_t slash = str_rfind(reference, '/');
    struct version version;
    struct str id;
    int type, r;

    if (!op_local(s->c, reference, &type, &id))
        return ERR_NOT_FOUND;
    if (!s->txn) {
        r = store_begin(s->c->api->store, &s->c->who, &s->own, err);
        if (r < 0)
            return r;
        s->txn = s->own;
    }
    /* op_local takes "_history" only before a version. */
    if (!str_ends(str_head(reference, (size_t)MAX(slash, 0)), STR("/_history")))
        return store_get(s->txn, type, id, ret, err);
    if (!version_parse(str_from(reference, (size_t)slash + 1), &version))
        return ERR_NOT_FOUND;
    return store_get_version(s->txn, type, id, &version, ret, err);
}

static int sight_reference(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                           struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    struct call_sight *s = ctx;
    struct row row;
    int r = sight_row(s, reference, &row, err);

    *ret = NULL;
    if (r == ERR_NOT_FOUND || r == ERR_DELETED || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = row_json(s->c->api->store, &row, &text, err)) < 0 ||
        (r = js_parse_stored(a, sb_view(&text), ret, err)) < 0)
        return r;
    if (s->is_shown)
        trail_saw(s->c, row.type, row.id, *ret);
    return 0;
}

void call_sight_init(struct call_sight *s, struct call *c, struct store_txn *txn)
{
    *s = (struct call_sight){.c = c, .txn = txn};
    world_over(&s->over, c->api->world);
    s->over.world.reference = sight_reference;
}

void call_sight_done(struct call_sight *s)
{
    store_txn_endp(&s->own);
}
