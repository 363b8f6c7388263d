/* op_lookup.c - CodeSystem/$lookup: what is known about a code
 * (codesystem-operation-lookup.html).
 */
#include "api/terms.h"

#include "terminology/ecl.h"
#include "terminology/grammar.h"
#include "terminology/language.h"
#include "terminology/supplement.h"

struct lookup {
    struct terms_call *t;
    struct coding coding;
    struct cs *cs;
    uint32_t concept;
    struct supplements supplements;
};

/* ---- what is asked for ---- */

/* Whether a property is asked for by its name. */
static bool names(const struct lookup *l, struct str name)
{
    const struct op_params *p = &l->t->p;

    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, STR("property")) &&
            (str_eq(p->v[i].text, name) || str_eq(p->v[i].text, STR("*"))))
            return true;
    return false;
}

/* All are where none is named. */
static bool wants(const struct lookup *l, struct str name)
{
    return !op_param_find(&l->t->p, "property") || names(l, name);
}

/* A designation is asked for with all others, or by "lang." and its language. */
static bool wants_designation(const struct lookup *l, struct str language)
{
    const struct op_params *p = &l->t->p;

    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, STR("property")) && p->v[i].text.n &&
            str_starts(p->v[i].text, STR("lang.")) && language.n &&
            language_serves(language, str_from(p->v[i].text, 5)))
            return true;
    return wants(l, STR("designation"));
}

/* ---- designations ---- */

static void write_designations(struct lookup *l, const struct cs *cs, uint32_t i)
{
    struct terms_call *t = l->t;
    size_t n;
    const struct cs_designation *d = cs_designations(cs, i, &n);

    for (size_t k = 0; k < n; k++) {
        if (!wants_designation(l, cs_text(cs, d[k].language)))
            continue;
        terms_out_open(t, "designation");
        terms_out_text(t, "language", "valueCode", cs_text(cs, d[k].language));
        if (d[k].use_code) {
            terms_out_name(t, "use", "valueCoding");
            sb_lit(t->out, "{\"system\":");
            sb_json(t->out, cs_text(cs, d[k].use_system));
            sb_lit(t->out, ",\"code\":");
            sb_json(t->out, cs_text(cs, d[k].use_code));
            if (d[k].use_display) {
                sb_lit(t->out, ",\"display\":");
                sb_json(t->out, cs_text(cs, d[k].use_display));
            }
            sb_lit(t->out, "}}");
        }
        terms_out_text(t, "value", "valueString", cs_text(cs, d[k].value));
        terms_out_close(t);
    }
}

static void write_value(struct lookup *l, const struct cs *cs, const struct cs_property *p)
{
    static const char *const types[] = {
        [PROPERTY_CODE] = "valueCode",       [PROPERTY_CODING] = "valueCoding",
        [PROPERTY_STRING] = "valueString",   [PROPERTY_INTEGER] = "valueInteger",
        [PROPERTY_BOOLEAN] = "valueBoolean", [PROPERTY_DATETIME] = "valueDateTime",
        [PROPERTY_DECIMAL] = "valueDecimal"};
    struct sb *out = l->t->out;
    struct str value = cs_text(cs, p->value);

    terms_out_name(l->t, "value", types[p->type]);
    if (p->type == PROPERTY_CODING) {
        sb_lit(out, "{\"system\":");
        sb_json(out, cs_text(cs, p->system));
        sb_lit(out, ",\"code\":");
        sb_json(out, value);
        if (p->display) {
            sb_lit(out, ",\"display\":");
            sb_json(out, cs_text(cs, p->display));
        }
        sb_char(out, '}');
    } else if (p->type == PROPERTY_INTEGER || p->type == PROPERTY_BOOLEAN ||
               p->type == PROPERTY_DECIMAL) {
        sb_str(out, value);
    } else {
        sb_json(out, value);
    }
    sb_char(out, '}');
}

/* `as`: "property", or "subproperty" where it stands in a role group. */
static void write_property(struct lookup *l, const struct cs *cs, const struct cs_property *p,
                           const char *as)
{
    struct terms_call *t = l->t;
    uint32_t other;
    size_t n;

    terms_out_open(t, as);
    terms_out_text(t, "code", "valueCode", cs_text(cs, cs_property_defs(cs, &n)[p->def].code));
    write_value(l, cs, p);
    other = p->type == PROPERTY_CODE ? cs_find(cs, cs_text(cs, p->value)) : CS_NONE;
    if (other != CS_NONE)
        terms_out_text(t, "description", "valueString", cs_display(cs, other));
    terms_out_close(t);
}

