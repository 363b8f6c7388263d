/* load_csv.c - LOINC's table (Loinc.csv) and a list of ATC classes as comma-separated values.
 *
 * LOINC: the columns LOINC_NUM, LONG_COMMON_NAME, COMPONENT, PROPERTY, TIME_ASPCT, SYSTEM,
 * SCALE_TYP, METHOD_TYP, CLASS, STATUS, SHORTNAME, CONSUMER_NAME, VersionLastChanged.
 * ATC: a column of codes ("atc_code" or "ATC code") and one of names ("atc_name", "ATC level name"
 * or "name"); a class stands below the one whose code begins its own (A, A10, A10B, A10BA,
 * A10BA02).
 */
#include "terminology/load_int.h"

#include <stdlib.h>

#define LOINC_PROPERTIES 12

/* ---- LOINC ---- */

struct load_loinc {
    struct cs_builder *b;
    int number, name, short_name, consumer_name, status, changed;
    int columns[LOINC_PROPERTIES];
    uint32_t defs[LOINC_PROPERTIES];
    char version[16]; /* the greatest VersionLastChanged */
    bool is_second;
};

static const struct {
    const char *column, *code;
} loinc_columns[LOINC_PROPERTIES] = {
    {"component", "COMPONENT"},
    {"property", "PROPERTY"},
    {"timeaspct", "TIME_ASPCT"},
    {"system", "SYSTEM"},
    {"scaletyp", "SCALE_TYP"},
    {"methodtyp", "METHOD_TYP"},
    {"class", "CLASS"},
    {"status", "STATUS"},
    {"classtype", "CLASSTYPE"},
    {"orderobs", "ORDER_OBS"},
    {"unitsrequired", "UNITSREQUIRED"},
    {"exampleucumunits", "EXAMPLE_UCUM_UNITS"},
};

static bool knows_loinc(const struct cells *h)
{
    return cells_find(h, "loincnum") == 0 && cells_find(h, "longcommonname") >= 0;
}

static int begin_loinc(struct load *l, const struct cells *h, struct err *err)
{
    struct load_loinc *x;
    struct cs_info *info;

    if (l->loinc) {
        l->loinc->is_second = true; /* the package has the table's core once more */
        return 0;
    }
    x = l->loinc = load_alloc(sizeof *x);
    if (!x || !(x->b = cs_builder_new()))
        return err_no_memory(err);
    info = cs_builder_info(x->b);
    info->flags = CS_IGNORE_CASE;
    info->url = cs_builder_text(x->b, STR("http://loinc.org"));
    info->name = cs_builder_text(x->b, STR("LOINC"));
    info->language = cs_builder_text(x->b, STR("en"));
    info->status = cs_builder_text(x->b, STR("active"));
    info->content = CONTENT_COMPLETE;
    x->number = cells_find(h, "loincnum");
    x->name = cells_find(h, "longcommonname");
    x->short_name = cells_find(h, "shortname");
    x->consumer_name = cells_find(h, "consumername");
    x->status = cells_find(h, "status");
    x->changed = cells_find(h, "versionlastchanged");
    for (size_t i = 0; i < LOINC_PROPERTIES; i++) {
        x->columns[i] = cells_find(h, loinc_columns[i].column);
        x->defs[i] = cs_builder_property_def(x->b, str_c(loinc_columns[i].code), STR(""), STR(""),
                                             PROPERTY_STRING);
    }
    return 0;
}

/* Digits, a dash and a check digit, of Luhn's kind (LOINC Users' Guide). */
static bool is_loinc(struct str s)
{
    unsigned sum = 0;

    if (s.n < 3 || s.p[s.n - 2] != '-')
        return false;
    for (size_t i = 0; i < s.n - 2; i++) {
        unsigned d = (unsigned)(s.p[s.n - 3 - i] - '0');
        if (d > 9)
            return false;
        d *= i % 2 ? 1 : 2;
        sum += d > 9 ? d - 9 : d;
    }
    return s.p[s.n - 1] == (char)('0' + (10 - sum % 10) % 10);
}

static int line_loinc(struct load *l, const struct cells *c, struct err *err)
{
    struct load_loinc *x = l->loinc;
    struct str number = c->v[x->number], none = STR("");
    bool old = x->status >= 0 && str_eq(c->v[x->status], STR("DEPRECATED"));
    uint32_t concept;

    if (x->is_second)
        return 0;
    if (!is_loinc(number))
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is no LOINC number", (int)MIN(number.n, 40u),
                       number.p);
    concept = cs_builder_add(x->b, number, c->v[x->name], none, old ? CONCEPT_INACTIVE : 0);
    if (concept == CS_NONE)
        return cs_builder_refused(x->b, number, err);
    for (size_t i = 0; i < LOINC_PROPERTIES; i++)
        if (x->columns[i] >= 0 && c->v[x->columns[i]].n)
            cs_builder_property(x->b, concept, x->defs[i], PROPERTY_STRING, c->v[x->columns[i]],
                                none, none);
    if (x->short_name >= 0 && c->v[x->short_name].n)
        cs_builder_designation(x->b, concept, STR("en"), STR("http://loinc.org"), STR("SHORTNAME"),
                               none, c->v[x->short_name]);
    if (x->consumer_name >= 0 && c->v[x->consumer_name].n)
        cs_builder_designation(x->b, concept, STR("en"), STR("http://loinc.org"),
                               STR("CONSUMER_NAME"), none, c->v[x->consumer_name]);
    if (x->changed >= 0 && c->v[x->changed].n < sizeof x->version &&
        strtod(c->v[x->changed].n ? c->v[x->changed].p : "0", NULL) >
            strtod(x->version[0] ? x->version : "0", NULL))
        snprintf(x->version, sizeof x->version, "%.*s", STR_ARG(c->v[x->changed]));
    return 0;
}

