#include "server/place.h"

#include "server/package_table.h"
#include "server/terms_load.h"
#include "terminology/loaded.h"
#include "trust/trust.h"

int place_open(const struct server_config *config, bool read_only, struct place *ret,
               struct err *err)
{
    struct place p = {0};
    int r = operator_open(config, read_only, &p.store, p.socket, err);

    if (r < 0)
        return r;
    if (p.store && !(p.api = api_new(&config->api, p.store))) {
        store_close(p.store);
        return err_no_memory(err);
    }
    *ret = p;
    return 0;
}

void place_done(struct place *p)
{
    api_free(p->api);
    store_close(p->store);
}

struct access place_worker_access(enum place_worker worker)
{
    return worker == PLACE_PACKAGE ? trust_job(STR("package")) : trust_job(STR("terminology"));
}

struct noting {
    struct arena *a;
    const struct place_note *note;
};

static int write_note(void *ctx, struct store_txn *txn, struct err *err)
{
    const struct noting *k = ctx;
    const struct place_note *note = k->note;
    struct str name;

    switch (note->kind) {
    case NOTE_PACKAGE: return package_row_add(txn, k->a, note, err);
    case NOTE_LOADED:
        name = arena_dup(k->a, note->a);
        return name.p ? loaded_publish(txn, k->a, name.p, note->b, err) : err_no_memory(err);
    case NOTE_NOTHING: break;
    }
    return 0;
}

int place_put_here(struct api *api, struct arena *a, enum place_worker worker,
                   struct api_line *lines, size_t n, const struct place_note *note, struct err *err)
{
    struct noting k = {a, note};

    return api_put_definitions(api, a, place_worker_access(worker), lines, n, write_note, &k, err);
}

int place_put(const struct place *p, struct arena *a, enum place_worker worker,
              struct api_line *lines, size_t n, const struct place_note *note, struct err *err)
{
    return p->store ? place_put_here(p->api, a, worker, lines, n, note, err)
                    : node_put(p, a, worker, lines, n, note, err);
}

int place_part(const struct place *p, struct str blob, uint32_t part, struct str bytes,
               struct err *err)
{
    struct access who = place_worker_access(PLACE_TERMINOLOGY);

    return p->store ? loaded_part(p->store, &who, blob, part, bytes, err)
                    : node_part(p, blob, part, bytes, err);
}

int place_packages(const struct place *p, struct arena *a, struct str *ret, struct err *err)
{
    return p->store ? package_table_text(p->store, a, ret, err) : node_packages(p, a, ret, err);
}

int place_package_remove(const struct place *p, struct str which, size_t *ret_n, struct err *err)
{
    return p->store ? package_remove(p->api, p->store, which, ret_n, err)
                    : node_remove(p, OPERATOR_PACKAGES, which, ret_n, err);
}

int place_terms_list(const struct place *p, struct arena *a, struct terms_loaded **ret,
                     size_t *ret_n, struct err *err)
{
    return p->store ? terms_list(p->store, a, ret, ret_n, err)
                    : node_terms_list(p, a, ret, ret_n, err);
}

int place_terms_remove(const struct place *p, struct str canonical, size_t *ret_n, struct err *err)
{
    return p->store ? terms_remove(p->store, canonical, ret_n, err)
                    : node_remove(p, OPERATOR_TERMINOLOGY, canonical, ret_n, err);
}
