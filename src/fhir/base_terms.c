#include "fhir/base_int.h"

#define HIERARCHY_MAX 32 /* deepest concept in the definitions: far less */

enum {
    CS_ID,
    CS_URL,
    CS_VERSION,
    CS_NAME,
    CS_TITLE,
    CS_STATUS,
    CS_EXPERIMENTAL,
    CS_CASE,
    CS_CONTENT,
    CS_HIERARCHY,
    CS_VALUESET,
    CS_SUPPLEMENTS
};

enum { VS_ID, VS_URL, VS_VERSION, VS_NAME, VS_TITLE, VS_STATUS, VS_EXPERIMENTAL, VS_IMMUTABLE };

/* Rows behind a line "=" with the id they belong to; `t` stands on such a line, or is at its end.
 */
static bool is_block_of(const struct base_table *t, bool has_row, struct str id)
{
    return has_row && str_eq(t->cells[0], STR("=")) && str_eq(t->cells[1], id);
}

static void concept(struct sb *b, struct str code, struct str display)
{
    sb_lit(b, "{\"code\":");
    sb_json(b, code);
    base_text_member(b, "display", display);
}

/* A property that the system defines ("d"), or one that the code above has ("p"). */
static void property(struct sb *b, const struct base_table *t, bool first)
{
    sb_str(b, first ? STR(",\"property\":[{\"code\":") : STR(",{\"code\":"));
    sb_json(b, t->cells[1]);
    if (str_eq(t->cells[0], STR("d"))) {
        base_text_member(b, "uri", t->cells[2]);
        base_text_member(b, "type", t->cells[3]);
    } else {
        sb_fmt(b, ",\"value%.*s\":", STR_ARG(t->cells[3]));
        if (str_eq(t->cells[3], STR("Boolean")))
            sb_str(b, t->cells[2]);
        else
            sb_json(b, t->cells[2]);
    }
    sb_char(b, '}');
}

/* All rows of a kind on which `t` stands after them. Returns whether it does. */
static bool properties(struct sb *b, struct base_table *t, struct str kind)
{
    bool has_row, first = true;

    while ((has_row = base_row(t)) && str_eq(t->cells[0], kind)) {
        property(b, t, first);
        first = false;
    }
    if (!first)
        sb_char(b, ']');
    return has_row;
}

/* The properties that one system defines, and its codes, nested by their depth. Returns whether `t`
 * stands on a further row. */
static bool concepts(struct sb *b, struct base_table *t)
{
    int depth = -1; /* concepts that are open, less one */
    bool has_row = properties(b, t, STR("d"));

    while (has_row && !str_eq(t->cells[0], STR("="))) {
        uint64_t to = 0;
        str_to_u64(t->cells[0], HIERARCHY_MAX, &to);
        if ((int)to > depth) {
            sb_lit(b, ",\"concept\":[");
        } else {
            for (; depth > (int)to; depth--)
                sb_lit(b, "}]");
            sb_lit(b, "},");
        }
        depth = (int)to;
        concept(b, t->cells[1], t->cells[2]);
        has_row = properties(b, t, STR("p"));
    }
    for (; depth >= 0; depth--)
        sb_lit(b, "}]");
    return has_row;
}

static void code_systems(struct base_out *out)
{
    struct base_table t = base_table(base_text_codesystems), codes = base_table(base_text_codes);
    bool has_codes = base_row(&codes);
    struct sb *b = &out->sb;

    while (base_row(&t)) {
        base_open(out, "CodeSystem", t.cells[CS_ID]);
        base_head(b, t.cells[CS_URL], t.cells[CS_VERSION], t.cells[CS_NAME], t.cells[CS_TITLE],
                  t.cells[CS_STATUS], t.cells[CS_EXPERIMENTAL]);
        base_bool_member(b, "caseSensitive", t.cells[CS_CASE]);
        base_text_member(b, "valueSet", t.cells[CS_VALUESET]);
        base_text_member(b, "hierarchyMeaning", t.cells[CS_HIERARCHY]);
        base_text_member(b, "content", t.cells[CS_CONTENT]);
        base_text_member(b, "supplements", t.cells[CS_SUPPLEMENTS]);
        if (is_block_of(&codes, has_codes, t.cells[CS_ID]))
            has_codes = concepts(b, &codes);
        if (!base_close(out))
            return;
    }
}

/* The array that rows of a kind stand in, within one include or exclude. */
static const char *array_of(char kind)
{
    return kind == 'c' ? "concept" : kind == 'f' ? "filter" : "valueSet";
}

static void part_row(struct sb *b, const struct base_table *t)
{
    switch (t->cells[0].p[0]) {
    case 'c':
        concept
        (b, t->cells[1], t->cells[2]);
        sb_char(b, '}');
        break;
    case 'f':
        sb_lit(b, "{\"property\":");
        sb_json(b, t->cells[1]);
        base_text_member(b, "op", t->cells[2]);
        base_text_member(b, "value", t->cells[3]);
        sb_char(b, '}');
        break;
    default: sb_json(b, t->cells[1]);
    }
}

/* The rows of one include or exclude, behind its own. Returns whether `t` stands on a further row.
 */
static bool part(struct sb *b, struct base_table *t)
{
    char kind = 0;
    bool has_row;

    sb_char(b, '{');
    base_text_member(b, "system", t->cells[1]);
    base_text_member(b, "version", t->cells[2]);
    while ((has_row = base_row(t)) && str_find(STR("cfv"), t->cells[0].p[0]) >= 0) {
        char next = t->cells[0].p[0];
        if (kind && next != kind)
            sb_char(b, ']');
        if (next != kind) {
            base_name(b, array_of(next));
            sb_char(b, '[');
        } else {
            sb_char(b, ',');
        }
        kind = next;
        part_row(b, t);
    }
    sb_str(b, kind ? STR("]}") : STR("}"));
    return has_row;
}

/* The composition of one value set; `t` stands on its line "=". */
static bool compose(struct sb *b, struct base_table *t)
{
    bool has_row = base_row(t);
    char sign = 0;

    sb_lit(b, ",\"compose\":{");
    while (has_row && str_find(STR("+-"), t->cells[0].p[0]) >= 0) {
        char next = t->cells[0].p[0];
        if (next == sign)
            sb_char(b, ',');
        else
            sb_fmt(b, "%s\"%s\":[", sign ? "]," : "", next == '+' ? "include" : "exclude");
        sign = next;
        has_row = part(b, t);
    }
    sb_str(b, sign ? STR("]}") : STR("}"));
    return has_row;
}

static void value_sets(struct base_out *out)
{
    struct base_table t = base_table(base_text_valuesets), parts = base_table(base_text_compose);
    bool has_parts = base_row(&parts);
    struct sb *b = &out->sb;

    while (base_row(&t)) {
        base_open(out, "ValueSet", t.cells[VS_ID]);
        base_head(b, t.cells[VS_URL], t.cells[VS_VERSION], t.cells[VS_NAME], t.cells[VS_TITLE],
                  t.cells[VS_STATUS], t.cells[VS_EXPERIMENTAL]);
        base_bool_member(b, "immutable", t.cells[VS_IMMUTABLE]);
        if (is_block_of(&parts, has_parts, t.cells[VS_ID]))
            has_parts = compose(b, &parts);
        if (!base_close(out))
            return;
    }
}

void base_terms(struct base_out *out)
{
    if (out->result >= 0)
        code_systems(out);
    if (out->result >= 0)
        value_sets(out);
}
