/* exec.c - what a search and the searches inside it share: costs, bodies, access. */
#include "store/search/search_int.h"

#include "base/clock.h"

#define TICKS 64 /* charges between two looks at the clock */

int exec_init(struct exec *x, struct exec *top, struct store_txn *t, const struct search *s,
              struct err *err)
{
    *x =
        (struct exec){.t = t, .ops = t->st->scan, .s = s, .text = sb_make(STORE_BODY_MAX + KIB(1))};
    if (top) {
        x->top = top;
        x->tmp = top->tmp;
        x->more = top->more;
        top->more = x;
        x->newest = top->newest;
    } else {
        x->top = x;
        x->tmp = calloc(1, sizeof *x->tmp);
        if (!x->tmp)
            return err_no_memory(err);
        arena_init(x->tmp, SEARCH_MEMORY_BYTES);
        x->deadline_us = t->deadline_us;
        /* Whoever holds the writer holds up everybody. */
        if (t->is_writing)
            x->deadline_us = clock_mono_us() + STORE_JOB_SEARCH_US;
    }
    arena_init(&x->body, SEARCH_MEMORY_BYTES);
    return 0;
}

void exec_done(struct exec *top)
{
    struct arena *tmp = top->tmp;

    for (struct exec *x = top, *next; x; x = next) {
        next = x->more;
        arena_done(&x->body);
        sb_done(&x->text);
    }
    targets_release(top);
    params_unref(top->params);
    arena_done(tmp);
    free(tmp);
}

/* The rules' own look at a row that its number says too little about. */
static int ask_rules(struct exec *x, uint64_t row, bool *ret, struct err *err)
{
    const struct access *who = &x->t->who;
    struct row found;
    int r = exec_charge(x, COST_BODY, err);

    if (r < 0 || (r = x->t->st->ops->get_row(x->t, row, &found, err)) < 0 ||
        (r = who->rules->in_sight(who, x->t->st, x->t->sight, &found, err)) < 0)
        return r;
    *ret = r > 0;
    return 0;
}

int exec_may_see(struct exec *x, uint64_t row, bool *ret, struct err *err)
{
    const struct sight *sight = x->t->sight;
    struct str id;
    int type, r;

    *ret = true;
    if (!sight)
        return 0;
    if (x->s && x->s->type)
        type = x->s->type;
    else if ((r = exec_identity(x, row, &type, &id, err)) < 0)
        return r;
    switch (sight_row(sight, type, row)) {
    case SIGHT_NO: *ret = false; return 0;
    case SIGHT_YES: return 0;
    case SIGHT_ASK: break;
    }
    return ask_rules(x, row, ret, err);
}

bool exec_is_restricted(const struct exec *x)
{
    const struct sight *sight = x->t->sight;

    return x->t->is_narrowed ||
           (sight && (!x->s || !x->s->type || !sight_is_open(sight, x->s->type)));
}

const struct params *exec_params(struct exec *x)
{
    struct exec *top = x->top;

    if (!top->params)
        top->params = store_params(x->t->st);
    return top->params;
}

int exec_charge(struct exec *x, size_t cost, struct err *err)
{
    struct exec *top = x->top;

    top->spent += cost;
    if (top->budget && top->spent > top->budget)
        return err_set(err, ERR_BUSY, "the search needs more than this thread may spend");
    if (top->deadline_us && top->ticks++ % TICKS == 0 && clock_mono_us() > top->deadline_us)
        return err_set(err, ERR_COSTLY, "the search takes longer than this node allows: narrow it");
    return 0;
}

/* What is known of a row; ret->row 0: nothing. */
static void identity_known(struct exec *x, uint64_t row, struct identity *ret)
{
    struct lists *l = &x->t->st->lists;

    pthread_mutex_lock(&l->kept_lock);
    *ret = l->identities[row % IDENTITIES_MAX];
    pthread_mutex_unlock(&l->kept_lock);
    if (ret->row != row)
        ret->row = 0;
}

/* A job's rows are not kept: it may be undone, and their numbers come again. */
static void identity_keep(struct exec *x, const struct identity *one)
{
    struct lists *l = &x->t->st->lists;

    if (x->t->is_writing)
        return;
    pthread_mutex_lock(&l->kept_lock);
    l->identities[one->row % IDENTITIES_MAX] = *one;
    pthread_mutex_unlock(&l->kept_lock);
}

int exec_identity(struct exec *x, uint64_t row, int *ret_type, struct str *ret_id, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    char id[FHIR_ID_MAX + 1];
    struct identity known;
    size_t n = 0;
    int r;

    identity_known(x, row, &known);
    if (known.row) {
        *ret_type = known.type;
        *ret_id = arena_dup(x->tmp, str_n(id, index_key_id(known.id, known.n, id)));
        return ret_id->p ? exec_charge(x, 1, err) : err_no_memory(err);
    }
    if ((r = x->ops->identity(x->t, row, ret_type, key, &n, err)) < 0)
        return r;
    if (!*ret_type)
        return err_set(err, ERR_NO_STORE, "the index names a version that is missing");
    if (n <= sizeof known.id) {
        known = (struct identity){.row = row, .type = (uint8_t)*ret_type, .n = (uint8_t)n};
        memcpy(known.id, key, n);
        identity_keep(x, &known);
    }
    *ret_id = arena_dup(x->tmp, str_n(id, index_key_id(key, n, id)));
    return ret_id->p ? exec_charge(x, COST_PROBE, err) : err_no_memory(err);
}

