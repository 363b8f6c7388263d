#include "terminology/expand.h"

#include "base/clock.h"
#include "base/rng.h"
#include "terminology/canonical.h"
#include "terminology/language.h"
#include "fhir/fold.h"

#include <inttypes.h>

#define EXTENSION_R5 "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion."
#define EXTENSION_PROPERTY EXTENSION_R5 "contains.property"
#define TOLD_STATUS (1u << EXPAND_NAMES_MAX)
#define USE_DISPLAY "http://terminology.hl7.org/CodeSystem/designation-usage"

struct expanding {
    struct terms_scope *s;
    const struct vs *vs;
    const struct expand_options *opt;
    struct sb *out;
    struct str folded;   /* the filter */
    uint64_t **matches;  /* of each group: what the filter leaves; NULL: all */
    bool *left_out;      /* of each group: its system is not to be in the expansion */
    uint32_t told;       /* of the properties that are asked for, those that the page has */
    bool versions;       /* a system stands in the set with several versions */
    bool first;          /* nothing was written yet at this level */
    uint64_t skip, left; /* of the page */
    struct err *err;
};

/* ---- which codes ---- */

static bool is_excluded(const struct expanding *e, const struct vs_group *g)
{
    struct str version;

    for (size_t i = 0; i < e->opt->n_excluded; i++)
        if (str_eq(canonical_split(e->opt->excluded[i], &version), g->system) &&
            (!version.n || version_matches(version, g->version)))
            return true;
    return false;
}

static int leave_out(struct expanding *e)
{
    e->left_out = ARENA_ARRAY(e->s->a, bool, e->vs->n_groups);
    if (!e->left_out)
        return err_no_memory(e->err);
    for (size_t i = 0; i < e->vs->n_groups; i++)
        e->left_out[i] = is_excluded(e, &e->vs->groups[i]);
    return 0;
}

static int match_groups(struct expanding *e)
{
    const struct vs *vs = e->vs;
    int r = 0;

    e->matches = ARENA_ARRAY(e->s->a, uint64_t *, vs->n_groups);
    e->folded = fold_dup(e->s->a, e->opt->filter.n ? e->opt->filter : STR(""));
    if (!e->matches || !e->folded.p)
        return err_no_memory(e->err);
    for (size_t i = 0; r >= 0 && e->folded.n && i < vs->n_groups; i++)
        if (vs->groups[i].cs)
            r = cs_match_text(vs->groups[i].cs, e->s->a, e->opt->filter, &e->matches[i], e->err);
    return r;
}

/* Whether each word of the filter begins a word of a text that is not indexed. */
static bool text_matches(struct expanding *e, struct str text)
{
    struct str folded = fold_dup(e->s->a, text.p ? text : STR("")), rest = e->folded, word, has;

    while (folded.p && rest.n && str_split(&rest, ' ', &word)) {
        struct str words = folded;
        bool found = false;
        while (!found && words.n && str_split(&words, ' ', &has))
            found = str_starts(has, word);
        if (!found)
            return false;
    }
    return folded.p != NULL;
}

static bool passes_flags(const struct expanding *e, uint32_t flags)
{
    return !(e->opt->active_only && flags & CONCEPT_INACTIVE) &&
           !(e->opt->exclude_not_for_ui && flags & CONCEPT_ABSTRACT);
}

static bool passes(struct expanding *e, const struct vs_run *run, uint32_t i)
{
    const struct vs_group *g = &e->vs->groups[run->group];
    const uint64_t *match = e->matches[run->group];

    return (!match || bits_has(match, i)) && passes_flags(e, cs_at(g->cs, i)->flags);
}

static bool listed_passes(struct expanding *e, const struct vs_run *run, const struct vs_listed *l)
{
    if (l->concept != CS_NONE && passes(e, run, l->concept))
        return true;
    if (l->concept != CS_NONE &&
        (!e->folded.n || !passes_flags(e, cs_at(e->vs->groups[run->group].cs, l->concept)->flags)))
        return false;
    return !e->folded.n || text_matches(e, l->display) || text_matches(e, l->code);
}

