/* config.c - what carries notices, from a JSON file (docs/formats/notify.md). */
#include "notify/notify_int.h"

#include <errno.h>

#define SECRET_MAX KIB(4)

struct reading {
    struct notify *n;
    struct err *err;
};

static int wrong(struct reading *in, struct str what, const char *why)
{
    return err_set(in->err, ERR_VALUE, "the notices' \"%.*s\" %s", (int)MIN(what.n, 100u), what.p,
                   why);
}

static int take_c(struct reading *in, struct str m, yyjson_val *v, const char **ret)
{
    struct str s = yyjson_is_str(v) ? js_str(v) : STR_NULL, copy;

    if (!s.n || memchr(s.p, '\0', s.n))
        return wrong(in, m, "is no text");
    copy = arena_fmt(&in->n->a, "%.*s%c", STR_ARG(s), '\0');
    if (!copy.p)
        return err_no_memory(in->err);
    *ret = copy.p;
    return 0;
}

/* Secrets are kept in files of their own, which only the node's user reads. */
static int take_secret(struct reading *in, struct str m, yyjson_val *v, struct str *ret)
{
    const char *path = NULL;
    char *to;
    size_t n = 0;
    FILE *f;
    int r = take_c(in, m, v, &path);

    if (r < 0)
        return r;
    to = arena_alloc(&in->n->a, SECRET_MAX + 1);
    if (!to)
        return err_no_memory(in->err);
    f = fopen(path, "re");
    if (f) {
        n = fread(to, 1, SECRET_MAX, f);
        fclose(f);
    }
    to[n] = '\0';
    *ret = str_trim(str_n(to, n));
    if (!ret->n)
        return wrong(in, m, "names a file that cannot be read, or is empty");
    ((char *)(uintptr_t)ret->p)[ret->n] = '\0';
    return 0;
}

static bool starts_with_any(const char *s, const char *const *with)
{
    for (; *with; with++)
        if (str_starts(str_c(s), str_c(*with)))
            return true;
    return false;
}

static int read_smtp(struct reading *in, yyjson_val *from)
{
    static const char *const schemes[] = {"smtp://", "smtps://", NULL};
    struct notify_smtp *to = &in->n->smtp;
    struct str password = STR("");
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    to->tls = true;
    yyjson_obj_foreach(from, i, max, k, v) {
        struct str m = js_str(k);

        if (str_eq(m, STR("url")))
            r = take_c(in, m, v, &to->url);
        else if (str_eq(m, STR("user")))
            r = take_c(in, m, v, &to->user);
        else if (str_eq(m, STR("passwordFile")))
            r = take_secret(in, m, v, &password);
        else if (str_eq(m, STR("tls")) && yyjson_is_bool(v))
            to->tls = yyjson_is_true(v);
        else
            r = wrong(in, m, "of smtp is not known");
        if (r < 0)
            return r;
    }
    to->password = password.n ? password.p : NULL;
    if (!to->url || !starts_with_any(to->url, schemes))
        return wrong(in, STR("smtp"), "has no url that begins with smtp:// or smtps://");
    if (to->user && !to->tls)
        return wrong(in, STR("smtp"), "would send a password in the open: leave \"tls\" as it is");
    return 0;
}

static int read_hook(struct reading *in, struct str name, yyjson_val *from, struct notify_hook *to)
{
    static const char *const schemes[] = {"https://", "http://127.0.0.1", "http://localhost",
                                          "http://[::1]", NULL};
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    yyjson_obj_foreach(from, i, max, k, v) {
        struct str m = js_str(k);

        if (str_eq(m, STR("url")))
            r = take_c(in, m, v, &to->url);
        else if (str_eq(m, STR("secretFile")))
            r = take_secret(in, m, v, &to->secret);
        else
            r = wrong(in, m, "of a hook is not known");
        if (r < 0)
            return r;
    }
    if (!to->url || !starts_with_any(to->url, schemes))
        return wrong(in, name, "has no url that begins with https:// (http:// on this machine)");
    return 0;
}

static int read_from(struct reading *in, yyjson_val *v)
{
    const char *from = NULL;
    int r = take_c(in, STR("from"), v, &from);

    if (r < 0)
        return r;
    in->n->from = str_c(from);
    return notify_is_mail(in->n->from) ? 0 : wrong(in, STR("from"), "is no mail address");
}

static int read_seconds(struct reading *in, struct str m, yyjson_val *v)
{
    uint64_t n;

    if (!js_is_number(v) || !str_to_u64(js_str(v), 3600, &n) || !n)
        return wrong(in, m, "is no number of seconds up to 3600");
    in->n->wait_first_ms = (int64_t)n * 1000;
    return 0;
}

int notify_configure(struct notify *n, struct str given, struct err *err)
{
    struct reading in = {n, err};
    struct str text = arena_dup(&n->a, given);
    yyjson_val *root, *k, *v;
    size_t i, max;
    int r;

    if (!text.p)
        return err_no_memory(err);
    if ((r = js_parse(&n->a, text, &root, err)) < 0)
        return r;
    if (!yyjson_is_obj(root))
        return err_set(err, ERR_VALUE, "what says how notices are sent is a JSON object");
    yyjson_obj_foreach(root, i, max, k, v) {
        struct str m = js_str(k);

        if (str_eq(m, STR("from")))
            r = read_from(&in, v);
        else if (str_eq(m, STR("smtp")))
            r = read_smtp(&in, v);
        else if (str_eq(m, STR("sms")))
            r = read_hook(&in, m, v, &n->sms);
        else if (str_eq(m, STR("webhook")))
            r = read_hook(&in, m, v, &n->webhook);
        else if (str_eq(m, STR("language")))
            r = notify_language_of(js_str(v), &n->language)
                    ? 0
                    : wrong(&in, m, "is none of ar, en, es, fr, ru, zh");
        else if (str_eq(m, STR("retrySeconds")))
            r = read_seconds(&in, m, v);
        else
            r = wrong(&in, m, "is not known");
        if (r < 0)
            return r;
    }
    if (n->smtp.url && !n->from.n)
        return wrong(&in, STR("from"), "is missing: mail has a sender");
    return 0;
}