/* The relationships of one role group as one property, or none of it where none is asked for. */
static void write_group(struct lookup *l, const struct cs *cs, const struct cs_property *p,
                        size_t n, struct str group)
{
    bool whole = wants(l, STR(SNOMED_ROLE_GROUP)), open = false;
    size_t n_defs;
    const struct cs_property_def *defs = cs_property_defs(cs, &n_defs);

    for (size_t k = 0; k < n; k++) {
        if (!str_eq(snomed_role_group(cs, &p[k]), group) ||
            (!whole && !wants(l, cs_text(cs, defs[p[k].def].code))))
            continue;
        if (!open) {
            terms_out_open(l->t, "property");
            terms_out_text(l->t, "code", "valueCode", STR(SNOMED_ROLE_GROUP));
        }
        open = true;
        write_property(l, cs, &p[k], "subproperty");
    }
    if (open)
        terms_out_close(l->t);
}

static void write_properties(struct lookup *l, const struct cs *cs, uint32_t i)
{
    size_t n, n_defs;
    const struct cs_property *p = cs_properties(cs, i, &n);
    const struct cs_property_def *defs = cs_property_defs(cs, &n_defs);

    for (size_t k = 0; k < n; k++) {
        struct str group = snomed_role_group(cs, &p[k]);
        size_t first = 0;
        while (group.n && !str_eq(snomed_role_group(cs, &p[first]), group))
            first++;
        if (group.n && first == k)
            write_group(l, cs, p + k, n - k, group);
        else if (!group.n && wants(l, cs_text(cs, defs[p[k].def].code)))
            write_property(l, cs, &p[k], "property");
    }
}

static void write_links(struct lookup *l, const char *name, const uint32_t *links, size_t n)
{
    for (size_t k = 0; k < n && wants(l, str_c(name)); k++) {
        terms_out_open(l->t, "property");
        terms_out_text(l->t, "code", "valueCode", str_c(name));
        terms_out_text(l->t, "value", "valueCode", cs_code(l->cs, links[k]));
        terms_out_text(l->t, "description", "valueString", cs_display(l->cs, links[k]));
        terms_out_close(l->t);
    }
}

static bool has_property(const struct lookup *l, struct str name)
{
    int def = cs_property_find(l->cs, name);
    size_t n;
    const struct cs_property *p = cs_properties(l->cs, l->concept, &n);

    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == def)
            return true;
    return false;
}

/* What is known of the concept where no property of its own says it. */
static void write_flag(struct lookup *l, const char *name, bool value)
{
    if (!wants(l, str_c(name)) || has_property(l, str_c(name)))
        return;
    terms_out_open(l->t, "property");
    terms_out_text(l->t, "code", "valueCode", str_c(name));
    terms_out_bool(l->t, "value", value);
    terms_out_close(l->t);
}

/* What R4 defines for all systems and gives no parameter of its own: by name alone. */
static void write_named(struct lookup *l, struct str name, const char *type, struct str value)
{
    if (!value.n || !names(l, name) || has_property(l, name))
        return;
    terms_out_open(l->t, "property");
    terms_out_text(l->t, "code", "valueCode", name);
    terms_out_text(l->t, "value", type, value);
    terms_out_close(l->t);
}

static void write_hierarchy(struct lookup *l)
{
    const uint32_t *links;
    size_t n;

    links = cs_parents(l->cs, l->concept, &n);
    if (cs_property_find(l->cs, STR("parent")) < 0)
        write_links(l, "parent", links, n);
    links = cs_children(l->cs, l->concept, &n);
    if (cs_property_find(l->cs, STR("child")) < 0)
        write_links(l, "child", links, n);
}