/* The next concept of a run of bits that the filter leaves. */
static uint32_t next_in(const struct expanding *e, const struct vs_run *run, uint32_t from)
{
    uint32_t n = cs_n(e->vs->groups[run->group].cs);
    const uint64_t *match = e->matches[run->group];

    return match ? bits_next_both(run->bits, match, n, from) : bits_next(run->bits, n, from);
}

static size_t count_run(struct expanding *e, const struct vs_run *run)
{
    const struct vs_group *g = &e->vs->groups[run->group];
    const uint64_t *match = e->matches[run->group];
    bool flags = e->opt->active_only || e->opt->exclude_not_for_ui;
    size_t n = 0;

    if (e->left_out[run->group])
        return 0;
    if (!e->folded.n && !flags)
        return run->n;
    for (size_t i = 0; run->list && i < run->n; i++)
        n += listed_passes(e, run, &run->list[i]);
    if (run->list)
        return n;
    if (!flags) {
        /* Most words of a filter's matches are empty. */
        for (size_t w = 0; w < bits_words(cs_n(g->cs)); w++)
            if (match[w])
                n += (size_t)__builtin_popcountll(run->bits[w] & match[w]);
        return n;
    }
    for (uint32_t i = next_in(e, run, 0); i != CS_NONE; i = next_in(e, run, i + 1))
        n += passes_flags(e, cs_at(g->cs, i)->flags);
    return n;
}

/* ---- one code ---- */

static void member(struct sb *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",\"%s\":", name);
    sb_json(out, value);
}

static bool wants_designation(const struct expanding *e, struct str language, struct str use_system,
                              struct str use_code)
{
    struct str code;

    if (!e->opt->n_wanted)
        return true;
    for (size_t i = 0; i < e->opt->n_wanted; i++) {
        struct str wanted = canonical_split(e->opt->wanted[i], &code);
        if (code.p ? str_eq(code, use_code) && str_eq(wanted, use_system)
                   : language.n && language_serves(language, wanted))
            return true;
        if (str_eq(wanted, STR("urn:ietf:bcp:47")) && code.n && language_serves(language, code))
            return true;
    }
    return false;
}

static void write_designation(struct expanding *e, bool *first, struct str language,
                              struct str use_system, struct str use_code, struct str use_display,
                              struct str value)
{
    struct sb *out = e->out;

    if (!value.n || !wants_designation(e, language, use_system, use_code))
        return;
    sb_str(out, *first ? STR(",\"designation\":[{") : STR(",{"));
    *first = false;
    if (language.n) {
        sb_lit(out, "\"language\":");
        sb_json(out, language);
        sb_char(out, ',');
    }
    if (use_code.n) {
        sb_lit(out, "\"use\":{\"code\":");
        sb_json(out, use_code);
        member(out, "system", use_system);
        member(out, "display", use_display);
        sb_lit(out, "},");
    }
    sb_lit(out, "\"value\":");
    sb_json(out, value);
    sb_char(out, '}');
}

static void write_designations_of(struct expanding *e, const struct cs *cs, uint32_t i, bool *first)
{
    size_t n;
    const struct cs_designation *d = cs_designations(cs, i, &n);

    for (size_t k = 0; k < n; k++)
        write_designation(e, first, cs_text(cs, d[k].language), cs_text(cs, d[k].use_system),
                          cs_text(cs, d[k].use_code), cs_text(cs, d[k].use_display),
                          cs_text(cs, d[k].value));
}

/* `shown`: the display. */
static void write_designations(struct expanding *e, const struct cs *cs, uint32_t i,
                               struct str code, struct str shown, yyjson_val *listed)
{
    struct str language = i != CS_NONE ? cs_text(cs, cs_info(cs)->language) : STR("");
    yyjson_val *v, *use;
    bool first = true;
    size_t k, n;

