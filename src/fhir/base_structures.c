#include "fhir/base_int.h"

#include "base/fault.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAIN_MAX 8        /* bases of a type: canonical, uri, Element */
#define PATH_MAX_BYTES 256 /* longest element path in the definitions: far less */
#define SYSTEM_TYPE_URL "http://hl7.org/fhirpath/System."

enum { T_NUMBER, T_NAME, T_KIND, T_ABSTRACT, T_BASE, T_REGEX };
enum { E_PATH, E_MIN, E_MAX, E_FLAGS, E_TYPES, E_BINDING, E_VALUESET, E_REFERENCE, E_CONSTRAINTS };
enum { C_TYPE, C_KEY, C_SEVERITY, C_EXPRESSION };

/* A type with its rows. */
struct shape {
    struct str name, kind, abstract, base, regex;
    struct str rows;        /* of elements.tsv */
    struct str constraints; /* of constraints.tsv */
};

struct shapes {
    struct shape *of;
    size_t n;
};

/* A type and its bases, itself first. */
struct chain {
    const struct shape *of[CHAIN_MAX];
    size_t n;
};

static struct str type_of(struct str path)
{
    ptrdiff_t dot = str_find(path, '.');

    return dot < 0 ? path : str_head(path, (size_t)dot);
}

static struct shape *find_shape(const struct shapes *all, struct str name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->of[i].name, name))
            return &all->of[i];
    return NULL;
}

/* Gives each type its rows of a table; those of one type lie together. */
static void share_out(struct shapes *all, struct str table, bool is_constraints)
{
    struct base_table t = base_table(table);
    const char *start = table.p;
    struct shape *s = NULL;

    while (base_row(&t)) {
        struct str name = type_of(t.cells[0]), *to;
        if (!s || !str_eq(s->name, name))
            s = find_shape(all, name);
        assert(s);
        to = is_constraints ? &s->constraints : &s->rows;
        if (!to->n)
            to->p = start;
        to->n = (size_t)(t.rest.p - to->p);
        start = t.rest.p;
    }
}

static bool read_shapes(struct shapes *all)
{
    struct base_table t = base_table(base_text_types);
    size_t n = 0;

    while (base_row(&t))
        n++;
    all->of = fault_point("malloc") ? NULL : calloc(n, sizeof *all->of);
    if (!all->of)
        return false;
    for (t = base_table(base_text_types); base_row(&t); all->n++)
        all->of[all->n] = (struct shape){
            .name = t.cells[T_NAME],
            .kind = t.cells[T_KIND],
            .abstract = t.cells[T_ABSTRACT],
            .base = t.cells[T_BASE],
            .regex = t.cells[T_REGEX],
        };
    share_out(all, base_text_elements, false);
    share_out(all, base_text_constraints, true);
    return true;
}

/* ---- one element ---- */

static void constraint_rows(struct sb *b, const struct shape *of, struct str keys, bool *has_any)
{
    struct base_table t = base_table(of->constraints);

    while (base_row(&t)) {
        struct str rest = keys, key;
        bool is_ours = false;
        while (keys.n && str_split(&rest, ',', &key))
            is_ours |= str_eq(key, t.cells[C_KEY]);
        if (!is_ours)
            continue;
        if (!*has_any) {
            base_name(b, "constraint");
            sb_char(b, '[');
        }
        sb_str(b, *has_any ? STR(",{") : STR("{"));
        base_text_member(b, "key", t.cells[C_KEY]);
        base_text_member(b, "severity", t.cells[C_SEVERITY]);
        base_text_member(b, "human", t.cells[C_KEY]);
        base_text_member(b, "expression", t.cells[C_EXPRESSION]);
        sb_char(b, '}');
        *has_any = true;
    }
}

