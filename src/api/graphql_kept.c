#include "api/graphql_kept.h"

#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>

struct answer {
    struct sb query, operation, text;
    struct params *params; /* referred to, so that its address stays its own */
};

struct gq_kept {
    pthread_mutex_t lock;
    struct answer answers[GRAPHQL_KEPT_MAX];
    size_t next; /* to be replaced */
};

struct gq_kept *gq_kept_new(void)
{
    struct gq_kept *k = fault_point("malloc") ? NULL : calloc(1, sizeof *k);

    if (k)
        pthread_mutex_init(&k->lock, NULL);
    return k;
}

static void answer_done(struct answer *a)
{
    sb_done(&a->query);
    sb_done(&a->operation);
    sb_done(&a->text);
    if (a->params)
        params_unref(a->params);
    *a = (struct answer){0};
}

void gq_kept_free(struct gq_kept *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < GRAPHQL_KEPT_MAX; i++)
        answer_done(&k->answers[i]);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

bool gq_kept_fits(const struct graphql_operation *op)
{
    const struct graphql_selection *s = op->selections;

    for (; s; s = s->next)
        if (s->selects != GRAPHQL_FIELD ||
            (!str_eq(s->name, STR("__schema")) && !str_eq(s->name, STR("__type"))))
            return false;
    return true;
}

bool gq_kept_get(struct gq_kept *k, const struct gq_asked *asked, struct sb *out)
{
    bool found = false;

    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < GRAPHQL_KEPT_MAX && !found; i++) {
        const struct answer *a = &k->answers[i];
        found = a->params == asked->params && str_eq(sb_view(&a->query), asked->query) &&
                str_eq(sb_view(&a->operation), asked->operation);
        if (found)
            sb_str(out, sb_view(&a->text));
    }
    pthread_mutex_unlock(&k->lock);
    return found;
}

void gq_kept_put(struct gq_kept *k, const struct gq_asked *asked, struct str text)
{
    struct answer a = {.query = sb_make(GRAPHQL_TEXT_MAX),
                       .operation = sb_make(GRAPHQL_TEXT_MAX),
                       .text = sb_make(GRAPHQL_KEPT_BYTES_MAX)};

    sb_str(&a.query, asked->query);
    sb_str(&a.operation, asked->operation);
    sb_str(&a.text, text);
    if (a.query.failed || a.operation.failed || a.text.failed) {
        answer_done(&a);
        return;
    }
    a.params = params_ref(asked->params);
    pthread_mutex_lock(&k->lock);
    answer_done(&k->answers[k->next]);
    k->answers[k->next] = a;
    k->next = (k->next + 1) % GRAPHQL_KEPT_MAX;
    pthread_mutex_unlock(&k->lock);
}
