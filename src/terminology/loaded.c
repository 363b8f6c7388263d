#include "terminology/loaded.h"

#include "base/rng.h"
#include "terminology/terms_int.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOB_PREFIX "terminology/"
#define PART_WEIGHT 1000 /* a part is no light write: clients pass it */

bool loaded_name(char ret[LOADED_NAME_MAX], const char *type, struct str url, struct str version)
{
    int n = snprintf(ret, LOADED_NAME_MAX, BLOB_PREFIX "%s/%.*s|%.*s", type, STR_ARG(url),
                     (int)version.n, version.n ? version.p : "");

    return n > 0 && n < LOADED_NAME_MAX;
}

/* ---- writing ---- */

struct part_job {
    struct store_job job;
    struct str name, bytes;
    uint32_t part;
};

static int part_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct part_job *p = (struct part_job *)job;

    return store_blob_put(txn, p->name, p->part, p->bytes, err);
}

int loaded_blob_new(struct arena *a, struct str name, struct str *ret_blob, struct err *err)
{
    struct str blob;
    uint64_t random;

    rng_secure(&random, sizeof random);
    blob = arena_fmt(a, "%.*s/%016llx", STR_ARG(name), (unsigned long long)random);
    if (!blob.p)
        return err_no_memory(err);
    *ret_blob = blob;
    return 0;
}

int loaded_part(struct store *store, const struct access *who, struct str blob, uint32_t part,
                struct str bytes, struct err *err)
{
    struct part_job p = {.job = {.run = part_run, .who = who, .weight = PART_WEIGHT},
                         .name = blob,
                         .bytes = bytes,
                         .part = part};

    if (!str_starts(blob, STR(BLOB_PREFIX)) || blob.n >= LOADED_BLOB_MAX ||
        bytes.n > STORE_BLOB_PART_MAX)
        return err_set(err, ERR_VALUE, "this is no part of a terminology");
    return store_write(store, &p.job, err);
}

int loaded_publish(struct store_txn *txn, struct arena *a, const char *name, struct str blob,
                   struct err *err)
{
    struct str old;
    int r = store_meta_get(txn, name, a, &old, err);

    if (r >= 0 && old.n)
        r = store_blob_drop(txn, old, err);
    return r < 0 ? r : store_meta_set(txn, name, blob.p ? blob : STR(""), err);
}

/* ---- what nobody names ---- */

struct sweep_job {
    struct store_job job;
    struct arena a;
};

/* The blob's name without what was put behind it. */
static bool is_named(struct store_txn *txn, struct arena *a, struct str blob, struct err *err)
{
    ptrdiff_t end = str_rfind(blob, '/');
    struct str name = end < 0 ? STR_NULL : arena_dup(a, str_head(blob, (size_t)end)), has;

    return !str_starts(blob, STR(BLOB_PREFIX)) || !name.p ||
           store_meta_get(txn, name.p, a, &has, err) < 0 || str_eq(has, blob);
}

static int sweep_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct sweep_job *s = (struct sweep_job *)job;
    struct str blob = STR("");
    int r = 0;

    while (r >= 0) {
        r = store_blob_next(txn, blob, &s->a, &blob, NULL, err);
        if (r < 0 || !blob.p)
            return r;
        if (!is_named(txn, &s->a, blob, err))
            r = store_blob_drop(txn, blob, err);
    }
    return r;
}

int loaded_sweep(struct store *store, const struct access *who, struct err *err)
{
    struct sweep_job s = {.job = {.run = sweep_run, .who = who}};
    int r;

    arena_init(&s.a, MIB(16));
    r = store_write(store, &s.job, err);
    arena_done(&s.a);
    return r;
}

/* ---- reading ---- */

int loaded_blob(struct store_txn *txn, struct arena *a, const char *name, struct str *ret_blob,
                struct err *err)
{
    return store_meta_get(txn, name, a, ret_blob, err);
}

int loaded_read(struct store_txn *txn, struct str blob, char **ret, size_t *ret_n, struct err *err)
{
    _cleanup_(sb_done) struct sb all = sb_make(IMAGE_BYTES_MAX);
    struct str part = STR_NULL;
    struct arena a;
    int r = 0;

    arena_init(&a, 2 * STORE_BLOB_PART_MAX);
    for (uint32_t i = 0; r >= 0 && (i == 0 || part.p); i++) {
        arena_reset(&a);
        r = store_blob_get(txn, blob, i, &a, &part, err);
        if (r >= 0 && part.p)
            sb_str(&all, part);
    }
    arena_done(&a);
    if (r >= 0)
        r = sb_ok(&all, err);
    if (r >= 0)
        *ret = sb_steal(&all, ret_n);
    return r;
}

/* ---- for a scope ---- */

static int read_image(struct terms_scope *s, struct store_txn *txn, enum kept_kind kind,
                      struct str blob, void **ret, struct err *err)
{
    char *bytes;
    size_t n;
    int r = loaded_read(txn, blob, &bytes, &n, err);

    if (r < 0)
        return r;
    if (kind == KEPT_IMAGE)
        r = cs_open(bytes, n, (struct cs **)ret, err);
    else
        r = map_open(bytes, n, (struct map **)ret, err);
    return r < 0 ? r : terms_kept_put(s, kind, blob, *ret, 0, err);
}

/* The scope holds what it gives back. */
static int find_image(struct terms_scope *s, const char *type, yyjson_val *resource,
                      enum kept_kind kind, void **ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    char name[LOADED_NAME_MAX];
    struct str blob;
    int r;

    if (!loaded_name(name, type, js_get_str(resource, "url"), js_get_str(resource, "version")))
        return 0;
    if ((r = store_begin(terms_store(s), terms_who(s), &txn, err)) < 0 ||
        (r = loaded_blob(txn, s->a, name, &blob, err)) < 0)
        return r;
    if (!blob.n)
        return 0;
    r = terms_kept_get(s, kind, blob, ret, err);
    if (r == 0)
        r = read_image(s, txn, kind, blob, ret, err);
    return r < 0 ? r : 1;
}

int terms_image_of(struct terms_scope *s, yyjson_val *resource, struct cs **ret, struct err *err)
{
    void *what;
    int r = find_image(s, "CodeSystem", resource, KEPT_IMAGE, &what, err);

    if (r > 0)
        *ret = cs_ref(what);
    return r;
}

int terms_map_image_of(struct terms_scope *s, yyjson_val *resource, struct map **ret,
                       struct err *err)
{
    void *what;
    int r = find_image(s, "ConceptMap", resource, KEPT_MAP_IMAGE, &what, err);

    if (r > 0)
        *ret = map_ref(what);
    return r;
}
