#include "store/owner.h"

#define PATIENTS (INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT)

static size_t put(int type, const unsigned char *id_key, size_t n, unsigned char ret[OWNER_MAX])
{
    assert(n <= ID_KEY_MAX);
    ret[0] = (unsigned char)(type >> 8);
    ret[1] = (unsigned char)type;
    memcpy(ret + 2, id_key, n);
    return 2 + n;
}

size_t owner_key(int type, struct str id, unsigned char ret[OWNER_MAX])
{
    unsigned char key[ID_KEY_MAX];
    size_t n = index_id_key(id, key);

    return put(type, key, n, ret);
}

static bool is_opaque(int type)
{
    struct str name = def_resource_name(type);

    return str_eq(name, STR("Binary")) || str_eq(name, STR("Bundle"));
}

static bool names_patient(const struct index *index)
{
    int patient = def_compartment_type(COMPARTMENT_PATIENT);

    for (size_t i = 0; i < index->n_refs; i++)
        if (index->refs[i].type == patient)
            return true;
    return false;
}

size_t owner_of(const struct index *index, int type, struct str id, unsigned char ret[OWNER_MAX])
{
    const struct index_entry *of = NULL;
    size_t n = 0;

    /* Compartments are the last of the lists, so they are looked for from the end. */
    for (size_t i = index->n_entries; i && index->entries[i - 1].param >= PATIENTS; i--)
        if (index->entries[i - 1].param == PATIENTS) {
            of = &index->entries[i - 1];
            n++;
        }
    if (n == 1)
        return put(def_compartment_type(COMPARTMENT_PATIENT), of->key, of->key_n, ret);
    return n || is_opaque(type) || names_patient(index) ? owner_key(type, id, ret) : 0;
}
