#include "trust/identity.h"

#include <stdatomic.h>
#include <stdlib.h>

#define IDENTITY_BYTES_MAX KIB(64)

struct shared {
    struct identity identity; /* first: what others hold */
    struct arena a;
    atomic_uint refs;
};

static struct shared *shared_of(const struct identity *i)
{
    return (struct shared *)(uintptr_t)i;
}

struct identity *identity_ref(const struct identity *i)
{
    struct shared *s = shared_of(i);

    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s ? &s->identity : NULL;
}

void identity_unref(const struct identity *i)
{
    struct shared *s = shared_of(i);

    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_done(&s->a);
    free(s);
}

static void keep(struct arena *a, struct str *s, bool *ok)
{
    *s = arena_dup(a, s->p ? *s : STR(""));
    *ok &= s->p != NULL;
}

struct identity *identity_new(const struct identity *from)
{
    struct shared *s = calloc(1, sizeof *s);
    struct identity *i;
    bool ok = true;

    if (!s)
        return NULL;
    arena_init(&s->a, IDENTITY_BYTES_MAX);
    atomic_init(&s->refs, 1);
    i = &s->identity;
    *i = *from;
    {
        struct str *texts[] = {&i->subject, &i->client,  &i->role,     &i->fhir_user,
                               &i->patient, &i->purpose, &i->token_id, &i->grant,
                               &i->jkt,     &i->x5t,     &i->agent};

        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            keep(&s->a, texts[k], &ok);
    }
    i->scopes.v = ARENA_ARRAY(&s->a, struct smart_scope, from->scopes.n + 1);
    ok &= i->scopes.v != NULL;
    for (size_t k = 0; ok && k < from->scopes.n; k++) {
        i->scopes.v[k] = from->scopes.v[k];
        keep(&s->a, &i->scopes.v[k].query, &ok);
    }
    if (ok)
        return i;
    identity_unref(i);
    return NULL;
}
