/* op_meta.c - $meta, $meta-add, $meta-delete: profiles, security labels and tags
 * (resource-operation-meta.html and following).
 *
 * Of a type or the system, $meta says what is in use. Nothing counts that along with writes: the
 * index has a list for each of the three and each type; its different keys are few, and one
 * resource of each shows the label itself (keys are folded, labels are not).
 */
#include "api/op.h"

#define META_LABELS_MAX 2000 /* different labels and profiles of one answer */

/* The three sets, with the search parameters that find them. */
enum meta_set { META_PROFILE, META_SECURITY, META_TAG, META_SETS };

static const struct {
    const char *member, *param;
} sets[META_SETS] = {[META_PROFILE] = {"profile", "_profile"},
                     [META_SECURITY] = {"security", "_security"},
                     [META_TAG] = {"tag", "_tag"}};

struct labels {
    yyjson_val **v;
    size_t n, cap;
};

/* A profile is its URL; a label is its system and code, whatever its version and display. */
static bool is_same(yyjson_val *a, yyjson_val *b)
{
    if (yyjson_is_str(a) || yyjson_is_str(b))
        return yyjson_is_str(a) && yyjson_is_str(b) && str_eq(js_str(a), js_str(b));
    return str_eq(js_get_str(a, "system"), js_get_str(b, "system")) &&
           str_eq(js_get_str(a, "code"), js_get_str(b, "code"));
}

static bool has_label(yyjson_val *array, yyjson_val *label)
{
    size_t i, max;
    yyjson_val *v;

    yyjson_arr_foreach(array, i, max, v)
        if (is_same(v, label))
            return true;
    return false;
}

static int labels_add(struct call *c, struct labels *set, yyjson_val *label)
{
    for (size_t i = 0; i < set->n; i++)
        if (is_same(set->v[i], label))
            return 0;
    if (set->n == META_LABELS_MAX)
        return err_set(&c->err, ERR_COSTLY,
                       "more than %d different labels or profiles are in use: ask for one type",
                       META_LABELS_MAX);
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 16;
        yyjson_val **v = arena_grow(c->a, set->v, set->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&c->err);
        set->v = v;
        set->cap = cap;
    }
    set->v[set->n++] = label;
    return 0;
}

/* ---- $meta ---- */

static void reply_begin(struct call *c)
{
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"return\","
                    "\"valueMeta\":");
}