const struct load_reader load_loinc_reader = {
    .what = "LOINC table",
    .quotes = true,
    .knows = knows_loinc,
    .between = ',',
    .begin = begin_loinc,
    .line = line_loinc,
};

int load_loinc_finish(struct load *l, struct err *err)
{
    static const struct load_about about = {
        .id = "loinc",
        .name = "LOINC",
        .title = "LOINC",
        .publisher = "Regenstrief Institute",
        .copyright = "This material contains content from LOINC (http://loinc.org)",
    };

    if (!l->loinc)
        return 0;
    cs_builder_info(l->loinc->b)->version = cs_builder_text(l->loinc->b, str_c(l->loinc->version));
    return load_give_system(l, l->loinc->b, &about, err);
}

void load_loinc_free(struct load_loinc *x)
{
    if (!x)
        return;
    cs_builder_free(x->b);
    free(x);
}

/* ---- ATC ---- */

struct load_atc {
    struct cs_builder *b;
    int code, name;
};

static int atc_name(const struct cells *h)
{
    static const char *const names[] = {"atcname", "atclevelname", "name"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cells_find(h, names[i]) >= 0)
            return cells_find(h, names[i]);
    return -1;
}

static bool knows_atc(const struct cells *h)
{
    return cells_find(h, "atccode") >= 0 && atc_name(h) >= 0;
}

static int begin_atc(struct load *l, const struct cells *h, struct err *err)
{
    struct load_atc *x = l->atc = l->atc ? l->atc : load_alloc(sizeof *x);
    struct cs_info *info;

    if (!x || (!x->b && !(x->b = cs_builder_new())))
        return err_no_memory(err);
    info = cs_builder_info(x->b);
    info->flags = CS_CASE_UNKNOWN;
    info->url = cs_builder_text(x->b, STR("http://www.whocc.no/atc"));
    info->name = cs_builder_text(x->b, STR("ATC"));
    info->language = cs_builder_text(x->b, STR("en"));
    info->hierarchy = cs_builder_text(x->b, STR("is-a"));
    info->status = cs_builder_text(x->b, STR("active"));
    info->content = CONTENT_COMPLETE;
    x->code = cells_find(h, "atccode");
    x->name = atc_name(h);
    return 0;
}

/* Codes of 1, 3, 4, 5 and 7 characters; that of the class above, or an empty one. */
static struct str atc_above(struct str code)
{
    static const size_t above[] = {[1] = 0, [3] = 1, [4] = 3, [5] = 4, [7] = 5};

    return str_head(code, code.n < ARRAY_LEN(above) ? above[code.n] : 0);
}

static int line_atc(struct load *l, const struct cells *c, struct err *err)
{
    struct load_atc *x = l->atc;
    struct str code = c->v[x->code];
    uint32_t parent, concept;

    if (code.n != 1 && code.n != 3 && code.n != 4 && code.n != 5 && code.n != 7)
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is no ATC code", (int)MIN(code.n, 40u), code.p);
    concept = cs_builder_add(x->b, code, c->v[x->name], STR(""), 0);
    if (concept == CS_NONE)
        return 0; /* a substance stands once for each of its doses */
    parent = code.n > 1 ? cs_builder_find(x->b, atc_above(code)) : CS_NONE;
    if (parent != CS_NONE)
        cs_builder_parent(x->b, concept, parent);
    return 0;
}

const struct load_reader load_atc_reader = {
    .what = "list of ATC classes",
    .quotes = true,
    .knows = knows_atc,
    .between = ',',
    .begin = begin_atc,
    .line = line_atc,
};

int load_atc_finish(struct load *l, struct err *err)
{
    static const struct load_about about = {
        .id = "atc",
        .name = "ATC",
        .title = "Anatomical Therapeutic Chemical classification",
        .publisher = "WHO Collaborating Centre for Drug Statistics Methodology",
    };

    return l->atc ? load_give_system(l, l->atc->b, &about, err) : 0;
}

void load_atc_free(struct load_atc *x)
{
    if (!x)
        return;
    cs_builder_free(x->b);
    free(x);
}
