#include "server/import_int.h"

#include "base/sb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int add_above(struct position *p, uint64_t chunk, struct err *err)
{
    if (p->n_above == p->cap_above) {
        size_t cap = p->cap_above ? p->cap_above * 2 : 16;
        uint64_t *above = realloc(p->above, cap * sizeof *above);
        if (!above)
            return err_no_memory(err);
        p->above = above;
        p->cap_above = cap;
    }
    p->above[p->n_above++] = chunk;
    return 0;
}

int position_parse(struct position *p, struct str text, struct err *err)
{
    struct str part;
    uint64_t v;
    bool first = true;
    int r;

    while (text.n && str_split(&text, ' ', &part)) {
        if (!str_to_u64(part, UINT64_MAX, &v))
            return err_set(err, ERR_NO_STORE, "the stored position of the import is damaged");
        if (first)
            p->low = v;
        else if ((r = add_above(p, v, err)) < 0)
            return r;
        first = false;
    }
    return 0;
}

void position_name(const char *file, char ret[IMPORT_POSITION_NAME_MAX])
{
    struct stat st;

    ret[0] = '\0';
    if (strcmp(file, "-") == 0 || stat(file, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    /* A changed file is another file: size and time are part of its name. */
    snprintf(ret, IMPORT_POSITION_NAME_MAX, IMPORT_POSITION_PREFIX "%016" PRIx64 ":%lld:%lld.%09ld",
             str_hash(str_c(file)), (long long)st.st_size, (long long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
}

int position_read(struct store *store, const char *name, struct arena *a, struct str *ret,
                  struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_job(STR("import"));
    int r = store_begin(store, &who, &txn, err);

    return r < 0 ? r : store_meta_get(txn, name, a, ret, err);
}

bool position_is_done(const struct position *p, uint64_t chunk)
{
    if (chunk < p->low)
        return true;
    for (size_t i = 0; i < p->n_above; i++)
        if (p->above[i] == chunk)
            return true;
    return false;
}

static bool take(struct position *p, uint64_t chunk)
{
    for (size_t i = 0; i < p->n_above; i++)
        if (p->above[i] == chunk) {
            p->above[i] = p->above[--p->n_above];
            return true;
        }
    return false;
}

static int mark_in(struct position *p, uint64_t chunk, struct sb *out, struct err *err)
{
    int r = 0;

    if (chunk == p->low)
        p->low++;
    else
        r = add_above(p, chunk, err);
    if (r < 0)
        return r;
    while (take(p, p->low))
        p->low++;
    sb_fmt(out, "%" PRIu64, p->low);
    for (size_t i = 0; i < p->n_above; i++)
        sb_fmt(out, " %" PRIu64, p->above[i]);
    return sb_ok(out, err);
}

/* Reads what is there instead of remembering it: two imports of one file may run at once. */
int position_mark(const char *name, uint64_t chunk, struct store_txn *txn, struct err *err)
{
    _cleanup_(position_done) struct position p = {0};
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    _cleanup_(arena_done) struct arena a;
    struct str text;
    int r;

    arena_init(&a, MIB(1));
    r = store_meta_get(txn, name, &a, &text, err);
    if (r >= 0 && text.n)
        r = position_parse(&p, text, err);
    if (r >= 0 && position_is_done(&p, chunk))
        r = err_set(err, ERR_DUPLICATE, "this part of the file is stored already");
    if (r >= 0)
        r = mark_in(&p, chunk, &out, err);
    return r < 0 ? r : store_meta_set(txn, name, sb_view(&out), err);
}

void position_done(struct position *p)
{
    free(p->above);
    *p = (struct position){0};
}
