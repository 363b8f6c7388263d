/* terms.c - what is kept compiled, and how a question finds it. */
#include "terminology/terms_int.h"

#include "base/fault.h"
#include "fhir/code_set.h"
#include "terminology/canonical.h"
#include "terminology/grammar.h"
#include "terminology/implied.h"
#include "terminology/resource.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096

/* One compiled thing, or the knowledge that there is none. In the shared table it has its own
 * memory and is in the list by age; in a scope it is in the scope's arena. */
struct terms_kept {
    enum kept_kind kind;
    struct str key;
    void *what; /* NULL: there is none */
    size_t bytes;
    struct terms_kept *next;          /* in the bucket, or in the scope */
    struct terms_kept *newer, *older; /* by last use */
};

struct terms {
    struct store *store;
    struct access who;
    pthread_mutex_t lock;
    struct terms_kept *buckets[BUCKETS];
    struct terms_kept *newest, *oldest;
    size_t n, bytes;
    uint64_t generation; /* of the resources that things were compiled from */
    unsigned pending;    /* writes that are not durable yet */
};

static void what_unref(enum kept_kind kind, void *what)
{
    switch (kind) {
    case KEPT_VS: vs_unref(what); break;
    case KEPT_MAP: map_unref(what); break;
    case KEPT_CODES: code_set_unref(what); break;
    case KEPT_IMPLIED: implied_unref(what); break;
    default: cs_unref(what);
    }
}

static void *what_ref(enum kept_kind kind, void *what)
{
    if (!what)
        return NULL;
    switch (kind) {
    case KEPT_VS: return vs_ref(what);
    case KEPT_MAP: return map_ref(what);
    case KEPT_CODES: return code_set_ref(what);
    case KEPT_IMPLIED: return implied_ref(what);
    default: return cs_ref(what);
    }
}

static size_t what_bytes(enum kept_kind kind, void *what)
{
    if (!what)
        return 0;
    switch (kind) {
    case KEPT_VS: return vs_bytes(what);
    case KEPT_MAP: return map_bytes(what);
    case KEPT_CODES: return code_set_bytes(what);
    case KEPT_IMPLIED: return implied_bytes(what);
    default: return cs_bytes(what);
    }
}

/* ---- the shared table; all under the lock ---- */

static struct terms_kept **bucket_of(struct terms *t, enum kept_kind kind, struct str key)
{
    return &t->buckets[(str_hash(key) ^ (unsigned)kind) % BUCKETS];
}

static void unlink_age(struct terms *t, struct terms_kept *k)
{
    *(k->newer ? &k->newer->older : &t->newest) = k->older;
    *(k->older ? &k->older->newer : &t->oldest) = k->newer;
}

static void link_newest(struct terms *t, struct terms_kept *k)
{
    k->newer = NULL;
    k->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = k;
    t->newest = k;
}

static void drop(struct terms *t, struct terms_kept *k)
{
    struct terms_kept **at = bucket_of(t, k->kind, k->key);

    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    unlink_age(t, k);
    t->n--;
    t->bytes -= k->bytes;
    what_unref(k->kind, k->what);
    free(k);
}

/* What is as it was: images of the store never change under their name. */
static void forget_compiled(struct terms *t)
{
    for (struct terms_kept *k = t->newest, *older; k; k = older) {
        older = k->older;
        if (k->kind != KEPT_IMAGE && k->kind != KEPT_MAP_IMAGE)
            drop(t, k);
    }
}