    yyjson_arr_foreach(listed, k, n, v) {
        use = js_get(v, "use");
        write_designation(e, &first, js_get_str(v, "language"), js_get_str(use, "system"),
                          js_get_str(use, "code"), js_get_str(use, "display"),
                          js_get_str(v, "value"));
    }
    if (i != CS_NONE)
        write_designations_of(e, cs, i, &first);
    /* The text that a display in another language has taken the place of. */
    if (i != CS_NONE && (language.n || !str_eq(shown, cs_display(cs, i))))
        write_designation(e, &first, language, STR(USE_DISPLAY), STR("display"), STR(""),
                          cs_display(cs, i));
    for (k = 0; k < e->opt->supplements.n; k++) {
        uint32_t other = cs_find(e->opt->supplements.v[k], code);
        if (other != CS_NONE)
            write_designations_of(e, e->opt->supplements.v[k], other, &first);
    }
    if (!first)
        sb_char(e->out, ']');
}

/* The array of a code's extensions, opened by the first. */
static void open_extension(struct expanding *e, bool *first)
{
    sb_str(e->out, *first ? STR(",\"extension\":[{\"url\":\"") : STR(",{\"url\":\""));
    *first = false;
}

static void write_property(struct expanding *e, bool *first, struct str code,
                           enum property_type type, struct str value)
{
    static const char *const types[] = {
        [PROPERTY_CODE] = "valueCode",       [PROPERTY_CODING] = "valueCode",
        [PROPERTY_STRING] = "valueString",   [PROPERTY_INTEGER] = "valueInteger",
        [PROPERTY_BOOLEAN] = "valueBoolean", [PROPERTY_DATETIME] = "valueDateTime",
        [PROPERTY_DECIMAL] = "valueDecimal"};
    bool bare = type == PROPERTY_INTEGER || type == PROPERTY_BOOLEAN || type == PROPERTY_DECIMAL;

    open_extension(e, first);
    sb_lit(e->out, EXTENSION_PROPERTY "\",\"extension\":[{\"url\":\"code\",\"valueCode\":");
    sb_json(e->out, code);
    sb_fmt(e->out, "},{\"url\":\"value\",\"%s\":", types[type]);
    if (bare)
        sb_str(e->out, value);
    else
        sb_json(e->out, value);
    sb_lit(e->out, "}]}");
}

/* Properties as R5 has them, and why a concept should not be used. */
static void write_extensions(struct expanding *e, const struct cs *cs, uint32_t i)
{
    size_t n_defs, n;
    const struct cs_property_def *defs = cs_property_defs(cs, &n_defs);
    const struct cs_property *p = cs_properties(cs, i, &n);
    uint32_t flags = cs_at(cs, i)->flags;
    bool first = true, status = false;

    if (flags & CONCEPT_DEPRECATED) {
        open_extension(e, &first);
        sb_lit(e->out, "http://hl7.org/fhir/StructureDefinition/valueset-deprecated\","
                       "\"valueBoolean\":true}");
    }
    for (size_t k = 0; k < n; k++)
        for (size_t w = 0; w < e->opt->n_properties; w++) {
            struct str code = cs_text(cs, defs[p[k].def].code);
            if (!str_eq(code, e->opt->properties[w]))
                continue;
            write_property(e, &first, code, p[k].type, cs_text(cs, p[k].value));
            e->told |= 1u << w;
            status |= str_eq(code, STR("status"));
        }
    for (size_t w = 0; w < e->opt->n_properties; w++) {
        struct str text = cs_text(cs, cs_at(cs, i)->definition);
        if (!text.n || !str_eq(e->opt->properties[w], STR("definition")))
            continue;
        write_property(e, &first, STR("definition"), PROPERTY_STRING, text);
        e->told |= 1u << w;
    }
    if (flags & CONCEPT_INACTIVE && !status) {
        write_property(e, &first, STR("status"), PROPERTY_CODE, cs_status(cs, i));
        e->told |= TOLD_STATUS;
    }
    if (!first)
        sb_char(e->out, ']');
}

