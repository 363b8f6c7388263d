#include "terminology/expand.h"

#include "base/clock.h"
#include "base/rng.h"
#include "terminology/canonical.h"
#include "terminology/language.h"
#include "fhir/fold.h"

#include <inttypes.h>

#define USE_DISPLAY "http://terminology.hl7.org/CodeSystem/designation-usage"

struct expanding {
    struct terms_scope *s;
    const struct vs *vs;
    const struct expand_options *opt;
    struct sb *out;
    struct str folded;  /* the filter */
    uint64_t **matches; /* of each group: what the filter leaves; NULL: all */
    struct cs *supplements[EXPAND_SUPPLEMENTS_MAX];
    size_t n_supplements;
    bool versions;       /* a system stands in the set with several versions */
    bool first;          /* nothing was written yet at this level */
    uint64_t skip, left; /* of the page */
    struct err *err;
};

/* ---- which codes ---- */

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

static void write_designations(struct expanding *e, const struct cs *cs, uint32_t i,
                               struct str code, yyjson_val *listed)
{
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
    if (i != CS_NONE && cs_text(cs, cs_info(cs)->language).n)
        write_designation(e, &first, cs_text(cs, cs_info(cs)->language), STR(USE_DISPLAY),
                          STR("display"), STR(""), cs_display(cs, i));
    for (k = 0; k < e->n_supplements; k++) {
        uint32_t other = cs_find(e->supplements[k], code);
        if (other != CS_NONE)
            write_designations_of(e, e->supplements[k], other, &first);
    }
    if (!first)
        sb_char(e->out, ']');
}

static void write_properties(struct expanding *e, const struct cs *cs, uint32_t i)
{
    static const char *const types[] = {
        [PROPERTY_CODE] = "valueCode",       [PROPERTY_CODING] = "valueCode",
        [PROPERTY_STRING] = "valueString",   [PROPERTY_INTEGER] = "valueInteger",
        [PROPERTY_BOOLEAN] = "valueBoolean", [PROPERTY_DATETIME] = "valueDateTime",
        [PROPERTY_DECIMAL] = "valueDecimal"};
    size_t n_defs, n;
    const struct cs_property_def *defs = cs_property_defs(cs, &n_defs);
    const struct cs_property *p = cs_properties(cs, i, &n);
    bool first = true;

    for (size_t k = 0; k < n; k++)
        for (size_t w = 0; w < e->opt->n_properties; w++) {
            bool bare = p[k].type == PROPERTY_INTEGER || p[k].type == PROPERTY_BOOLEAN ||
                        p[k].type == PROPERTY_DECIMAL;
            if (!str_eq(cs_text(cs, defs[p[k].def].code), e->opt->properties[w]))
                continue;
            sb_fmt(e->out, "%s{\"url\":\"code\",\"valueCode\":\"%.*s\"},{\"url\":\"value\",\"%s\":",
                   first ? ",\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/"
                           "extension-ValueSet.expansion.contains.property\",\"extension\":["
                         : "]},{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/"
                           "extension-ValueSet.expansion.contains.property\",\"extension\":[",
                   STR_ARG(e->opt->properties[w]), types[p[k].type]);
            if (bare)
                sb_str(e->out, cs_text(cs, p[k].value));
            else
                sb_json(e->out, cs_text(cs, p[k].value));
            sb_char(e->out, '}');
            first = false;
        }
    if (!first)
        sb_lit(e->out, "]}]");
}

static struct str display_of(struct expanding *e, const struct cs *cs, uint32_t i, struct str code,
                             struct str listed)
{
    struct str language, display = listed.n ? listed : STR("");
    bool served = false;

    if (i != CS_NONE && (!listed.n || e->opt->has_language)) {
        struct str own = language_display(cs, i, e->opt->language, &language);
        served = language.n && language_serves(language, e->opt->language);
        display = listed.n && !served ? listed : own;
    }
    for (size_t k = 0; !served && e->opt->language.n && k < e->n_supplements; k++) {
        uint32_t other = cs_find(e->supplements[k], code);
        struct str text;
        if (other == CS_NONE)
            continue;
        text = language_display(e->supplements[k], other, e->opt->language, &language);
        if (text.n && language.n)
            return text;
    }
    return display;
}

