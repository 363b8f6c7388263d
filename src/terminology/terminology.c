#include "terminology/terminology.h"

#include <stdlib.h>

struct terms {
    struct store *store;
    struct access who;
};

int terms_new(struct store *store, const struct access *who, struct terms **ret, struct err *err)
{
    struct terms *t = calloc(1, sizeof *t);

    if (!t)
        return err_no_memory(err);
    t->store = store;
    t->who = *who;
    *ret = t;
    return 0;
}

void terms_free(struct terms *t)
{
    free(t);
}

int terms_member_of(struct terms *t, struct arena *a, struct str value_set,
                    const struct coding *coding, enum terms_answer *ret, struct err *err)
{
    (void)t, (void)a, (void)value_set, (void)coding, (void)err;
    *ret = TERMS_UNKNOWN;
    return 0;
}

int terms_has_code(struct terms *t, struct arena *a, const struct coding *coding,
                   enum terms_answer *ret, struct str *ret_display, struct err *err)
{
    (void)t, (void)a, (void)coding, (void)ret_display, (void)err;
    *ret = TERMS_UNKNOWN;
    return 0;
}

int terms_subsumes(struct terms *t, struct arena *a, struct str system, struct str code_a,
                   struct str code_b, enum terms_relation *ret, struct err *err)
{
    (void)t, (void)a, (void)system, (void)code_a, (void)code_b, (void)err;
    *ret = RELATION_UNKNOWN;
    return 0;
}

int terms_codes(struct terms *t, struct arena *a, enum terms_set kind, struct str url,
                const struct coding *of, size_t max, struct coding **ret, size_t *ret_n,
                enum terms_answer *ret_known, struct err *err)
{
    (void)t, (void)a, (void)kind, (void)url, (void)of, (void)max, (void)ret, (void)err;
    *ret_n = 0;
    *ret_known = TERMS_UNKNOWN;
    return 0;
}