static struct str display_of(struct expanding *e, const struct cs *cs, uint32_t i, struct str code,
                             struct str listed)
{
    struct str language = STR_NULL, display = listed.n ? listed : STR("");
    bool served = false;

    if (i != CS_NONE && (!listed.n || e->opt->has_language)) {
        struct str own = language_display(cs, i, e->opt->language, &language);
        served = e->opt->language.n && language_wanted(language, e->opt->language);
        display = listed.n && !served ? listed : own;
    }
    for (size_t k = 0; !served && e->opt->language.n && k < e->opt->supplements.n; k++) {
        uint32_t other = cs_find(e->opt->supplements.v[k], code);
        struct str text;
        if (other == CS_NONE)
            continue;
        text = language_display(e->opt->supplements.v[k], other, e->opt->language, &language);
        if (text.n && language.n)
            return text;
    }
    return served || !language_is_strict(e->opt->language) ? display : STR("");
}

/* A concept (or a code that is listed) without the brace at its end: children may follow. */
static void write_code(struct expanding *e, const struct vs_run *run, uint32_t i,
                       const struct vs_listed *listed)
{
    const struct vs_group *g = &e->vs->groups[run->group];
    struct str code = i != CS_NONE ? cs_code(g->cs, i) : listed ? listed->code : STR("");
    struct str display = display_of(e, g->cs, i, code, listed ? listed->display : STR_NULL);
    uint32_t flags = i != CS_NONE ? cs_at(g->cs, i)->flags : 0;
    struct sb *out = e->out;

    sb_str(out, e->first ? STR("{\"system\":") : STR(",{\"system\":"));
    e->first = false;
    sb_json(out, g->system);
    if (flags & CONCEPT_ABSTRACT)
        sb_lit(out, ",\"abstract\":true");
    if (flags & CONCEPT_INACTIVE)
        sb_lit(out, ",\"inactive\":true");
    if (e->versions)
        member(out, "version", g->version);
    sb_lit(out, ",\"code\":");
    sb_json(out, code);
    member(out, "display", display);
    if (e->opt->designations)
        write_designations(e, g->cs, i, code, display, listed ? listed->designations : NULL);
    if (i != CS_NONE && (e->opt->n_properties || flags & (CONCEPT_INACTIVE | CONCEPT_DEPRECATED)))
        write_extensions(e, g->cs, i);
}

/* ---- a list ---- */

static bool in_page(struct expanding *e)
{
    if (e->skip) {
        e->skip--;
        return false;
    }
    if (!e->left)
        return false;
    e->left--;
    return true;
}

/* The page's part of a run; whole runs before the page are passed over by their number. */
static void write_run(struct expanding *e, const struct vs_run *run, size_t n)
{
    const struct vs_group *g = &e->vs->groups[run->group];

    if (e->skip >= n) {
        e->skip -= n;
        return;
    }
    for (size_t i = 0; run->list && i < run->n && e->left; i++)
        if (listed_passes(e, run, &run->list[i]) && in_page(e)) {
            write_code(e, run, run->list[i].concept, &run->list[i]);
            sb_char(e->out, '}');
        }
    for (uint32_t i = run->bits && e->left ? next_in(e, run, 0) : CS_NONE; i != CS_NONE && e->left;
         i = next_in(e, run, i + 1))
        if (passes_flags(e, cs_at(g->cs, i)->flags) && in_page(e)) {
            write_code(e, run, i, NULL);
            sb_char(e->out, '}');
        }
}

/* ---- a tree ---- */

static void write_children(struct expanding *e, const struct vs_run *run, uint64_t *left,
                           uint32_t parent, int depth);