/* The name of FHIRPath's System type for a primitive. */
static const char *system_type(struct str type)
{
    static const struct {
        const char *fhir, *system;
    } names[] = {
        {"boolean", "Boolean"},     {"date", "Date"},        {"dateTime", "DateTime"},
        {"decimal", "Decimal"},     {"instant", "DateTime"}, {"integer", "Integer"},
        {"positiveInt", "Integer"}, {"time", "Time"},        {"unsignedInt", "Integer"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(type, str_c(names[i].fhir)))
            return names[i].system;
    return "String";
}

static void system_typed(struct sb *b, struct str type, struct str regex)
{
    sb_fmt(b,
           "{\"extension\":[{\"url\":\"" BASE_STRUCTURE_URL
           "structuredefinition-fhir-type\",\"valueUrl\":\"%.*s\"}",
           STR_ARG(type));
    if (regex.n) {
        sb_lit(b, ",{\"url\":\"" BASE_STRUCTURE_URL "regex\"");
        base_text_member(b, "valueString", regex);
        sb_char(b, '}');
    }
    sb_fmt(b, "],\"code\":\"" SYSTEM_TYPE_URL "%s\"}", system_type(type));
}

/* "Quantity<SimpleQuantity>" or "Reference(Patient|Group)". */
static void one_type(struct sb *b, struct str text)
{
    ptrdiff_t profile = str_find(text, '<'), target = str_find(text, '(');
    ptrdiff_t end = profile >= 0 ? profile : target;

    sb_char(b, '{');
    base_text_member(b, "code", end < 0 ? text : str_head(text, (size_t)end));
    if (profile >= 0) {
        struct str list = str_from(text, (size_t)profile + 1);
        base_list_member(b, "profile", str_head(list, (size_t)str_find(list, '>')), '|',
                         BASE_STRUCTURE_URL);
    }
    if (target >= 0) {
        struct str list = str_from(text, (size_t)target + 1);
        base_list_member(b, "targetProfile", str_head(list, list.n - 1), '|', BASE_STRUCTURE_URL);
    }
    sb_char(b, '}');
}

static void types(struct sb *b, const struct base_table *row, struct str regex)
{
    struct str list = row->cells[E_TYPES], one;
    bool is_first = true;

    if (!list.n)
        return;
    base_name(b, "type");
    sb_char(b, '[');
    while (str_split(&list, ',', &one)) {
        if (!is_first)
            sb_char(b, ',');
        if (str_find(row->cells[E_FLAGS], 'P') >= 0)
            system_typed(b, one, regex);
        else
            one_type(b, one);
        is_first = false;
    }
    sb_char(b, ']');
}

static void binding(struct sb *b, const struct base_table *row)
{
    if (!row->cells[E_BINDING].n)
        return;
    base_name(b, "binding");
    sb_char(b, '{');
    base_text_member(b, "strength", row->cells[E_BINDING]);
    base_text_member(b, "valueSet", row->cells[E_VALUESET]);
    sb_char(b, '}');
}

static void cardinality(struct sb *b, const struct base_table *row)
{
    base_name(b, "min");
    sb_str(b, row->cells[E_MIN]);
    base_text_member(b, "max", row->cells[E_MAX]);
}

/* Constraints of the root: those of all bases hold too. */
static void root_constraints(struct sb *b, const struct chain *chain, bool *has_any)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct base_table root = base_table(chain->of[i]->rows);
        if (base_row(&root))
            constraint_rows(b, chain->of[i], root.cells[E_CONSTRAINTS], has_any);
    }
}

static void flags(struct sb *b, struct str text)
{
    if (str_find(text, 'M') >= 0)
        sb_lit(b, ",\"isModifier\":true,\"isModifierReason\":\"It changes what the rest means\"");
    if (str_find(text, 'S') >= 0)
        sb_lit(b, ",\"isSummary\":true");
}

/* One row, which `of` has, as the element at prefix + tail of a snapshot. `first` is the row that
 * it differs from, or itself. `chain`: of the snapshot's type, for its root. */
static void element(struct sb *b, const struct base_table *row, const struct base_table *first,
                    struct str prefix, struct str tail, const struct shape *of,
                    const struct chain *chain)
{
    static const char *const names[] = {"id", "path", "definition"};
    bool has_constraint = false;

    if (b->n && b->p[b->n - 1] != '[')
        sb_char(b, ',');
    sb_char(b, '{');
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        base_name(b, names[i]);
        sb_fmt(b, "\"%.*s%.*s\"", STR_ARG(prefix), STR_ARG(tail));
    }
    cardinality(b, row);
    sb_lit(b, ",\"base\":{");
    base_text_member(b, "path", first->cells[E_PATH]);
    cardinality(b, first);
    sb_char(b, '}');
    if (row->cells[E_REFERENCE].n)
        sb_fmt(b, ",\"contentReference\":\"#%.*s\"", STR_ARG(row->cells[E_REFERENCE]));
    types(b, row, str_eq(tail, STR(".value")) ? of->regex : STR(""));
    if (tail.n)
        constraint_rows(b, of, row->cells[E_CONSTRAINTS], &has_constraint);
    else
        root_constraints(b, chain, &has_constraint);
    if (has_constraint)
        sb_char(b, ']');
    flags(b, row->cells[E_FLAGS]);
    binding(b, row);
    sb_char(b, '}');
}

/* ---- one snapshot ---- */