int exec_expunged(struct exec *x, struct str *ret, struct err *err)
{
    int r = store_meta_get(x->t, STORE_META_EXPUNGED, x->tmp, ret, err);

    if (r >= 0 && !ret->p)
        *ret = STR("0");
    return r < 0 ? r : exec_charge(x, COST_PROBE, err);
}

int exec_live(struct exec *x, int type, struct str id, uint64_t *ret, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    int r = x->ops->live_of(x->t, type, str_n((char *)key, index_id_key(id, key)), ret, err);

    return r < 0 ? r : exec_charge(x, COST_PROBE, err);
}

int exec_body(struct exec *x, uint64_t row, yyjson_val **ret, struct err *err)
{
    struct row found;
    int r;

    if (x->body_row == row) {
        *ret = x->root;
        return 0;
    }
    if ((r = exec_charge(x, COST_BODY, err)) < 0 ||
        (r = x->t->st->ops->get_row(x->t, row, &found, err)) < 0)
        return r;
    x->body_row = 0;
    arena_reset(&x->body);
    sb_reset(&x->text);
    r = body_json(found.type, found.id, &found.version, found.sealed, &x->text, err);
    if (r == 0)
        r = sb_ok(&x->text, err);
    if (r == 0)
        r = js_parse_stored(&x->body, sb_view(&x->text), &x->root, err);
    if (r < 0)
        return r;
    x->body_row = row;
    *ret = x->root;
    return 0;
}

struct step_to {
    struct exec *x;
    int type;
    uint64_t row;
    struct err *err;
};

static int step_ref(void *ctx, const struct search_ref *ref)
{
    struct step_to *to = ctx;
    int r = ref->type == to->type ? exec_live(to->x, ref->type, ref->id, &to->row, to->err) : 0;
    bool sees = true;

    if (r == 0 && to->row)
        r = exec_may_see(to->x, to->row, &sees, to->err);
    if (!sees)
        to->row = 0;
    return r < 0 ? r : to->row != 0;
}

/* The resource that a sort rule's chain leads to; *ret_row 0: to none. */
static int follow_steps(struct exec *x, const struct search_sort *sort, yyjson_val *root,
                        struct exec **ret_x, uint64_t *ret_row, struct err *err)
{
    const struct index_options *opt = store_index_options(x->t->st);
    uint64_t row = 0;

    for (size_t i = 0; i < sort->n_steps; i++) {
        struct step_to to = {x, sort->steps[i].type, 0, err};
        int r = search_refs(&x->body, opt, sort->steps[i].link, root, step_ref, &to, err);

        if (r < 0)
            return r;
        row = to.row;
        if (!row)
            break;
        if (!x->beyond) {
            x->beyond = ARENA_NEW(x->tmp, struct exec);
            if (!x->beyond)
                return err_no_memory(err);
            if ((r = exec_init(x->beyond, x->top, x->t, x->s, err)) < 0)
                return r;
        }
        x = x->beyond;
        if ((r = exec_body(x, row, &root, err)) < 0)
            return r;
    }
    *ret_x = x;
    *ret_row = row;
    return 0;
}

static int number_key(struct exec *x, uint64_t n, struct str *ret, struct err *err)
{
    unsigned char key[8];

    for (int i = 7; i >= 0; i--, n >>= 8)
        key[i] = (unsigned char)n;
    *ret = arena_dup(x->tmp, str_n((char *)key, sizeof key));
    return ret->p ? 0 : err_no_memory(err);
}

/* The more relevant, the smaller. */
static int score_key(struct exec *x, yyjson_val *root, struct str *ret, struct err *err)
{
    double score;
    int r = search_score(&x->body, x->s, root, &score, err);

    return r < 0 ? r : number_key(x, UINT64_C(1000000000000) - (uint64_t)(score * 1e12), ret, err);
}

/* In millimetres, which keys of places do not tell apart. */
static int distance_key(struct exec *x, yyjson_val *root, struct str *ret, struct err *err)
{
    double metres = search_distance(x->s, root);

    *ret = STR_NULL;
    return metres < 0 ? 0 : number_key(x, (uint64_t)(metres * 1000), ret, err);
}

int exec_sort_key(struct exec *x, uint64_t row, const struct search_sort *sort, struct str *ret,
                  struct err *err)
{
    struct str key = STR_NULL;
    yyjson_val *root;
    int r = exec_body(x, row, &root, err);

    if (r < 0 || sort->by_score)
        return r < 0 ? r : score_key(x, root, ret, err);
    if (sort->by_near)
        return distance_key(x, root, ret, err);
    if (sort->n_steps) {
        uint64_t to = 0;
        r = follow_steps(x, sort, root, &x, &to, err);
        if (r < 0 || !to) {
            *ret = STR_NULL;
            return r;
        }
        if ((r = exec_body(x, to, &root, err)) < 0)
            return r;
    }
    if ((r = search_sort_key(&x->body, x->s, sort, root, &key, err)) < 0)
        return r;
    if (key.p && !(key = arena_dup(x->tmp, key)).p)
        return err_no_memory(err);
    *ret = key;
    return 0;
}
