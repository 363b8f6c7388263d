#include "fhir/world.h"

/* Hands a question on to the world below, which has the function: no other is put in its place. */
#define HAND_ON(name, params, args)                                                                \
    static int name params                                                                         \
    {                                                                                              \
        const struct world *below = ((struct world_over *)ctx)->below;                             \
        return below->name args;                                                                   \
    }

HAND_ON(canonical,
        (void *ctx, struct arena *a, int type, struct str url, yyjson_val **ret, struct err *err),
        (below->ctx, a, type, url, ret, err))
HAND_ON(reference,
        (void *ctx, struct arena *a, struct str reference, yyjson_val **ret, struct err *err),
        (below->ctx, a, reference, ret, err))
HAND_ON(member_of,
        (void *ctx, struct arena *a, struct str set, const struct coding *coding,
         enum terms_answer *ret, struct err *err),
        (below->ctx, a, set, coding, ret, err))
HAND_ON(has_code,
        (void *ctx, struct arena *a, const struct coding *coding, enum terms_answer *ret,
         struct str *ret_display, struct err *err),
        (below->ctx, a, coding, ret, ret_display, err))
HAND_ON(subsumes,
        (void *ctx, struct arena *a, struct str system, struct str code_a, struct str code_b,
         enum terms_relation *ret, struct err *err),
        (below->ctx, a, system, code_a, code_b, ret, err))
HAND_ON(codes,
        (void *ctx, struct arena *a, enum terms_set kind, struct str url, const struct coding *of,
         size_t max, bool quick, const struct code_set **ret, struct err *err),
        (below->ctx, a, kind, url, of, max, quick, ret, err))
HAND_ON(conforms_to,
        (void *ctx, struct arena *a, const struct world_value *value, struct str profile,
         enum terms_answer *ret, struct err *err),
        (below->ctx, a, value, profile, ret, err))
HAND_ON(in_slice,
        (void *ctx, struct arena *a, const struct world_value *value, struct str profile,
         struct str slice, enum terms_answer *ret, struct err *err),
        (below->ctx, a, value, profile, slice, ret, err))

void world_over(struct world_over *w, const struct world *below)
{
    static const struct world none;
    const struct world *b = below ? below : &none;

    w->below = below;
    w->world = (struct world){.ctx = w,
                              .canonical = b->canonical ? canonical : NULL,
                              .reference = b->reference ? reference : NULL,
                              .member_of = b->member_of ? member_of : NULL,
                              .has_code = b->has_code ? has_code : NULL,
                              .subsumes = b->subsumes ? subsumes : NULL,
                              .codes = b->codes ? codes : NULL,
                              .conforms_to = b->conforms_to ? conforms_to : NULL,
                              .in_slice = b->in_slice ? in_slice : NULL};
}