static void write_head(struct lookup *l, struct str display)
{
    const struct cs_info *info = cs_info(l->cs);
    struct str name = cs_text(l->cs, info->name);

    terms_out_begin(l->t);
    terms_out_text(l->t, "name", "valueString", name.n ? name : cs_url(l->cs));
    terms_out_text(l->t, "version", "valueString", cs_version(l->cs));
    terms_out_text(l->t, "display", "valueString", display.n ? display : l->coding.code);
}

/* The concept of a supplement that the answer draws on, CS_NONE where it has nothing to add. */
static uint32_t in_supplement(const struct lookup *l, size_t k)
{
    const struct cs *cs = l->supplements.v[k];

    return supplement_is_of(cs, cs_url(l->cs)) ? cs_find(cs, l->coding.code) : CS_NONE;
}

static struct str find_display(struct lookup *l)
{
    struct str wanted = terms_call_language(l->t, NULL), language;
    struct str display = language_display(l->cs, l->concept, wanted, &language);

    for (size_t i = 0; wanted.n && i < l->supplements.n; i++) {
        uint32_t other = in_supplement(l, i);
        struct str text = other == CS_NONE
                              ? STR("")
                              : language_display(l->supplements.v[i], other, wanted, &language);
        if (text.n)
            return text;
    }
    return display;
}

static int reply(struct lookup *l)
{
    struct terms_call *t = l->t;
    const struct cs_concept *concept = cs_at(l->cs, l->concept);
    struct str definition = cs_text(l->cs, concept->definition);

    write_head(l, find_display(l));
    if (wants(l, STR("definition")))
        terms_out_text(t, "definition", "valueString", definition);
    write_designations(l, l->cs, l->concept);
    for (size_t i = 0; i < l->supplements.n; i++)
        if (in_supplement(l, i) != CS_NONE)
            write_designations(l, l->supplements.v[i], in_supplement(l, i));
    write_named(l, STR("url"), "valueUri", cs_url(l->cs));
    write_named(l, STR("definition"), "valueString", definition);
    write_flag(l, "inactive", concept->flags & CONCEPT_INACTIVE);
    if (concept->flags & CONCEPT_ABSTRACT || names(l, STR("notSelectable")))
        write_flag(l, "notSelectable", concept->flags & CONCEPT_ABSTRACT);
    write_properties(l, l->cs, l->concept);
    for (size_t i = 0; i < l->supplements.n; i++)
        if (in_supplement(l, i) != CS_NONE)
            write_properties(l, l->supplements.v[i], in_supplement(l, i));
    write_hierarchy(l);
    return terms_out_end(t);
}

/* A code of grammar: a unit, a tag, a cluster. */
static int reply_grammar(struct lookup *l)
{
    struct call *c = l->t->c;
    struct err why = {0};
    struct str display;

    if (!grammar_has(l->cs, c->a, l->coding.code, &display, &why))
        return terms_call_no_code(l->t, l->cs, l->coding.code, why.text);
    write_head(l, display);
    return terms_out_end(l->t);
}

static int find_supplements(struct lookup *l)
{
    const struct op_params *p = &l->t->p;
    struct call *c = l->t->c;
    int r = supplements_of(&l->t->s, NULL, &l->supplements, &c->err);

    for (size_t i = 0; r >= 0 && i < p->n; i++)
        if (str_eq(p->v[i].name, STR("useSupplement")) && p->v[i].text.n)
            r = supplement_add(&l->t->s, p->v[i].text, &l->supplements, &c->err);
    return r;
}

static int find(struct lookup *l)
{
    struct call *c = l->t->c;
    int r = terms_call_coding(l->t, "coding", "code", &l->coding);

    if (r < 0)
        return r;
    if (!l->coding.system.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"system\" is needed");
    r = terms_code_system(&l->t->s, l->coding.system, l->coding.version, &l->cs, &c->err);
    if (r >= 0 && (!l->cs || cs_info(l->cs)->content == CONTENT_NOT_PRESENT))
        return terms_call_no_system(l->t, l->coding.system, l->coding.version);
    return r;
}

int op_lookup(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct lookup l = {.t = &t};
    int r = terms_call_begin(&t, c, txn);

    if (r < 0 || (r = find(&l)) < 0 || (r = find_supplements(&l)) < 0)
        return r;
    l.concept = cs_find(l.cs, l.coding.code);
    return l.concept == CS_NONE ? reply_grammar(&l) : reply(&l);
}
