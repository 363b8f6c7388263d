/* eid_config.c - providers of identities, from a JSON file (docs/formats/eid.md). */
#include "trust/eid.h"

#include "trust/page.h"
#include "trust/remote.h"

#include <stdlib.h>

#define SECRET_MAX KIB(8)
#define ARENA_MAX MIB(1)

struct reading {
    struct eid *e;
    struct eid_provider *p;
    struct err *err;
};

static int wrong(struct reading *in, struct str what, const char *why)
{
    return err_set(in->err, ERR_VALUE, "the provider's \"%.*s\" %s", (int)MIN(what.n, 100u), what.p,
                   why);
}

static int take(struct reading *in, struct str m, yyjson_val *v, size_t max, struct str *ret)
{
    struct str s = yyjson_is_str(v) ? js_str(v) : STR_NULL;

    if (!s.n || s.n > max || memchr(s.p, '\0', s.n))
        return wrong(in, m, "is no text, or too long");
    *ret = s;
    return 0;
}

static int take_c(struct reading *in, struct str m, yyjson_val *v, const char **ret)
{
    struct str s;
    int r = take(in, m, v, KIB(4), &s);

    if (r < 0)
        return r;
    *ret = arena_dup(&in->e->a, s).p;
    return *ret ? 0 : err_no_memory(in->err);
}

static int take_flag(struct reading *in, struct str m, yyjson_val *v, bool *ret)
{
    if (!yyjson_is_bool(v))
        return wrong(in, m, "is neither true nor false");
    *ret = yyjson_is_true(v);
    return 0;
}

/* ---- members ---- */

