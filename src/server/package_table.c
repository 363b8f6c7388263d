#include "server/package_table.h"

#include "trust/trust.h"

#define META_NAME "packages"

int package_table_text(struct store *store, struct arena *a, struct str *ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(store, &who, &txn, err);

    return r < 0 ? r : store_meta_get(txn, META_NAME, a, ret, err);
}

static bool read_row(struct str line, struct package_row *ret)
{
    struct str count;
    uint64_t n;

    if (!str_split(&line, '\t', &ret->id.name) || !str_split(&line, '\t', &ret->id.version) ||
        !str_split(&line, '\t', &count) || !str_to_u64(count, PACKAGE_RESOURCES_MAX, &n))
        return false;
    ret->n = (size_t)n;
    ret->resources = line.p ? line : STR("");
    return true;
}

int package_table_read(struct arena *a, struct str text, struct package_table **ret,
                       struct err *err)
{
    struct package_table *t = ARENA_NEW(a, struct package_table);
    struct str line;

    if (!t)
        return err_no_memory(err);
    while (text.n && str_split(&text, '\n', &line)) {
        if (!line.n)
            continue;
        if (t->n == PACKAGES_MAX || !read_row(line, &t->rows[t->n]))
            return err_set(err, ERR_NO_STORE, "the table of packages is damaged");
        t->n++;
    }
    *ret = t;
    return 0;
}

const struct package_row *package_table_find(const struct package_table *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->rows[i].id.name, name))
            return &t->rows[i];
    return NULL;
}

static void put_row(struct sb *out, const struct package_name *id, size_t n, struct str resources)
{
    sb_fmt(out, "%.*s\t%.*s\t%zu\t", STR_ARG(id->name), STR_ARG(id->version), n);
    sb_str(out, resources);
    sb_char(out, '\n');
}

static int keep(struct store_txn *txn, const struct sb *text, struct err *err)
{
    int r = sb_ok(text, err);

    return r < 0 ? r : store_meta_set(txn, META_NAME, text->n ? sb_view(text) : STR(""), err);
}

int package_row_add(struct store_txn *txn, struct arena *a, const struct place_note *note,
                    struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(PLACE_TABLE_MAX);
    struct package_table *t;
    struct str before;
    int r;

    if ((r = store_meta_get(txn, META_NAME, a, &before, err)) < 0 ||
        (r = package_table_read(a, before, &t, err)) < 0)
        return r;
    if (package_table_find(t, note->a))
        return err_set(err, ERR_CONFLICT, "%.*s was installed meanwhile", STR_ARG(note->a));
    if (t->n == PACKAGES_MAX)
        return err_set(err, ERR_COSTLY, "more than %d packages are installed", PACKAGES_MAX);
    sb_str(&text, before);
    put_row(&text, &(struct package_name){note->a, note->b}, note->n, note->c);
    return keep(txn, &text, err);
}

int package_row_drop(struct store_txn *txn, struct str name, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(PLACE_TABLE_MAX);
    _cleanup_(arena_done) struct arena a;
    struct package_table *t;
    struct str before;
    int r;

    arena_init(&a, PACKAGE_ARENA_MAX);
    if ((r = store_meta_get(txn, META_NAME, &a, &before, err)) < 0 ||
        (r = package_table_read(&a, before, &t, err)) < 0)
        return r;
    for (size_t i = 0; i < t->n; i++)
        if (!str_eq(t->rows[i].id.name, name))
            put_row(&text, &t->rows[i].id, t->rows[i].n, t->rows[i].resources);
    return keep(txn, &text, err);
}