static bool shared_get(struct terms *t, enum kept_kind kind, struct str key, void **ret)
{
    struct terms_kept *k;
    bool found = false;

    pthread_mutex_lock(&t->lock);
    for (k = *bucket_of(t, kind, key); k && !found; k = found ? k : k->next)
        found = k->kind == kind && str_eq(k->key, key);
    if (found) {
        if (k != t->newest) {
            unlink_age(t, k);
            link_newest(t, k);
        }
        *ret = what_ref(kind, k->what);
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

/* `generation`: the one that `what` was compiled in; 0: it does not matter. */
static void shared_put(struct terms *t, enum kept_kind kind, struct str key, void *what,
                       uint64_t generation)
{
    struct terms_kept *k = fault_point("alloc") ? NULL : calloc(1, sizeof *k + key.n);
    void *unused;

    if (!k)
        return;
    memcpy(k + 1, key.p, key.n);
    k->kind = kind;
    k->key = str_n((char *)(k + 1), key.n);
    k->bytes = what_bytes(kind, what) + sizeof *k + key.n;
    if (shared_get(t, kind, key, &unused)) {
        what_unref(kind, unused);
        free(k);
        return;
    }
    pthread_mutex_lock(&t->lock);
    if (generation && (generation != t->generation || t->pending)) {
        pthread_mutex_unlock(&t->lock);
        free(k);
        return;
    }
    k->what = what_ref(kind, what);
    k->next = *bucket_of(t, kind, k->key);
    *bucket_of(t, kind, k->key) = k;
    link_newest(t, k);
    t->n++;
    t->bytes += k->bytes;
    while (t->oldest != k && (t->bytes > TERMS_KEPT_BYTES_MAX || t->n > TERMS_KEPT_MAX))
        drop(t, t->oldest);
    pthread_mutex_unlock(&t->lock);
}

uint64_t terms_generation(struct terms *t)
{
    uint64_t generation;

    pthread_mutex_lock(&t->lock);
    generation = t->generation;
    pthread_mutex_unlock(&t->lock);
    return generation;
}

int terms_new(struct store *store, const struct access *who, struct terms **ret, struct err *err)
{
    struct terms *t = calloc(1, sizeof *t);

    if (!t)
        return err_no_memory(err);
    t->store = store;
    t->who = *who;
    t->generation = 1;
    pthread_mutex_init(&t->lock, NULL);
    *ret = t;
    return 0;
}

void terms_free(struct terms *t)
{
    if (!t)
        return;
    while (t->newest)
        drop(t, t->newest);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

size_t terms_bytes(struct terms *t)
{
    size_t bytes;

    pthread_mutex_lock(&t->lock);
    bytes = t->bytes;
    pthread_mutex_unlock(&t->lock);
    return bytes;
}

/* ---- changes ---- */

struct barrier {
    struct store_job job;
    struct terms *t;
};

static int barrier_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

static void barrier_done(struct store_job *job, int r, const struct err *err)
{
    struct terms *t = ((struct barrier *)job)->t;

    (void)r;
    (void)err;
    pthread_mutex_lock(&t->lock);
    t->generation++;
    t->pending = 0;
    forget_compiled(t);
    pthread_mutex_unlock(&t->lock);
    free(job);
}

/* Behind a job of our own the change is durable. Until then nothing is kept and nothing that is
 * kept is used; one job serves all changes of a group. */
void terms_changed(struct terms *t)
{
    struct barrier *b = NULL;

    pthread_mutex_lock(&t->lock);
    t->generation++;
    forget_compiled(t);
    if (!t->pending && (b = calloc(1, sizeof *b)))
        t->pending = 1;
    pthread_mutex_unlock(&t->lock);
    if (!b)
        return;
    *b =
        (struct barrier){.job = {.run = barrier_run, .done = barrier_done, .who = &t->who}, .t = t};
    store_submit(t->store, &b->job);
}

/* ---- a question's scope ---- */

void terms_scope_init(struct terms_scope *s, struct terms *t, struct arena *a)
{
    s->t = t;
    s->a = a;
    s->extra = NULL;
    s->n_extra = s->n_pins = 0;
    s->quick = false;
    s->cost = 0;
    s->held = NULL;
}

void terms_scope_done(struct terms_scope *s)
{
    for (struct terms_kept *k = s->held; k; k = k->next)
        what_unref(k->kind, k->what);
    s->held = NULL;
}

static bool is_shareable(const struct terms_scope *s)
{
    return !s->n_extra && !s->n_pins;
}

/* Takes the reference; on failure gives it back. */
int terms_hold(struct terms_scope *s, enum kept_kind kind, struct str key, void *what,
               struct err *err)
{
    struct terms_kept *k = ARENA_NEW(s->a, struct terms_kept);

    if (k)
        *k = (struct terms_kept){
            .kind = kind, .key = arena_dup(s->a, key), .what = what, .next = s->held};
    if (!k || !k->key.p) {
        what_unref(kind, what);
        return err_no_memory(err);
    }
    s->held = k;
    return 0;
}

int terms_kept_get(struct terms_scope *s, enum kept_kind kind, struct str key, void **ret,
                   struct err *err)
{
    void *what;
    int r;

    for (const struct terms_kept *k = s->held; k; k = k->next)
        if (k->kind == kind && str_eq(k->key, key)) {
            *ret = k->what;
            return 1;
        }
    if ((!is_shareable(s) && kind != KEPT_IMAGE && kind != KEPT_MAP_IMAGE) ||
        !shared_get(s->t, kind, key, &what))
        return 0;
    r = terms_hold(s, kind, key, what, err);
    if (r >= 0)
        *ret = what;
    return r < 0 ? r : 1;
}

int terms_kept_put(struct terms_scope *s, enum kept_kind kind, struct str key, void *what,
                   uint64_t generation, struct err *err)
{
    if (is_shareable(s) || !generation)
        shared_put(s->t, kind, key, what, generation);
    return terms_hold(s, kind, key, what, err);
}

struct store *terms_store(const struct terms_scope *s)
{
    return s->t->store;
}

const struct access *terms_who(const struct terms_scope *s)
{
    return &s->t->who;
}

/* ---- resources ---- */

static yyjson_val *find_extra(const struct terms_scope *s, struct str type, struct str canonical)
{
    struct str version, url = canonical_split(canonical, &version);
    yyjson_val *best = NULL;

    for (size_t i = 0; i < s->n_extra; i++) {
        yyjson_val *v = s->extra[i];
        if (!str_eq(js_get_str(v, "resourceType"), type) || !str_eq(js_get_str(v, "url"), url) ||
            (version.n && !version_matches(version, js_get_str(v, "version"))))
            continue;
        if (!best || version_compare(js_get_str(v, "version"), js_get_str(best, "version")) > 0)
            best = v;
    }
    return best;
}

int terms_resource(struct terms_scope *s, const char *type, struct str canonical, yyjson_val **ret,
                   struct err *err)
{
    *ret = find_extra(s, str_c(type), canonical);
    if (*ret)
        return 0;
    return canonical_get(s->t->store, &s->t->who, s->a, def_resource(str_c(type)), canonical, ret,
                         err);
}

yyjson_val *terms_contained(yyjson_val *container, struct str type, struct str id)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(container, "contained"), i, n, v) {
        if (str_eq(js_get_str(v, "resourceType"), type) && str_eq(js_get_str(v, "id"), id))
            return v;
    }
    return NULL;
}

int terms_not_quick(struct err *err)
{
    return err_set(err, ERR_BUSY, "this has to be compiled first");
}

/* ---- code systems ---- */

static const struct terms_pin *find_pin(const struct terms_scope *s, enum terms_pin_kind kind,
                                        struct str url)
{
    for (size_t i = 0; i < s->n_pins; i++)
        if (s->pins[i].kind == kind && str_eq(s->pins[i].url, url))
            return &s->pins[i];
    return NULL;
}

bool terms_is_pinned(const struct terms_scope *s, struct str url)
{
    for (size_t i = 0; i < s->n_pins; i++)
        if (str_eq(s->pins[i].url, url))
            return true;
    return false;
}

int terms_settle_version(const struct terms_scope *s, struct str url, struct str *version,
                         struct err *err)
{
    const struct terms_pin *force = find_pin(s, PIN_FORCE, url);
    const struct terms_pin *check = find_pin(s, PIN_CHECK, url);
    const struct terms_pin *fallback = find_pin(s, PIN_DEFAULT, url);

    if (force)
        *version = force->version;
    else if (!version->n && fallback)
        *version = fallback->version;
    else if (!version->n && check)
        *version = check->version;
    if (check && version->n && !version_matches(check->version, *version) &&
        !version_matches(*version, check->version))
        return err_set(err, ERR_PROCESSING,
                       "the version \"%.*s\" of %.*s may not be used: only \"%.*s\" is allowed",
                       STR_ARG(*version), STR_ARG(url), STR_ARG(check->version));
    return 0;
}

static int compile_system(struct terms_scope *s, struct str key, struct str url, struct cs **ret,
                          struct err *err)
{
    enum cs_grammar grammar = grammar_of(url);
    yyjson_val *root;
    int r = terms_resource(s, "CodeSystem", key, &root, err);

    *ret = NULL;
    if (r < 0)
        return r;
    if (root && (r = terms_image_of(s, root, ret, err)) != 0)
        return r;
    if (root)
        return cs_of_resource(root, ret, err);
    if (grammar != GRAMMAR_NONE && grammar != GRAMMAR_ICD11 && str_eq(key, url))
        return cs_of_grammar(grammar, url, ret, err);
    return 0;
}

int terms_code_system(struct terms_scope *s, struct str url, struct str version, struct cs **ret,
                      struct err *err)
{
    int r = s->n_pins ? terms_settle_version(s, url, &version, err) : 0;

    *ret = NULL;
    return r < 0 ? r : terms_code_system_unpinned(s, url, version, ret, err);
}

int terms_code_system_unpinned(struct terms_scope *s, struct str url, struct str version,
                               struct cs **ret, struct err *err)
{
    uint64_t generation = terms_generation(s->t);
    struct str key;
    void *what;
    int r;

    *ret = NULL;
    if (!url.n)
        return 0;
    key = version.n ? arena_join(s->a, (const struct str[]){url, STR("|"), version}, 3) : url;
    if (!key.p)
        return err_no_memory(err);
    r = terms_kept_get(s, KEPT_CS, key, &what, err);
    if (r == 0) {
        struct cs *cs;
        if (s->quick)
            return terms_not_quick(err);
        if ((r = compile_system(s, key, url, &cs, err)) < 0)
            return r;
        what = cs;
        r = terms_kept_put(s, KEPT_CS, key, what, generation, err);
    }
    if (r >= 0)
        *ret = what;
    return r < 0 ? r : 0;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int terms_versions(struct terms_scope *s, struct str url, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(16));
    struct str v[2 * CANONICAL_VERSIONS_MAX];
    size_t n;
    int r = canonical_versions(s->t->store, &s->t->who, s->a, def_resource(STR("CodeSystem")), url,
                               v, &n, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < s->n_extra && n < ARRAY_LEN(v); i++)
        if (str_eq(js_get_str(s->extra[i], "resourceType"), STR("CodeSystem")) &&
            str_eq(js_get_str(s->extra[i], "url"), url) && js_get_str(s->extra[i], "version").n)
            v[n++] = js_get_str(s->extra[i], "version");
    if (n)
        qsort(v, n, sizeof *v, by_text);
    for (size_t i = 0; i < n; i++)
        if (!i || !str_eq(v[i], v[i - 1]))
            sb_fmt(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(v[i]));
    *ret = arena_dup(s->a, sb_view(&b));
    return ret->p ? 0 : err_no_memory(err);
}

int terms_code_system_within(struct terms_scope *s, yyjson_val *container, struct str id,
                             struct cs **ret, struct err *err)
{
    yyjson_val *root = terms_contained(container, STR("CodeSystem"), id);
    struct cs *cs;
    int r;

    *ret = NULL;
    if (!root)
        return 0;
    if ((r = cs_of_resource(root, &cs, err)) < 0 ||
        (r = terms_hold(s, KEPT_CS, STR(""), cs, err)) < 0)
        return r;
    *ret = cs;
    return 0;
}