static int read_id(struct reading *in, struct str m, yyjson_val *v)
{
    int r = take(in, m, v, EID_ID_MAX, &in->p->id);

    for (size_t i = 0; r >= 0 && i < in->p->id.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", in->p->id.p[i]))
            r = wrong(in, m, "is made of a-z, 0-9 and -");
    return r;
}

/* One text for all, or an object of languages; English stands for those that are missing. */
static int read_name(struct reading *in, struct str m, yyjson_val *v)
{
    static const char *const languages[] = {
#define X(name, rtl) #name,
        PAGE_LANGUAGES(X)
#undef X
    };
    bool is_one = yyjson_is_str(v);
    struct str english;
    int r = take(in, m, is_one ? v : js_get(v, "en"), EID_NAME_MAX, &english);

    _Static_assert(ARRAY_LEN(languages) == EID_LANGUAGES, "a name for each language");
    for (size_t i = 0; r >= 0 && i < EID_LANGUAGES; i++) {
        yyjson_val *own = is_one ? NULL : js_get(v, languages[i]);

        in->p->names[i] = english;
        if (own)
            r = take(in, m, own, EID_NAME_MAX, &in->p->names[i]);
    }
    return r;
}

/* A secret is kept in a file of its own, which only the node's user reads. */
static int read_secret(struct reading *in, struct str m, yyjson_val *v)
{
    _cleanup_(sb_done) struct sb text = sb_make(SECRET_MAX);
    const char *path;
    int r = take_c(in, m, v, &path);

    if (r < 0)
        return r;
    if (sb_load(&text, path, NULL) < 0 || !str_trim(sb_view(&text)).n)
        return wrong(in, m, "names a file that cannot be read, or is empty");
    in->p->secret = arena_dup(&in->e->a, str_trim(sb_view(&text)));
    explicit_bzero(text.p, text.n);
    return in->p->secret.p ? 0 : err_no_memory(in->err);
}

static int read_algs(struct reading *in, struct str m, yyjson_val *v)
{
    yyjson_val *one;
    size_t i, max;

    if (!yyjson_is_arr(v) || !yyjson_arr_size(v))
        return wrong(in, m, "is no list of algorithms");
    in->p->algs = 0;
    yyjson_arr_foreach(v, i, max, one) {
        enum jose_alg alg = yyjson_is_str(one) ? jose_alg(js_str(one)) : 0;

        if (!alg)
            return wrong(in, m, "has one that is none of RS256, RS384, PS256, PS384, ES256, ES384");
        in->p->algs |= alg;
    }
    return 0;
}

static int read_acr(struct reading *in, struct str m, yyjson_val *from)
{
    yyjson_val *k, *v;
    size_t i, max;

    if (!yyjson_is_obj(from) || !yyjson_obj_size(from) || yyjson_obj_size(from) > EID_ACRS_MAX)
        return wrong(in, m, "is no object of 1 to 16 names");
    yyjson_obj_foreach(from, i, max, k, v) {
        struct str level = yyjson_is_str(v) ? js_str(v) : STR("");
        bool is_two = str_eq(level, STR("two-factors"));

        if (!is_two && !str_eq(level, STR("password")))
            return wrong(in, m, "has a level that is neither \"password\" nor \"two-factors\"");
        in->p->acr[in->p->n_acr++] =
            (struct eid_acr){js_str(k), is_two ? ASSURANCE_TWO_FACTORS : ASSURANCE_PASSWORD};
    }
    return 0;
}

/* What a person can choose, or another can have later, is no identifier. */
static bool is_loose(struct str claim)
{
    static const struct str loose[] = {
        {"name", 4},     {"given_name", 10},         {"family_name", 11}, {"middle_name", 11},
        {"nickname", 8}, {"preferred_username", 18}, {"email", 5},        {"phone_number", 12}};

    for (size_t i = 0; i < ARRAY_LEN(loose); i++)
        if (str_eq(claim, loose[i]))
            return true;
    return false;
}

static int read_identifier(struct reading *in, struct str name, yyjson_val *from)
{
    struct eid_provider *p = in->p;
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    yyjson_obj_foreach(from, i, max, k, v) {
        struct str m = js_str(k);

        if (str_eq(m, STR("claim")))
            r = take(in, m, v, EID_NAME_MAX, &p->claim);
        else if (str_eq(m, STR("system")))
            r = take(in, m, v, KIB(1), &p->system);
        else if (str_eq(m, STR("verifiedBy")))
            r = take(in, m, v, EID_NAME_MAX, &p->verified_by);
        else
            r = wrong(in, m, "of identifier is not known");
        if (r < 0)
            return r;
    }
    if (!p->claim.n || !p->system.n || str_find(p->system, '|') >= 0)
        return wrong(in, name, "has no claim, or no system");
    return is_loose(p->claim)
               ? wrong(in, name, "is a name or an address, and those say not who somebody is")
               : 0;
}

static int read_member(struct reading *in, struct str m, yyjson_val *v)
{
    struct eid_provider *p = in->p;

    if (str_eq(m, STR("id")))
        return read_id(in, m, v);
    if (str_eq(m, STR("name")))
        return read_name(in, m, v);
    if (str_eq(m, STR("issuer")))
        return take(in, m, v, REMOTE_URL_MAX, &p->issuer);
    if (str_eq(m, STR("clientId")))
        return take(in, m, v, KIB(1), &p->client);
    if (str_eq(m, STR("secretFile")))
        return read_secret(in, m, v);
    if (str_eq(m, STR("scope")))
        return take(in, m, v, KIB(1), &p->scope);
    if (str_eq(m, STR("acrValues")))
        return take(in, m, v, KIB(1), &p->acr_values);
    if (str_eq(m, STR("acr")))
        return read_acr(in, m, v);
    if (str_eq(m, STR("identifier")))
        return read_identifier(in, m, v);
    if (str_eq(m, STR("algorithms")))
        return read_algs(in, m, v);
    if (str_eq(m, STR("caFile")))
        return take_c(in, m, v, &p->ca_file);
    if (str_eq(m, STR("enrol")))
        return take_flag(in, m, v, &p->enrol);
    if (str_eq(m, STR("private")))
        return take_flag(in, m, v, &p->may_be_private);
    if (str_eq(m, STR("logout")))
        return take_flag(in, m, v, &p->logout);
    return wrong(in, m, "is not known");
}

static bool has_word(struct str text, struct str word)
{
    struct str part;

    while (text.n && str_split(&text, ' ', &part))
        if (str_eq(part, word))
            return true;
    return false;
}

static int check(struct reading *in)
{
    struct eid_provider *p = in->p;

    if (!p->id.n || !p->names[0].n || !p->client.n)
        return wrong(in, STR("id"), "is missing, or its name, or its clientId");
    if (!has_word(p->scope, STR("openid")))
        return wrong(in, STR("scope"), "has no openid");
    if (p->enrol && !p->claim.n)
        return wrong(in, STR("enrol"), "needs an identifier");
    return remote_check_url(p->issuer, p->may_be_private, in->err);
}

static int read_provider(struct reading *in, yyjson_val *from)
{
    struct eid *e = in->e;
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    if (!yyjson_is_obj(from))
        return err_set(in->err, ERR_VALUE, "a provider of identities is a JSON object");
    if (e->n == EID_PROVIDERS_MAX)
        return err_set(in->err, ERR_VALUE, "there are more than %d providers", EID_PROVIDERS_MAX);
    in->p = &e->v[e->n];
    *in->p = (struct eid_provider){.scope = STR("openid"), .algs = JOSE_DPOP};
    yyjson_obj_foreach(from, i, max, k, v)
        if ((r = read_member(in, js_str(k), v)) < 0)
            return r;
    if ((r = check(in)) < 0)
        return r;
    if (eid_find(e, in->p->id))
        return wrong(in, in->p->id, "is the id of another one as well");
    e->n++;
    return 0;
}

int eid_new(struct str text, struct eid **ret, struct err *err)
{
    struct eid *e = calloc(1, sizeof *e);
    struct reading in = {.e = e, .err = err};
    yyjson_val *root, *one;
    size_t i, max;
    int r;

    if (!e)
        return err_no_memory(err);
    arena_init(&e->a, ARENA_MAX);
    text = arena_dup(&e->a, text);
    r = text.p ? js_parse(&e->a, text, &root, err) : err_no_memory(err);
    if (r >= 0 && (!yyjson_is_obj(root) || yyjson_obj_size(root) != 1 ||
                   !yyjson_is_arr(js_get(root, "providers"))))
        r = err_set(err, ERR_VALUE, "what says who identities come from is {\"providers\": […]}");
    if (r >= 0)
        yyjson_arr_foreach(js_get(root, "providers"), i, max, one)
            if ((r = read_provider(&in, one)) < 0)
                break;
    if (r < 0)
        eid_free(e);
    else
        *ret = e;
    return r;
}

void eid_free(struct eid *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < EID_PROVIDERS_MAX; i++)
        if (e->v[i].secret.n)
            explicit_bzero((char *)(uintptr_t)e->v[i].secret.p, e->v[i].secret.n);
    arena_done(&e->a);
    free(e);
}

const struct eid_provider *eid_find(const struct eid *e, struct str id)
{
    for (size_t i = 0; e && i < e->n; i++)
        if (str_eq(e->v[i].id, id))
            return &e->v[i];
    return NULL;
}
