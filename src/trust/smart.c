#include "trust/smart.h"

#include "fhir/defs.h"

static const struct str contexts[] = {{"patient/", 8}, {"user/", 5}, {"system/", 7}};
static const char letters[] = "cruds";

static const struct {
    struct str name;
    unsigned bit;
} words[] = {
#define X(name, id, bit) {{name, sizeof name - 1}, bit},
    SMART_WORDS(X)
#undef X
};

/* "rs" in their order; version 1 wrote read, write and a star. 0 when it is none. */
static unsigned parse_rights(struct str s)
{
    unsigned rights = 0;
    size_t at = 0;

    if (str_eq(s, STR("read")))
        return SMART_R | SMART_S;
    if (str_eq(s, STR("write")))
        return SMART_C | SMART_U | SMART_D;
    if (str_eq(s, STR("*")))
        return SMART_C | SMART_R | SMART_U | SMART_D | SMART_S;
    for (size_t i = 0; i < s.n; i++) {
        while (at < 5 && letters[at] != s.p[i])
            at++;
        if (at == 5)
            return 0;
        rights |= 1u << at++;
    }
    return rights;
}

static bool parse_one(struct str text, struct smart_scope *ret)
{
    ptrdiff_t dot, mark;
    struct str type;

    for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
        if (!str_starts(text, contexts[i]))
            continue;
        *ret = (struct smart_scope){.context = (enum smart_context)i, .query = STR("")};
        text = str_from(text, contexts[i].n);
        mark = str_find(text, '?');
        if (mark >= 0) {
            ret->query = str_from(text, (size_t)mark + 1);
            text = str_head(text, (size_t)mark);
        }
        dot = str_find(text, '.');
        if (dot < 0)
            return false;
        type = str_head(text, (size_t)dot);
        ret->type = str_eq(type, STR("*")) ? 0 : def_resource(type);
        ret->rights = parse_rights(str_from(text, (size_t)dot + 1));
        /* A search without a type would mean something else for each. */
        return ret->rights && (ret->type || (str_eq(type, STR("*")) && !ret->query.n));
    }
    return false;
}

static unsigned parse_word(struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(text, words[i].name))
            return words[i].bit;
    return 0;
}

int smart_parse(struct arena *a, struct str text, struct smart_scopes *ret, struct err *err)
{
    struct smart_scopes s = {.v = ARENA_ARRAY(a, struct smart_scope, SMART_SCOPES_MAX)};
    struct str rest = text.p ? text : STR(""), part;

    if (!s.v)
        return err_no_memory(err);
    if (text.n > SMART_TEXT_MAX)
        return err_set(err, ERR_VALUE, "the scopes are longer than %zu bytes", SMART_TEXT_MAX);
    while (str_split(&rest, ' ', &part)) {
        struct smart_scope one;

        if (!parse_one(part, &one)) {
            s.words |= parse_word(part);
            continue;
        }
        if (s.n == SMART_SCOPES_MAX)
            return err_set(err, ERR_VALUE, "there are more than %d scopes", SMART_SCOPES_MAX);
        s.v[s.n++] = one;
    }
    *ret = s;
    return 0;
}

void smart_write(struct sb *out, const struct smart_scopes *scopes)
{
    size_t from = out->n;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(scopes->words & words[i].bit))
            continue;
        if (out->n > from)
            sb_char(out, ' ');
        sb_str(out, words[i].name);
    }
    for (size_t i = 0; i < scopes->n; i++) {
        const struct smart_scope *s = &scopes->v[i];

        if (out->n > from)
            sb_char(out, ' ');
        sb_str(out, contexts[s->context]);
        sb_str(out, s->type ? def_resource_name(s->type) : STR("*"));
        sb_char(out, '.');
        for (unsigned k = 0; k < 5; k++)
            if (s->rights & 1u << k)
                sb_char(out, letters[k]);
        if (s->query.n) {
            sb_char(out, '?');
            sb_str(out, s->query);
        }
    }
}

/* What both allow; rights 0 when nothing. */
static int both(struct arena *a, const struct smart_scope *x, const struct smart_scope *y,
                struct smart_scope *ret, struct err *err)
{
    *ret = (struct smart_scope){.context = x->context, .type = x->type ? x->type : y->type};
    if (x->context != y->context || (x->type && y->type && x->type != y->type))
        return 0;
    ret->rights = x->rights & y->rights;
    ret->query = x->query.n ? x->query : y->query;
    if (x->query.n && y->query.n && !str_eq(x->query, y->query)) {
        ret->query = arena_join(a, (const struct str[]){x->query, STR("&"), y->query}, 3);
        if (!ret->query.p)
            return err_no_memory(err);
    }
    return 0;
}

static bool same(const struct smart_scope *x, const struct smart_scope *y)
{
    return x->context == y->context && x->type == y->type && x->rights == y->rights &&
           str_eq(x->query, y->query);
}

int smart_both(struct arena *a, const struct smart_scopes *asked, const struct smart_scopes *most,
               struct smart_scopes *ret, struct err *err)
{
    struct smart_scopes s = {.words = asked->words & most->words,
                             .v = ARENA_ARRAY(a, struct smart_scope, SMART_SCOPES_MAX)};

    if (!s.v)
        return err_no_memory(err);
    for (size_t i = 0; i < asked->n; i++)
        for (size_t k = 0; k < most->n; k++) {
            struct smart_scope one;
            bool is_known = false;
            int r = both(a, &asked->v[i], &most->v[k], &one, err);

            if (r < 0)
                return r;
            for (size_t m = 0; m < s.n; m++)
                is_known |= same(&one, &s.v[m]);
            if (!one.rights || is_known)
                continue;
            if (s.n == SMART_SCOPES_MAX)
                return err_set(err, ERR_VALUE, "there are more than %d scopes", SMART_SCOPES_MAX);
            s.v[s.n++] = one;
        }
    *ret = s;
    return 0;
}

void smart_drop(struct smart_scopes *scopes, enum smart_context context)
{
    size_t n = 0;

    for (size_t i = 0; i < scopes->n; i++)
        if (scopes->v[i].context != context)
            scopes->v[n++] = scopes->v[i];
    scopes->n = n;
}

bool smart_has(const struct smart_scopes *scopes, enum smart_context context)
{
    for (size_t i = 0; i < scopes->n; i++)
        if (scopes->v[i].context == context)
            return true;
    return false;
}