/* Deeper children stand at the top: JSON has a depth, and so has the stack. */
#define NESTING_MAX 28

static void write_nested(struct expanding *e, const struct vs_run *run, uint64_t *left, uint32_t i,
                         int depth)
{
    size_t at;

    left[i / 64] &= ~(UINT64_C(1) << i % 64);
    if (!passes(e, run, i)) {
        write_children(e, run, left, i, depth + 1);
        return;
    }
    write_code(e, run, i, NULL);
    at = e->out->n;
    e->first = true;
    sb_lit(e->out, ",\"contains\":[");
    write_children(e, run, left, i, depth + 1);
    if (e->first)
        e->out->n = at;
    else
        sb_char(e->out, ']');
    e->first = false;
    sb_char(e->out, '}');
}

/* Those of the set that are still left; a child that is not in it stands for its own children. */
static void write_children(struct expanding *e, const struct vs_run *run, uint64_t *left,
                           uint32_t parent, int depth)
{
    size_t n;
    const uint32_t *children = cs_children(e->vs->groups[run->group].cs, parent, &n);

    for (size_t k = 0; k < n && depth < NESTING_MAX; k++)
        if (bits_has(left, children[k]))
            write_nested(e, run, left, children[k], depth);
}

static bool has_parent_in(const struct cs *cs, const uint64_t *bits, uint32_t i)
{
    size_t n;
    const uint32_t *parents = cs_parents(cs, i, &n);

    for (size_t k = 0; k < n; k++)
        if (bits_has(bits, parents[k]))
            return true;
    return false;
}

static int write_tree(struct expanding *e, const struct vs_run *run)
{
    const struct cs *cs = e->vs->groups[run->group].cs;
    size_t words = bits_words(cs_n(cs));
    uint64_t *left = ARENA_ARRAY(e->s->a, uint64_t, words);

    if (!left)
        return err_no_memory(e->err);
    memcpy(left, run->bits, words * sizeof *left);
    for (uint32_t i = bits_next(run->bits, cs_n(cs), 0); i != CS_NONE;
         i = bits_next(run->bits, cs_n(cs), i + 1))
        if (bits_has(left, i) && !has_parent_in(cs, run->bits, i))
            write_nested(e, run, left, i, 0);
    /* What hangs below something that nesting did not reach. */
    for (uint32_t i = bits_next(left, cs_n(cs), 0); i != CS_NONE;
         i = bits_next(left, cs_n(cs), i + 1))
        if (passes(e, run, i)) {
            write_code(e, run, i, NULL);
            sb_char(e->out, '}');
        }
    return 0;
}

/* A page is a list; a tree is given whole. */
static bool is_nested(const struct expanding *e, size_t total)
{
    return !e->opt->exclude_nested && !e->opt->offset && !e->folded.n &&
           (!e->opt->has_count || e->opt->count > total);
}

/* ---- around it ---- */

static void parameter(struct expanding *e, const char *name, const char *type, struct str value)
{
    struct sb *out = e->out;

    sb_str(out, e->first ? STR("{\"name\":\"") : STR(",{\"name\":\""));
    e->first = false;
    sb_fmt(out, "%s\",\"value%s\":", name, type);
    if (str_eq(str_c(type), STR("Boolean")) || str_eq(str_c(type), STR("Integer")))
        sb_str(out, value);
    else
        sb_json(out, value);
    sb_char(out, '}');
}

static struct str yes_no(bool v)
{
    return v ? STR("true") : STR("false");
}

static struct str number(struct expanding *e, uint64_t v)
{
    return arena_fmt(e->s->a, "%" PRIu64, v);
}

