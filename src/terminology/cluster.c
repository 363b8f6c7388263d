#include "terminology/cluster.h"

struct parsing {
    const struct cs *cs;
    struct err *err;
    struct sb display;
    size_t n;
};

static int bad(struct parsing *p, struct str code, const char *why)
{
    return err_set(p->err, ERR_VALUE, "code %zu of the cluster, \"%.*s\", %s", p->n,
                   (int)MIN(code.n, 60u), code.n ? code.p : "", why);
}

static int take(struct parsing *p, struct str code, bool is_first_of_part)
{
    uint32_t i = cs_find(p->cs, code), flags;

    p->n++;
    if (p->n > CLUSTER_CODES_MAX)
        return err_set(p->err, ERR_VALUE, "a cluster may have %d codes", CLUSTER_CODES_MAX);
    if (!code.n)
        return bad(p, code, "is empty");
    if (i == CS_NONE)
        return bad(p, code, "does not exist");
    flags = cs_at(p->cs, i)->flags;
    if (flags & CONCEPT_ABSTRACT)
        return bad(p, code, "is a grouping and cannot be chosen");
    if (is_first_of_part && flags & CONCEPT_EXTENSION)
        return bad(p, code, "is an extension code where a stem code must stand");
    sb_str(&p->display, p->n == 1 ? STR("") : is_first_of_part ? STR(" / ") : STR(" & "));
    sb_str(&p->display, cs_display(p->cs, i));
    return 0;
}

int cluster_check(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                  struct err *err)
{
    struct parsing p = {.cs = cs, .err = err, .display = sb_make(KIB(64))};
    struct str rest = code, part, one, display;
    int r = 0;

    if (str_find(code, '&') < 0 && str_find(code, '/') < 0)
        return err_set(err, ERR_VALUE, "\"%.*s\" does not exist", (int)MIN(code.n, 60u), code.p);
    while (r >= 0 && rest.p && str_split(&rest, '/', &part))
        for (bool first = true; r >= 0 && part.p && str_split(&part, '&', &one); first = false)
            r = take(&p, one, first);
    display = r >= 0 ? arena_dup(a, sb_view(&p.display)) : STR_NULL;
    if (r >= 0 && (p.display.failed || !display.p))
        r = err_no_memory(err);
    sb_done(&p.display);
    if (r >= 0)
        *ret_display = display;
    return r;
}

struct str cluster_stem(struct str code)
{
    size_t n = 0;

    while (n < code.n && code.p[n] != '&' && code.p[n] != '/')
        n++;
    return str_head(code, n);
}