static int reply_end(struct call *c)
{
    sb_lit(&c->out, "}]}");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

static int reply_meta(struct call *c, yyjson_val *meta)
{
    reply_begin(c);
    if (meta)
        js_write(&c->out, meta);
    else
        sb_lit(&c->out, "{}");
    return reply_end(c);
}

/* The labels of one resource that has the key. */
static int collect_row(struct call *c, struct store_txn *txn, enum meta_set which, uint64_t row,
                       struct labels *set)
{
    yyjson_val *root, *v;
    size_t i, max;
    int r = op_resource_at(c, txn, row, &root);

    if (r < 0)
        return r;
    yyjson_arr_foreach(js_get(js_get(root, "meta"), sets[which].member), i, max, v)
        if (!yyjson_is_null(v) && (r = labels_add(c, set, v)) < 0)
            return r;
    return 0;
}

static int collect_list(struct call *c, struct store_txn *txn, enum meta_set which, uint16_t list,
                        struct labels *set)
{
    struct index_seen *seen;
    size_t n;
    int r = store_index_keys(txn, list, STR(""), META_LABELS_MAX + 1, c->a, &seen, &n, &c->err);

    if (r >= 0 && n > META_LABELS_MAX)
        return err_set(&c->err, ERR_COSTLY,
                       "more than %d different labels or profiles are in use: this node does not "
                       "list them",
                       META_LABELS_MAX);
    for (size_t i = 0; i < n && r >= 0; i++)
        r = collect_row(c, txn, which, seen[i].row, set);
    return r;
}

static int collect_type(struct call *c, struct store_txn *txn, enum meta_set which, int type,
                        struct labels *set)
{
    const struct param *param = param_find(c->params, type, str_c(sets[which].param));
    int r = 0;

    for (size_t i = 0; param && i < param->n_spans && r >= 0; i++)
        r = collect_list(c, txn, which, param->spans[i].list, set);
    return r;
}

static void write_set(struct sb *out, const struct labels *set, const char *name, bool *first)
{
    if (!set->n)
        return;
    sb_fmt(out, "%s\"%s\":[", *first ? "" : ",", name);
    *first = false;
    for (size_t i = 0; i < set->n; i++) {
        if (i)
            sb_char(out, ',');
        js_write(out, set->v[i]);
    }
    sb_char(out, ']');
}

/* What is in use in a type, or in all. */
static int meta_in_use(struct call *c, struct store_txn *txn)
{
    int first_type = c->type ? c->type : 1, last_type = c->type ? c->type : DEF_RESOURCE_MAX;
    bool first = true;

    reply_begin(c);
    sb_char(&c->out, '{');
    for (enum meta_set which = 0; which < META_SETS; which++) {
        struct labels set = {0};
        for (int type = first_type; type <= last_type; type++) {
            int r = collect_type(c, txn, which, type, &set);
            if (r < 0)
                return r;
        }
        write_set(&c->out, &set, sets[which].member, &first);
    }
    sb_char(&c->out, '}');
    return reply_end(c);
}

int op_meta(struct call *c, struct store_txn *txn)
{
    struct version v;
    yyjson_val *root;
    struct row row;
    int r;

    if (!c->id.n && c->budget)
        return err_set(&c->err, ERR_BUSY, "more than an event loop may do");
    if (!c->id.n)
        return meta_in_use(c, txn);
    if (!c->version_id.n)
        r = op_row(c, txn, c->type, c->id, &row);
    else if (version_parse(c->version_id, &v))
        r = store_get_version(txn, c->type, c->id, &v, &row, &c->err);
    else
        r = err_set(&c->err, ERR_NOT_FOUND, "there is no such version of %.*s/%.*s",
                    STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    if (r >= 0 && row.method == METHOD_DELETE)
        r = err_set(&c->err, ERR_DELETED, "this version is a deletion");
    if (r < 0 || (r = op_json(c, &row, &root)) < 0)
        return r;
    return reply_meta(c, js_get(root, "meta"));
}

/* ---- $meta-add, $meta-delete ---- */

static int read_meta(struct write *w, yyjson_val **ret)
{
    struct call *c = w->call;
    const struct op_param *p;
    struct op_params params;
    int r;

    c->resource = w->body;
    if ((r = op_params_read(c, &params)) < 0)
        return r;
    p = op_param_find(&params, "meta");
    if (!p || !str_eq(p->type, STR("Meta")) || !yyjson_is_obj(p->value))
        return err_at(&c->err, ERR_REQUIRED, "meta",
                      "the parameter \"meta\" with a valueMeta is missing");
    for (enum meta_set which = 0; which < META_SETS; which++) {
        yyjson_val *set = js_get(p->value, sets[which].member);
        if (set && !yyjson_is_arr(set))
            return err_at(&c->err, ERR_VALUE, sets[which].member, "meta.%s is not a list",
                          sets[which].member);
    }
    *ret = p->value;
    return 0;
}

static bool would_change(yyjson_val *meta, yyjson_val *given, bool add)
{
    size_t i, max;
    yyjson_val *v;

    for (enum meta_set which = 0; which < META_SETS; which++)
        yyjson_arr_foreach(js_get(given, sets[which].member), i, max, v)
            if (has_label(js_get(meta, sets[which].member), v) != add)
                return true;
    return false;
}

struct array_out {
    struct sb *out;
    const char *name;
    bool *first_member;
    size_t n;
};

static void array_add(struct array_out *to, yyjson_val *v)
{
    if (!to->n++)
        sb_fmt(to->out, "%s\"%s\":[", *to->first_member ? "" : ",", to->name);
    else
        sb_char(to->out, ',');
    *to->first_member = false;
    if (v)
        js_write(to->out, v);
    else
        sb_lit(to->out, "null");
}

static void array_end(struct array_out *to)
{
    if (to->n)
        sb_char(to->out, ']');
}

/* One set: what stays of it, then what comes to it once. A profile may have a sibling in _profile,
 * which goes where it goes. */
static void write_next_set(struct sb *out, enum meta_set which, yyjson_val *meta, yyjson_val *given,
                           bool add, bool *first)
{
    yyjson_val *had = js_get(meta, sets[which].member), *more = js_get(given, sets[which].member);
    yyjson_val *beside = which == META_PROFILE ? js_get(meta, "_profile") : NULL, *v;
    struct array_out values = {out, sets[which].member, first, 0};
    struct array_out siblings = {out, "_profile", first, 0};
    size_t i, max;

    yyjson_arr_foreach(had, i, max, v)
        if (add || !has_label(more, v))
            array_add(&values, v);
    yyjson_arr_foreach(more, i, max, v) {
        bool seen = has_label(had, v);
        for (size_t j = 0; j < i && !seen; j++)
            seen = is_same(yyjson_arr_get(more, j), v);
        if (add && !seen)
            array_add(&values, v);
    }
    array_end(&values);
    yyjson_arr_foreach(had, i, max, v)
        if (beside && (add || !has_label(more, v)))
            array_add(&siblings, yyjson_arr_get(beside, i));
    for (i = siblings.n; beside && i < values.n; i++)
        array_add(&siblings, NULL);
    array_end(&siblings);
}

static bool is_set(struct str name)
{
    for (enum meta_set which = 0; which < META_SETS; which++)
        if (str_eq(name, str_c(sets[which].member)))
            return true;
    return str_eq(name, STR("_profile"));
}

static void write_next_meta(struct sb *out, yyjson_val *meta, yyjson_val *given, bool add)
{
    bool first = true;
    size_t i, max;
    yyjson_val *key, *v;

    sb_char(out, '{');
    yyjson_obj_foreach(meta, i, max, key, v) {
        if (is_set(js_str(key)))
            continue;
        sb_str(out, first ? STR("") : STR(","));
        first = false;
        sb_json(out, js_str(key));
        sb_char(out, ':');
        js_write(out, v);
    }
    for (enum meta_set which = 0; which < META_SETS; which++)
        write_next_set(out, which, meta, given, add, &first);
    sb_char(out, '}');
}

/* A stored resource always shows a meta: its version stands in it. */
static int change_meta(struct write *w, yyjson_val *newest, struct sb *next, bool add)
{
    yyjson_val *meta = js_get(newest, "meta"), *given = NULL, *key, *v;
    size_t i, max;
    int r = read_meta(w, &given);

    if (r < 0)
        return r;
    if (!would_change(meta, given, add))
        return 1;
    sb_char(next, '{');
    yyjson_obj_foreach(newest, i, max, key, v) {
        sb_str(next, i ? STR(",") : STR(""));
        sb_json(next, js_str(key));
        sb_char(next, ':');
        if (v == meta)
            write_next_meta(next, meta, given, add);
        else
            js_write(next, v);
    }
    sb_char(next, '}');
    return sb_ok(next, &w->call->err);
}

int op_meta_add(struct write *w, yyjson_val *newest, struct sb *next)
{
    return change_meta(w, newest, next, true);
}

int op_meta_delete(struct write *w, yyjson_val *newest, struct sb *next)
{
    return change_meta(w, newest, next, false);
}

int op_meta_reply(struct call *c, struct write *w)
{
    struct row row = {
        .type = w->type, .id = w->id, .version = w->version, .sealed = sb_view(&w->sealed)};
    yyjson_val *root;
    int r = op_json(c, &row, &root);

    if (r < 0)
        return r;
    c->version = w->version;
    return reply_meta(c, js_get(root, "meta"));
}