/* What is drawn on and should not be, unless the value set is no better itself. */
static void status_warning(struct expanding *e, const struct cs *cs, struct str canonical)
{
    struct str status = cs_text(cs, cs_info(cs)->status);
    uint32_t flags = cs_info(cs)->flags, own = e->vs->standards;
    bool draft = flags & CS_DRAFT || str_eq(status, STR("draft"));
    bool own_draft = own & CS_DRAFT || str_eq(e->vs->status, STR("draft"));

    if (flags & (CS_DEPRECATED | CS_WITHDRAWN)) {
        if (!(own & flags & (CS_DEPRECATED | CS_WITHDRAWN)))
            parameter(e, flags & CS_DEPRECATED ? "warning-deprecated" : "warning-withdrawn", "Uri",
                      canonical);
    } else if (str_eq(status, STR("retired"))) {
        if (!str_eq(e->vs->status, status))
            parameter(e, "warning-retired", "Uri", canonical);
    } else if (cs_info(cs)->experimental) {
        if (!e->vs->experimental)
            parameter(e, "warning-experimental", "Uri", canonical);
    } else if (draft && !own_draft) {
        parameter(e, "warning-draft", "Uri", canonical);
    }
}

static void write_options(struct expanding *e)
{
    const struct expand_options *o = e->opt;
    const struct {
        const char *name;
        bool given, value;
    } flags[] = {
        {"excludeNested", o->has_exclude_nested, o->exclude_nested},
        {"activeOnly", o->has_active_only, o->active_only},
        {"includeDesignations", o->has_designations, o->designations},
        {"includeDefinition", o->has_definition, o->definition},
        {"excludeNotForUI", o->has_exclude_not_for_ui, o->exclude_not_for_ui},
    };

    if (o->filter.n)
        parameter(e, "filter", "String", o->filter);
    if (o->has_language)
        parameter(e, "displayLanguage", "Code", o->language);
    for (size_t i = 0; i < o->n_wanted; i++)
        parameter(e, "designation", "String", o->wanted[i]);
    for (size_t i = 0; i < o->n_properties; i++)
        parameter(e, "property", "String", o->properties[i]);
    for (size_t i = 0; i < o->n_excluded; i++)
        parameter(e, "exclude-system", "Uri", o->excluded[i]);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (flags[i].given)
            parameter(e, flags[i].name, "Boolean", yes_no(flags[i].value));
    if (o->has_offset)
        parameter(e, "offset", "Integer", number(e, o->offset));
    if (o->has_count)
        parameter(e, "count", "Integer", number(e, o->count));
    for (size_t i = 0; i < e->s->n_pins; i++) {
        const struct terms_pin *p = &e->s->pins[i];
        char name[40];
        snprintf(name, sizeof name, "%.*s", STR_ARG(p->name));
        parameter(e, name, "Uri",
                  arena_join(e->s->a, (const struct str[]){p->url, STR("|"), p->version}, 3));
    }
}

static void write_parameters(struct expanding *e)
{
    const struct vs *vs = e->vs;

    sb_lit(e->out, ",\"parameter\":[");
    e->first = true;
    write_options(e);
    for (size_t i = 0; i < vs->n_used; i++)
        parameter(e, "used-valueset", "Uri", vs->used[i]);
    for (size_t i = 0; i < vs->n_groups; i++) {
        const struct vs_group *g = &vs->groups[i];
        struct str canonical = arena_fmt(e->s->a, "%.*s%s%.*s", STR_ARG(g->system),
                                         g->version.n ? "|" : "", STR_ARG(g->version));
        if (e->left_out[i])
            continue;
        parameter(e, "used-codesystem", "Uri", canonical);
        parameter(e, "version", "Uri", canonical);
        if (g->cs && cs_info(g->cs)->content != CONTENT_COMPLETE)
            parameter(e, cs_info(g->cs)->content == CONTENT_FRAGMENT ? "used-fragment" : "example",
                      "Uri", canonical);
        if (g->cs)
            status_warning(e, g->cs, canonical);
    }
    for (size_t i = 0; i < e->opt->supplements.n; i++)
        parameter(e, "used-supplement", "Uri",
                  arena_fmt(e->s->a, "%.*s%s%.*s", STR_ARG(cs_url(e->opt->supplements.v[i])),
                            cs_version(e->opt->supplements.v[i]).n ? "|" : "",
                            STR_ARG(cs_version(e->opt->supplements.v[i]))));
    sb_char(e->out, ']');
}

