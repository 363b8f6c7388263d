#include "trust/remote.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

/* `text` is the answer, or what went wrong. */
struct kept {
    char *key, *text; /* NULL: free */
    size_t n;
    int result;
    int64_t asked_ms, used_ms;
    bool is_asked; /* by a thread, at the moment */
};

struct remote {
    const struct trust_wire *wire;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct kept v[REMOTE_KEPT];
};

int remote_new(const struct trust_wire *wire, struct remote **ret, struct err *err)
{
    struct remote *m = calloc(1, sizeof *m);

    if (!m)
        return err_no_memory(err);
    m->wire = wire;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->answered, NULL);
    *ret = m;
    return 0;
}

void remote_free(struct remote *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < REMOTE_KEPT; i++) {
        free(m->v[i].key);
        free(m->v[i].text);
    }
    pthread_cond_destroy(&m->answered);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static bool is_this_machine(struct str url)
{
    static const struct str hosts[] = {
        {"http://127.0.0.1", 16}, {"http://localhost", 16}, {"http://[::1]", 12}};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct str rest = str_from(url, hosts[i].n);

        /* "http://localhost:x@elsewhere" is elsewhere. */
        if (str_starts(url, hosts[i]) && (!rest.n || rest.p[0] == ':' || rest.p[0] == '/'))
            return str_find(rest, '@') < 0;
    }
    return false;
}

int remote_check_url(struct str url, bool may_be_private, struct err *err)
{
    struct str host = str_from(url.n ? url : STR(""), 8);
    bool ok =
        url.n && url.n <= REMOTE_URL_MAX &&
        ((may_be_private && is_this_machine(url)) || (str_starts(url, STR("https://")) && host.n &&
                                                      host.p[0] != '/' && str_find(host, '@') < 0));

    for (size_t i = 0; i < url.n; i++)
        ok = ok && url.p[i] > ' ' && url.p[i] < 0x7f && !strchr("\"<>\\^`{}|#", url.p[i]);
    return ok ? 0
              : err_set(err, ERR_VALUE, "\"%.*s\" is no https:// address of at most %d bytes",
                        (int)MIN(url.n, 200u), url.n ? url.p : "", REMOTE_URL_MAX);
}

int remote_ask(struct remote *m, const struct trust_ask *ask, int *ret_status, struct sb *ret_body,
               struct err *err)
{
    struct trust_ask copy = *ask;

    if (!m->wire)
        return err_set(err, ERR_NOT_SUPPORTED, "this node asks no other servers");
    copy.seconds = copy.seconds ? copy.seconds : REMOTE_SECONDS;
    return m->wire->ask(m->wire->ctx, &copy, ret_status, ret_body, err);
}

/* ---- what is kept; all of it under the lock ---- */

/* The same address is another document where it is trusted otherwise. */
static struct str key_of(struct arena *a, const struct trust_ask *ask)
{
    return arena_fmt(a, "%s\n%s\n%d", ask->url, ask->ca_file ? ask->ca_file : "",
                     ask->may_be_private);
}

static struct kept *find(struct remote *m, struct str key)
{
    for (size_t i = 0; i < REMOTE_KEPT; i++)
        if (m->v[i].key && str_eq(str_c(m->v[i].key), key))
            return &m->v[i];
    return NULL;
}

/* A place for another one; NULL when all are being asked for, or without memory. */
static struct kept *make(struct remote *m, struct str key)
{
    struct kept *place = NULL;
    char *copy;

    for (size_t i = 0; i < REMOTE_KEPT; i++) {
        struct kept *k = &m->v[i];

        if (!k->is_asked && (!place || (place->key && k->used_ms < place->used_ms)))
            place = k;
    }
    copy = place ? strndup(key.p, key.n) : NULL;
    if (!copy)
        return NULL;
    free(place->key);
    free(place->text);
    *place = (struct kept){.key = copy};
    return place;
}

static bool is_good(const struct kept *k, bool newer, int64_t now_ms)
{
    int64_t age = now_ms - k->asked_ms;

    if (!k->text || age < 0)
        return false;
    return age < (k->result < 0 ? REMOTE_FAILED_MS : newer ? REMOTE_AGAIN_MS : REMOTE_FRESH_MS);
}

static int answer(const struct kept *k, struct arena *a, struct str *ret, struct err *err)
{
    if (k->result < 0)
        return err_set(err, k->result, "%.*s", (int)MIN(k->n, (size_t)ERR_TEXT_MAX - 1), k->text);
    *ret = arena_dup(a, str_n(k->text, k->n));
    return ret->p ? 0 : err_no_memory(err);
}

static void keep(struct kept *k, int result, struct str text)
{
    free(k->text);
    k->text = strndup(text.p, text.n); /* NULL: nothing is kept, and the next one asks again */
    k->n = k->text ? strlen(k->text) : 0;
    k->result = result;
    k->asked_ms = clock_now_ms();
}

bool remote_has(struct remote *m, const struct trust_ask *ask, bool newer, struct arena *a)
{
    struct str key = key_of(a, ask);
    const struct kept *k;
    bool has;

    pthread_mutex_lock(&m->lock);
    k = key.p ? find(m, key) : NULL;
    has = k && !k->is_asked && is_good(k, newer, clock_now_ms());
    pthread_mutex_unlock(&m->lock);
    return has;
}

/* ---- fetching; without the lock ---- */

static int fetch(struct remote *m, const struct trust_ask *ask, struct sb *body, struct err *err)
{
    int status = 0, r = remote_ask(m, ask, &status, body, err);

    if (r >= 0 && status != 200)
        r = err_set(err, ERR_BUSY, "%s answered with status %d", ask->url, status);
    return r < 0 ? r : sb_ok(body, err);
}

int remote_get(struct remote *m, const struct trust_ask *ask, bool newer, struct arena *a,
               struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(REMOTE_BYTES_MAX);
    struct str key = key_of(a, ask);
    struct err why = {0};
    struct kept *k;
    int r;

    if (!key.p)
        return err_no_memory(err);
    pthread_mutex_lock(&m->lock);
    while ((k = find(m, key)) && k->is_asked)
        pthread_cond_wait(&m->answered, &m->lock);
    if (k && is_good(k, newer, clock_now_ms())) {
        k->used_ms = clock_now_ms();
        r = answer(k, a, ret, err);
        pthread_mutex_unlock(&m->lock);
        return r;
    }
    k = k ? k : make(m, key);
    if (k) {
        k->is_asked = true;
        k->used_ms = clock_now_ms();
    }
    pthread_mutex_unlock(&m->lock);
    if (!k)
        return err_set(err, ERR_BUSY, "too many other servers are being asked");
    r = fetch(m, ask, &body, &why);
    pthread_mutex_lock(&m->lock);
    keep(k, MIN(r, 0), r < 0 ? str_c(why.text) : sb_view(&body));
    k->is_asked = false;
    pthread_cond_broadcast(&m->answered);
    pthread_mutex_unlock(&m->lock);
    if (r < 0) {
        if (err)
            *err = why;
        return r;
    }
    *ret = arena_dup(a, sb_view(&body));
    return ret->p ? 0 : err_no_memory(err);
}
