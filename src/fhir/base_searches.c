#include "fhir/base_int.h"

enum {
    SP_ID,
    SP_URL,
    SP_NAME,
    SP_STATUS,
    SP_CODE,
    SP_BASE,
    SP_TYPE,
    SP_TARGET,
    SP_COMPARATOR,
    SP_MULTIPLE_OR,
    SP_XPATH_USAGE,
    SP_EXPRESSION
};

enum { COMPONENT_OF, COMPONENT_INDEX, COMPONENT_CODE, COMPONENT_DEFINITION, COMPONENT_EXPRESSION };

enum { COMPARTMENT_ID, COMPARTMENT_CODE, COMPARTMENT_TYPE, COMPARTMENT_PARAMS };

static void components(struct sb *b, struct str id)
{
    struct base_table t = base_table(base_text_components);
    bool has_any = false;

    while (base_row(&t)) {
        if (!str_eq(t.cells[COMPONENT_OF], id))
            continue;
        sb_fmt(b, "%s{\"definition\":", has_any ? "," : ",\"component\":[");
        sb_json(b, t.cells[COMPONENT_DEFINITION]);
        base_text_member(b, "expression", t.cells[COMPONENT_EXPRESSION]);
        sb_char(b, '}');
        has_any = true;
    }
    if (has_any)
        sb_char(b, ']');
}

static void search_parameters(struct base_out *out)
{
    struct base_table t = base_table(base_text_searchparams);
    struct sb *b = &out->sb;

    while (base_row(&t)) {
        base_open(out, "SearchParameter", t.cells[SP_ID]);
        base_head(b, t.cells[SP_URL], STR(BASE_VERSION), t.cells[SP_NAME], STR(""),
                  t.cells[SP_STATUS], STR(""));
        sb_lit(b, ",\"description\":\"Search by ");
        sb_str(b, t.cells[SP_CODE]);
        sb_char(b, '"');
        base_text_member(b, "code", t.cells[SP_CODE]);
        base_list_member(b, "base", t.cells[SP_BASE], ',', "");
        base_text_member(b, "type", t.cells[SP_TYPE]);
        base_text_member(b, "expression", t.cells[SP_EXPRESSION]);
        base_text_member(b, "xpathUsage", t.cells[SP_XPATH_USAGE]);
        base_list_member(b, "target", t.cells[SP_TARGET], ',', "");
        base_bool_member(b, "multipleOr", t.cells[SP_MULTIPLE_OR]);
        base_list_member(b, "comparator", t.cells[SP_COMPARATOR], ',', "");
        if (str_eq(t.cells[SP_TYPE], STR("composite")))
            components(b, t.cells[SP_ID]);
        if (!base_close(out))
            return;
    }
}

static void open_compartment(struct base_out *out, const struct base_table *t)
{
    struct sb *b = &out->sb;

    base_open(out, "CompartmentDefinition", t->cells[COMPARTMENT_ID]);
    sb_lit(b, ",\"url\":\"http://hl7.org/fhir/CompartmentDefinition/");
    sb_str(b, t->cells[COMPARTMENT_ID]);
    sb_lit(b, "\",\"version\":\"" BASE_VERSION "\",\"name\":\"Base");
    sb_str(b, t->cells[COMPARTMENT_CODE]);
    sb_lit(b, "Compartment\",\"status\":\"draft\",\"search\":true");
    base_text_member(b, "code", t->cells[COMPARTMENT_CODE]);
}

static void compartments(struct base_out *out)
{
    struct base_table t = base_table(base_text_compartments);
    struct str open = STR("");

    while (base_row(&t)) {
        bool is_new = !str_eq(open, t.cells[COMPARTMENT_ID]);
        if (is_new && open.n) {
            sb_char(&out->sb, ']');
            if (!base_close(out))
                return;
        }
        if (is_new)
            open_compartment(out, &t);
        open = t.cells[COMPARTMENT_ID];
        sb_str(&out->sb, is_new ? STR(",\"resource\":[{\"code\":") : STR(",{\"code\":"));
        sb_json(&out->sb, t.cells[COMPARTMENT_TYPE]);
        base_list_member(&out->sb, "param", t.cells[COMPARTMENT_PARAMS], ',', "");
        sb_char(&out->sb, '}');
    }
    sb_char(&out->sb, ']');
    base_close(out);
}

void base_searches(struct base_out *out)
{
    if (out->result >= 0)
        search_parameters(out);
    if (out->result >= 0)
        compartments(out);
}
