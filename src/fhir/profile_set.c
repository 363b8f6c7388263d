/* profile_set.c - the set of compiled profiles: asked for once, kept, shared. */
#include "fhir/profile_int.h"

#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 1024
#define DEFINITION_MAX MIB(64) /* memory of one StructureDefinition while it is read */

struct profiles {
    atomic_uint refs;
    const struct world *world;
    pthread_mutex_t lock; /* over the table; what is in it is immutable once not busy */
    struct profile *buckets[BUCKETS];
    size_t n;
};

struct profiles *profiles_new(const struct world *world)
{
    struct profiles *set = fault_point("malloc") ? NULL : calloc(1, sizeof *set);

    if (!set)
        return NULL;
    atomic_init(&set->refs, 1);
    set->world = world;
    pthread_mutex_init(&set->lock, NULL);
    return set;
}

struct profiles *profiles_ref(struct profiles *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

static void profile_free(struct profile *p)
{
    arena_done(&p->arena);
    free(p);
}

void profiles_unref(struct profiles *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (set->buckets[i]) {
            struct profile *p = set->buckets[i];
            set->buckets[i] = p->chain;
            profile_free(p);
        }
    pthread_mutex_destroy(&set->lock);
    free(set);
}

const struct world *profiles_world(struct profiles *set)
{
    return set->world;
}

struct str profile_url(const struct profile *p)
{
    return p->url;
}

struct str profile_type_name(const struct profile *p)
{
    return p->type->name;
}

static struct profile **bucket_of(struct profiles *set, struct str url)
{
    return &set->buckets[str_hash(url) % BUCKETS];
}

static struct profile *find(struct profiles *set, struct str url)
{
    struct profile *p = *bucket_of(set, url);

    while (p && !str_eq(p->asked, url))
        p = p->chain;
    return p;
}

static struct profile *add(struct profiles *set, struct str url)
{
    struct profile *p = fault_point("malloc") ? NULL : calloc(1, sizeof *p);
    struct profile **bucket = bucket_of(set, url);

    if (!p)
        return NULL;
    arena_init(&p->arena, PROFILE_BYTES_MAX);
    p->asked = arena_dup(&p->arena, url);
    if (!p->asked.p) {
        profile_free(p);
        return NULL;
    }
    p->chain = *bucket;
    *bucket = p;
    set->n++;
    return p;
}

static void forget(struct profiles *set, struct profile *p)
{
    struct profile **at = bucket_of(set, p->asked);

    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    set->n--;
    profile_free(p);
}

/* Lack of memory passes, and is no property of the profile. */
static bool is_passing(int r)
{
    return r == ERR_NO_MEMORY || r == ERR_BUSY || err_http_status(r) >= 500;
}

static int load(struct profiles *set, struct profile *p, unsigned depth, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    yyjson_val *definition = NULL;
    struct str type;
    int r;

    arena_init(&a, DEFINITION_MAX);
    r = set->world && set->world->canonical
            ? set->world->canonical(set->world->ctx, &a, def_resource(STR("StructureDefinition")),
                                    p->asked, &definition, err)
            : 0;
    if (r < 0)
        return r;
    type = definition ? js_get_str(definition, "resourceType") : STR_NULL;
    p->is_unknown = !str_eq(type, STR("StructureDefinition"));
    return p->is_unknown ? 0 : profile_compile(set, p, definition, depth, err);
}

static int answer(const struct profile *p, const struct profile **ret, struct err *err)
{
    if (p->is_busy)
        return err_set(err, ERR_PROCESSING, "the profile %.*s needs itself to tell its slices",
                       STR_ARG(p->asked));
    if (p->why.code < 0) {
        if (err)
            *err = p->why;
        return p->why.code;
    }
    *ret = p->is_unknown ? NULL : p;
    return 0;
}

int profiles_get_locked(struct profiles *set, struct str url, unsigned depth,
                        const struct profile **ret, struct err *err)
{
    struct profile *p = find(set, url);
    int r;

    if (p)
        return answer(p, ret, err);
    if (depth >= PROFILE_NESTING_MAX)
        return err_set(err, ERR_COSTLY, "profiles need one another more than %d deep at %.*s",
                       PROFILE_NESTING_MAX, STR_ARG(url));
    if (set->n >= PROFILES_MAX)
        return err_set(err, ERR_COSTLY, "more than %d profiles are in use", PROFILES_MAX);
    p = add(set, url);
    if (!p)
        return err_no_memory(err);
    p->is_busy = true;
    p->why.code = 0;
    r = load(set, p, depth, &p->why);
    p->is_busy = false;
    if (r < 0 && is_passing(r)) {
        if (err)
            *err = p->why;
        forget(set, p);
        return r;
    }
    if (r >= 0)
        p->why.code = 0;
    return answer(p, ret, err);
}

int profiles_get(struct profiles *set, struct str url, const struct profile **ret, struct err *err)
{
    int r;

    pthread_mutex_lock(&set->lock);
    r = profiles_get_locked(set, url, 0, ret, err);
    pthread_mutex_unlock(&set->lock);
    return r;
}
