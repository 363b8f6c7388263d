/* What the store needs of the index while the real one is not linked: the list of the type. Weak, so
 * that the real functions win. */
#include "fhir/index.h"
#include "fhir/params.h"
#include "fhir/validate.h"

#define WEAK __attribute__((weak))

static int a_params;

WEAK struct params *params_base(struct err *err)
{
    (void)err;
    return (struct params *)&a_params;
}

WEAK struct params *params_ref(struct params *p)
{
    return p;
}

WEAK void params_unref(struct params *p)
{
    (void)p;
}

WEAK size_t index_id_key(struct str id, unsigned char *ret)
{
    memcpy(ret, id.p, id.n);
    return id.n;
}

WEAK size_t index_key_id(const unsigned char *key, size_t n, char *ret)
{
    memcpy(ret, key, n);
    ret[n] = '\0';
    return n;
}

WEAK int index_extract(struct arena *a, const struct params *params,
                       const struct index_options *opt, int type, yyjson_val *root,
                       struct index *ret, struct err *err)
{
    struct index_entry *e = ARENA_NEW(a, struct index_entry);

    (void)params;
    (void)opt;
    (void)root;
    if (!e)
        return err_no_memory(err);
    e->param = (uint16_t)(INDEX_PARAM_TYPE + type);
    e->key = (const unsigned char *)"";
    *ret = (struct index){.entries = e, .n_entries = 1, .patient = STR_NULL};
    return 0;
}