static void write_head(struct expanding *e)
{
    /* Of the definition, unless it is wanted: those from compose on. */
    static const struct str left_out[] = {STR("resourceType"), STR("id"),        STR("meta"),
                                          STR("expansion"),    STR("text"),      STR("compose"),
                                          STR("extension"),    STR("contained"), STR("purpose"),
                                          STR("description"),  STR("copyright"), STR("publisher"),
                                          STR("contact")};
    const size_t always = 5, n_left_out = e->opt->definition ? always : ARRAY_LEN(left_out);
    struct sb *out = e->out;
    yyjson_val *key, *value;
    size_t i, n, k;

    sb_lit(out, "{\"resourceType\":\"ValueSet\"");
    yyjson_obj_foreach(e->vs->source, i, n, key, value) {
        struct str name = js_str(key);
        for (k = 0; k < n_left_out && !str_eq(name, left_out[k]); k++)
            ;
        if (k < n_left_out)
            continue;
        sb_char(out, ',');
        sb_json(out, name);
        sb_char(out, ':');
        js_write(out, value);
    }
    if (!js_get(e->vs->source, "status"))
        sb_lit(out, ",\"status\":\"active\"");
}

static void write_identity(struct expanding *e)
{
    char now[CLOCK_INSTANT_MAX];
    uint64_t random[2];

    rng_secure(random, sizeof random);
    clock_format(clock_now_ms(), now);
    sb_fmt(e->out,
           ",\"expansion\":{\"identifier\":\"urn:uuid:%08x-%04x-4%03x-%04x-%012" PRIx64
           "\",\"timestamp\":\"%s\"",
           (unsigned)(random[0] >> 32), (unsigned)(random[0] >> 16 & 0xffff),
           (unsigned)(random[0] & 0xfff), (unsigned)(0x8000 | (random[1] >> 48 & 0x3fff)),
           random[1] & UINT64_C(0xffffffffffff), now);
}

static int check_whole(const struct expanding *e)
{
    const struct vs *vs = e->vs;

    for (size_t i = 0; i < vs->n_groups; i++)
        if (!e->left_out[i] && vs_is_endless(&vs->groups[i]))
            return err_set(e->err, ERR_COSTLY,
                           "the value set has all codes of %.*s, which are made by a grammar and "
                           "have no end",
                           STR_ARG(vs->groups[i].system));
    if (!vs->unknown.p)
        return 0;
    return err_set(e->err, ERR_NOT_FOUND,
                   "the %s \"%.*s\", which the value set is made of, is not known here",
                   vs->unknown_is_value_set ? "value set" : "code system",
                   (int)MIN(vs->unknown.n, 300u), vs->unknown.p);
}

static bool has_versions(const struct vs *vs)
{
    for (size_t i = 0; i < vs->n_groups; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(vs->groups[i].system, vs->groups[k].system))
                return true;
    return false;
}

static int write_contains(struct expanding *e, const size_t *counts, size_t total)
{
    size_t at = e->out->n, i = 0;
    int r = 0;

    sb_lit(e->out, ",\"contains\":[");
    e->first = true;
    for (const struct vs_run *run = e->vs->first; r >= 0 && run; run = run->next, i++)
        if (counts[i] && is_nested(e, total) && run->bits &&
            cs_info(e->vs->groups[run->group].cs)->flags)
            r = write_tree(e, run);
        else
            write_run(e, run, counts[i]);
    if (e->first)
        e->out->n = at; /* an empty array is no FHIR */
    else
        sb_char(e->out, ']');
    return r;
}