static struct str tail_of(const struct base_table *row, const struct shape *of)
{
    return str_from(row->cells[E_PATH], of->name.n);
}

static bool find_row(const struct shape *of, struct str tail, struct base_table *ret)
{
    *ret = base_table(of->rows);
    while (base_row(ret))
        if (str_eq(tail_of(ret, of), tail))
            return true;
    return false;
}

/* id, extension and modifierExtension of a backbone element at prefix + tail. */
static void backbone(struct sb *b, const struct shapes *all, struct str prefix, struct str tail,
                     struct str type)
{
    static const char *const names[] = {"Element", "BackboneElement"};
    size_t n = str_eq(type, STR("BackboneElement")) ? 2 : 1;
    char path[PATH_MAX_BYTES];
    int path_n = snprintf(path, sizeof path, "%.*s%.*s", STR_ARG(prefix), STR_ARG(tail));

    assert(path_n > 0 && (size_t)path_n < sizeof path);
    for (size_t i = 0; i < n; i++) {
        const struct shape *of = find_shape(all, str_c(names[i]));
        struct base_table row = base_table(of->rows);
        while (base_row(&row))
            if (tail_of(&row, of).n)
                element(b, &row, &row, str_n(path, (size_t)path_n), tail_of(&row, of), of, NULL);
    }
}

static bool has_children(const struct base_table *row)
{
    struct base_table next = *row;
    struct str path = row->cells[E_PATH];

    return base_row(&next) && str_starts(next.cells[E_PATH], path) &&
           next.cells[E_PATH].n > path.n && next.cells[E_PATH].p[path.n] == '.';
}

/* The rows that chain->of[k] adds, each as the type nearest to the snapshot's own has it. */
static void snapshot_part(struct sb *b, const struct shapes *all, const struct chain *chain,
                          size_t k)
{
    struct base_table row = base_table(chain->of[k]->rows);

    while (base_row(&row)) {
        struct str tail = tail_of(&row, chain->of[k]);
        struct base_table nearest = row, other;
        const struct shape *of = chain->of[k];
        bool is_inherited = false;
        for (size_t i = k + 1; i < chain->n; i++)
            is_inherited |= find_row(chain->of[i], tail, &other);
        if (is_inherited)
            continue;
        for (size_t i = k; i-- > 0;)
            if (find_row(chain->of[i], tail, &other)) {
                nearest = other;
                of = chain->of[i];
            }
        element(b, &nearest, tail.n ? &row : &nearest, chain->of[0]->name, tail, of, chain);
        if (tail.n && has_children(&row))
            backbone(b, all, chain->of[0]->name, tail, row.cells[E_TYPES]);
    }
}

static void head(struct base_out *out, const struct shape *s)
{
    struct sb *b = &out->sb;
    bool is_resource = str_eq(s->kind, STR("resource"));

    base_open(out, "StructureDefinition", s->name);
    sb_fmt(b, ",\"url\":\"" BASE_STRUCTURE_URL "%.*s\"", STR_ARG(s->name));
    base_head(b, STR(""), STR(BASE_VERSION), s->name, STR(""), STR("active"), STR(""));
    sb_fmt(b, ",\"fhirVersion\":\"" BASE_VERSION "\",\"kind\":\"%.*s%s\"", STR_ARG(s->kind),
           is_resource ? "" : "-type");
    base_bool_member(b, "abstract", s->abstract);
    base_text_member(b, "type", s->name);
    if (s->base.n)
        sb_fmt(b,
               ",\"baseDefinition\":\"" BASE_STRUCTURE_URL "%.*s\",\"derivation\":"
               "\"specialization\"",
               STR_ARG(s->base));
}

static void structure(struct base_out *out, const struct shapes *all, const struct shape *s)
{
    struct chain chain = {{s}, 1};
    const struct shape *at = s;

    while ((at = find_shape(all, at->base)) && chain.n < CHAIN_MAX)
        chain.of[chain.n++] = at;
    head(out, s);
    sb_lit(&out->sb, ",\"snapshot\":{\"element\":[");
    for (size_t k = chain.n; k-- > 0;)
        snapshot_part(&out->sb, all, &chain, k);
    sb_lit(&out->sb, "]}");
}

void base_structures(struct base_out *out, struct str type)
{
    struct shapes all = {NULL, 0};

    if (!read_shapes(&all)) {
        out->result = err_no_memory(out->err);
        return;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (type.p && !str_eq(all.of[i].name, type))
            continue;
        structure(out, &all, &all.of[i]);
        if (!base_close(out))
            break;
    }
    free(all.of);
}