/* A concept (or a code that is listed) without the brace at its end: children may follow. */
static void write_code(struct expanding *e, const struct vs_run *run, uint32_t i,
                       const struct vs_listed *listed)
{
    const struct vs_group *g = &e->vs->groups[run->group];
    struct str code = i != CS_NONE ? cs_code(g->cs, i) : listed ? listed->code : STR("");
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
    member(out, "display", display_of(e, g->cs, i, code, listed ? listed->display : STR_NULL));
    if (e->opt->designations)
        write_designations(e, g->cs, i, code, listed ? listed->designations : NULL);
    if (e->opt->n_properties && i != CS_NONE)
        write_properties(e, g->cs, i);
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

static bool is_nested(const struct expanding *e)
{
    return !e->opt->exclude_nested && !e->opt->has_offset && !e->opt->has_count && !e->folded.n;
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

static void status_warning(struct expanding *e, struct str canonical, struct str status,
                           bool experimental)
{
    if (str_eq(status, STR("draft")) || str_eq(status, STR("retired")))
        parameter(e, str_eq(status, STR("draft")) ? "warning-draft" : "warning-retired", "Uri",
                  canonical);
    else if (experimental)
        parameter(e, "warning-experimental", "Uri", canonical);
}

static void write_parameters(struct expanding *e)
{
    const struct expand_options *o = e->opt;
    const struct vs *vs = e->vs;

    sb_lit(e->out, ",\"parameter\":[");
    e->first = true;
    if (o->filter.n)
        parameter(e, "filter", "String", o->filter);
    if (o->has_offset)
        parameter(e, "offset", "Integer", number(e, o->offset));
    if (o->has_count)
        parameter(e, "count", "Integer", number(e, o->count));
    if (o->has_exclude_nested)
        parameter(e, "excludeNested", "Boolean", yes_no(o->exclude_nested));
    if (o->has_active_only)
        parameter(e, "activeOnly", "Boolean", yes_no(o->active_only));
    if (o->has_designations)
        parameter(e, "includeDesignations", "Boolean", yes_no(o->designations));
    if (o->has_language)
        parameter(e, "displayLanguage", "Code", o->language);
    for (size_t i = 0; i < o->n_wanted; i++)
        parameter(e, "designation", "String", o->wanted[i]);
    for (size_t i = 0; i < vs->n_used; i++)
        parameter(e, "used-valueset", "Uri", vs->used[i]);
    for (size_t i = 0; i < vs->n_groups; i++) {
        const struct vs_group *g = &vs->groups[i];
        struct str canonical = arena_fmt(e->s->a, "%.*s%s%.*s", STR_ARG(g->system),
                                         g->version.n ? "|" : "", STR_ARG(g->version));
        parameter(e, "used-codesystem", "Uri", canonical);
        parameter(e, "version", "Uri", canonical);
        if (g->cs)
            status_warning(e, canonical, cs_text(g->cs, cs_info(g->cs)->status),
                           cs_info(g->cs)->experimental);
    }
    for (size_t i = 0; i < e->n_supplements; i++)
        parameter(e, "used-supplement", "Uri",
                  arena_fmt(e->s->a, "%.*s%s%.*s", STR_ARG(cs_url(e->supplements[i])),
                            cs_version(e->supplements[i]).n ? "|" : "",
                            STR_ARG(cs_version(e->supplements[i]))));
    sb_char(e->out, ']');
}

static void write_head(struct expanding *e)
{
    static const struct str left_out[] = {STR("resourceType"), STR("expansion"), STR("text"),
                                          STR("meta")};
    struct sb *out = e->out;
    yyjson_val *key, *value;
    size_t i, n, k;

    sb_lit(out, "{\"resourceType\":\"ValueSet\"");
    yyjson_obj_foreach(e->vs->source, i, n, key, value) {
        struct str name = js_str(key);
        for (k = 0; k < ARRAY_LEN(left_out) && !str_eq(name, left_out[k]); k++)
            ;
        if (k < ARRAY_LEN(left_out) || (str_eq(name, STR("compose")) && !e->opt->definition))
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

static int find_supplements(struct expanding *e)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < e->opt->n_supplements; i++) {
        struct str version, url = canonical_split(e->opt->supplements[i], &version);
        struct cs *cs;
        r = terms_code_system(e->s, url, version, &cs, e->err);
        if (r >= 0 && !cs)
            return err_set(e->err, ERR_NOT_FOUND,
                           "the supplement \"%.*s\" of the value set is not known here",
                           (int)MIN(e->opt->supplements[i].n, 200u), e->opt->supplements[i].p);
        if (r >= 0)
            e->supplements[e->n_supplements++] = cs;
    }
    return r;
}

static int check_whole(const struct expanding *e)
{
    const struct vs *vs = e->vs;

    for (size_t i = 0; i < vs->n_groups; i++)
        if (vs_is_endless(&vs->groups[i]))
            return err_set(e->err, ERR_COSTLY,
                           "the value set has all codes of %.*s, which are made by a grammar and "
                           "have no end",
                           STR_ARG(vs->groups[i].system));
    if (!vs->unknown.p)
        return 0;
    return err_set(e->err, ERR_NOT_FOUND,
                   "A definition for %s '%.*s' could not be found, so the value set cannot be "
                   "expanded",
                   vs->unknown_is_value_set ? "the value set" : "CodeSystem",
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

static int write_contains(struct expanding *e, const size_t *counts)
{
    size_t at = e->out->n, i = 0;
    int r = 0;

    sb_lit(e->out, ",\"contains\":[");
    e->first = true;
    for (const struct vs_run *run = e->vs->first; r >= 0 && run; run = run->next, i++)
        if (is_nested(e) && run->bits && cs_info(e->vs->groups[run->group].cs)->flags)
            r = write_tree(e, run);
        else
            write_run(e, run, counts[i]);
    if (e->first)
        e->out->n = at; /* an empty array is no FHIR */
    else
        sb_char(e->out, ']');
    return r;
}

int terms_expand(struct terms_scope *s, const struct vs *vs, const struct expand_options *opt,
                 struct sb *out, struct err *err)
{
    struct expanding e = {.s = s, .vs = vs, .opt = opt, .out = out, .err = err};
    size_t total = 0, n_runs = 0, *counts;
    int r = check_whole(&e);

    if (r < 0 || (r = find_supplements(&e)) < 0 || (r = match_groups(&e)) < 0)
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
    if (opt->has_offset || opt->has_count)
        sb_fmt(out, ",\"offset\":%" PRIu64, opt->offset);
    write_parameters(&e);
    r = write_contains(&e, counts);
    sb_lit(out, "}}");
    return r < 0 ? r : sb_ok(out, err);
}