/* What uri the systems in the set give a property; STR("") where none says. */
static struct str property_uri(const struct expanding *e, struct str code)
{
    for (size_t i = 0; i < e->vs->n_groups; i++) {
        const struct cs *cs = e->vs->groups[i].cs;
        int def = cs ? cs_property_find(cs, code) : -1;
        size_t n;
        if (def >= 0 && cs_property_defs(cs, &n)[def].uri)
            return cs_text(cs, cs_property_defs(cs, &n)[def].uri);
    }
    return str_eq(code, STR("status")) ? STR("http://hl7.org/fhir/concept-properties#status")
           : str_eq(code, STR("definition"))
               ? STR("http://hl7.org/fhir/concept-properties#definition")
               : STR("");
}

static void declare_property(struct expanding *e, bool *first, struct str code)
{
    struct str uri = property_uri(e, code);

    open_extension(e, first);
    sb_lit(e->out, EXTENSION_R5 "property\",\"extension\":[{\"url\":\"code\",\"valueCode\":");
    sb_json(e->out, code);
    if (uri.n) {
        sb_lit(e->out, "},{\"url\":\"uri\",\"valueUri\":");
        sb_json(e->out, uri);
    }
    sb_lit(e->out, "}]}");
}

/* Which properties the codes have, and whether there may be more codes. */
static void write_own_extensions(struct expanding *e)
{
    bool first = true, status = false;

    for (size_t i = 0; i < e->opt->n_properties; i++)
        if (e->told & 1u << i) {
            declare_property(e, &first, e->opt->properties[i]);
            status |= str_eq(e->opt->properties[i], STR("status"));
        }
    if (e->told & TOLD_STATUS && !status)
        declare_property(e, &first, STR("status"));
    for (size_t i = 0; i < e->vs->n_groups; i++) {
        const struct cs *cs = e->vs->groups[i].cs;
        if (!cs || e->left_out[i] || cs_info(cs)->content == CONTENT_COMPLETE)
            continue;
        open_extension(e, &first);
        sb_lit(e->out, "http://hl7.org/fhir/StructureDefinition/valueset-unclosed\","
                       "\"valueBoolean\":true}");
        break;
    }
    if (!first)
        sb_char(e->out, ']');
}

int terms_expand(struct terms_scope *s, const struct vs *vs, const struct expand_options *opt,
                 struct sb *out, struct err *err)
{
    struct expanding e = {.s = s, .vs = vs, .opt = opt, .out = out, .err = err};
    size_t total = 0, n_runs = 0, *counts;
    int r = leave_out(&e);

    if (r < 0 || (r = check_whole(&e)) < 0 || (r = match_groups(&e)) < 0)
        return r;
    e.versions = has_versions(vs);
    for (const struct vs_run *run = vs->first; run; run = run->next)
        n_runs++;
    counts = ARENA_ARRAY(s->a, size_t, n_runs);
    if (!counts)
        return err_no_memory(err);
    n_runs = 0;
    for (const struct vs_run *run = vs->first; run; run = run->next)
        total += counts[n_runs++] = count_run(&e, run);
    e.skip = opt->offset;
    e.left = opt->has_count ? MIN(opt->count, (uint64_t)EXPAND_CODES_MAX) : EXPAND_CODES_MAX;
    if (!opt->has_count && total > opt->offset + EXPAND_CODES_MAX)
        return err_set(err, ERR_COSTLY,
                       "the expansion has %zu codes, and one answer at most %d: ask for a page of "
                       "it with count and offset",
                       total, EXPAND_CODES_MAX);
    write_head(&e);
    write_identity(&e);
    sb_fmt(out, ",\"total\":%zu", total);
    if (opt->has_offset)
        sb_fmt(out, ",\"offset\":%" PRIu64, opt->offset);
    write_parameters(&e);
    r = write_contains(&e, counts, total);
    write_own_extensions(&e);
    sb_lit(out, "}}");
    return r < 0 ? r : sb_ok(out, err);
}
