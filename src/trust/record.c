#include "trust/record.h"

#include "trust/trust.h"

#include <errno.h>
#include <stdlib.h>

static const char *const folders[] = {
#define X(kind, folder) folder,
    RECORD_KINDS(X)
#undef X
};

/* ---- text ---- */

static const void *member(const void *record, const struct field *f)
{
    return (const char *)record + f->at;
}

static bool is_absent(const void *at, enum field_kind kind)
{
    switch (kind) {
    case FIELD_STR: return ((const struct str *)at)->n == 0;
    case FIELD_I64: return *(const int64_t *)at == 0;
    case FIELD_BOOL: return !*(const bool *)at;
    case FIELD_LIST: return ((const struct str_list *)at)->n == 0;
    }
    return true;
}

static void write_list(struct sb *out, const struct str_list *list)
{
    sb_char(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            sb_char(out, ',');
        sb_json(out, list->v[i]);
    }
    sb_char(out, ']');
}

static void write_value(struct sb *out, const void *at, enum field_kind kind)
{
    switch (kind) {
    case FIELD_STR: sb_json(out, *(const struct str *)at); break;
    case FIELD_I64: sb_i64(out, *(const int64_t *)at); break;
    case FIELD_BOOL: sb_lit(out, "true"); break;
    case FIELD_LIST: write_list(out, at); break;
    }
}

void record_write(struct sb *out, const struct shape *shape, const void *record)
{
    bool first = true;

    sb_char(out, '{');
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *f = &shape->fields[i];
        const void *at = member(record, f);

        if (is_absent(at, f->kind))
            continue;
        sb_fmt(out, "%s\"%s\":", first ? "" : ",", f->name);
        first = false;
        write_value(out, at, f->kind);
    }
    sb_char(out, '}');
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_NO_STORE, "a record of trust is damaged");
}

static int parse_list(struct arena *a, yyjson_val *v, struct str_list *ret, struct err *err)
{
    size_t i, max;
    yyjson_val *one;

    if (!yyjson_is_arr(v) || yyjson_arr_size(v) > RECORD_LIST_MAX)
        return damaged(err);
    ret->n = yyjson_arr_size(v);
    ret->v = ARENA_ARRAY(a, struct str, ret->n);
    if (!ret->v)
        return err_no_memory(err);
    yyjson_arr_foreach(v, i, max, one) {
        if (!yyjson_is_str(one))
            return damaged(err);
        ret->v[i] = js_str(one);
    }
    return 0;
}

static int parse_i64(yyjson_val *v, int64_t *ret, struct err *err)
{
    struct str s = js_str(v);
    char text[24], *end;

    if (!js_is_number(v) || s.n >= sizeof text)
        return damaged(err);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno || *end ? damaged(err) : 0;
}

static int parse_value(struct arena *a, yyjson_val *v, enum field_kind kind, void *at,
                       struct err *err)
{
    switch (kind) {
    case FIELD_STR: *(struct str *)at = js_str(v); return yyjson_is_str(v) ? 0 : damaged(err);
    case FIELD_I64: return parse_i64(v, at, err);
    case FIELD_BOOL: *(bool *)at = yyjson_is_true(v); return 0;
    case FIELD_LIST: return parse_list(a, v, at, err);
    }
    return damaged(err);
}

int record_parse(struct arena *a, struct str text, const struct shape *shape, void *ret,
                 struct err *err)
{
    yyjson_val *root;
    int r = js_parse_stored(a, text, &root, err);

    if (r < 0)
        return r == ERR_SYNTAX ? damaged(err) : r;
    memset(ret, 0, shape->bytes);
    for (size_t i = 0; r >= 0 && i < shape->n; i++) {
        const struct field *f = &shape->fields[i];
        yyjson_val *v = js_get(root, f->name);

        if (v)
            r = parse_value(a, v, f->kind, (char *)ret + f->at, err);
    }
    return r;
}

/* ---- store ---- */

/* "trust/account/NAME" */
static int full_name(enum record_kind kind, struct str name, char ret[RECORD_NAME_MAX],
                     struct str *ret_name, struct err *err)
{
    int n = snprintf(ret, RECORD_NAME_MAX, RECORD_PREFIX "%s/%.*s", folders[kind], (int)name.n,
                     name.n ? name.p : "");

    if (n >= RECORD_NAME_MAX)
        return err_set(err, ERR_VALUE, "a name is longer than %d bytes", RECORD_NAME_MAX);
    *ret_name = str_n(ret, (size_t)n);
    return 0;
}

int record_get(struct store_txn *txn, enum record_kind kind, struct str name, struct arena *a,
               const struct shape *shape, void *ret, struct err *err)
{
    char text[RECORD_NAME_MAX];
    struct str full, bytes = STR_NULL;
    int r = full_name(kind, name, text, &full, err);

    if (r < 0)
        return r;
    r = store_blob_get(txn, full, 0, a, &bytes, err);
    if (r < 0)
        return r;
    if (!bytes.p)
        return err_set(err, ERR_NOT_FOUND, "there is no such %s", folders[kind]);
    return record_parse(a, bytes, shape, ret, err);
}

int record_put(struct store_txn *txn, enum record_kind kind, struct str name,
               const struct shape *shape, const void *record, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(RECORD_BYTES_MAX);
    char text[RECORD_NAME_MAX];
    struct str full;
    int r = full_name(kind, name, text, &full, err);

    if (r < 0)
        return r;
    record_write(&out, shape, record);
    if (out.failed)
        return err_set(err, ERR_TOO_LONG, "a %s is longer than %zu bytes", folders[kind],
                       RECORD_BYTES_MAX);
    r = store_blob_put(txn, full, 0, sb_view(&out), err);
    explicit_bzero(out.p, out.n);
    return r;
}

int record_drop(struct store_txn *txn, enum record_kind kind, struct str name, struct err *err)
{
    char text[RECORD_NAME_MAX];
    struct str full;
    int r = full_name(kind, name, text, &full, err);

    return r < 0 ? r : store_blob_drop(txn, full, err);
}

int record_next(struct store_txn *txn, enum record_kind kind, struct str after, struct arena *a,
                struct str *ret, struct err *err)
{
    char text[RECORD_NAME_MAX], prefix[64];
    struct str full, found, head;
    int r = full_name(kind, after, text, &full, err);

    if (r < 0)
        return r;
    head =
        str_n(prefix, (size_t)snprintf(prefix, sizeof prefix, RECORD_PREFIX "%s/", folders[kind]));
    r = store_blob_next(txn, full, a, &found, NULL, err);
    if (r < 0)
        return r;
    *ret = found.p && str_starts(found, head) ? str_from(found, head.n) : STR_NULL;
    return 0;
}

struct commit {
    struct store_job job; /* first: the store hands it back */
    record_fn *fn;
    void *ctx;
};

static int commit_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct commit *c = (struct commit *)job;

    return c->fn(c->ctx, txn, err);
}

int record_commit(struct store *store, record_fn *fn, void *ctx, struct err *err)
{
    struct access who = trust_system();
    struct commit c = {.job = {.run = commit_run, .who = &who}, .fn = fn, .ctx = ctx};

    return store_write(store, &c.job, err);
}
