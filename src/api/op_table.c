/* op_table.c - every operation in a row: what there is, and where it may be asked. */
#include "api/op.h"

#include "api/terms.h"

#define S OP_AT_SYSTEM
#define T OP_AT_TYPE
#define I OP_AT_INSTANCE
#define V OP_AT_VERSION

#define HL7(definition) "http://hl7.org/fhir/OperationDefinition/" definition
#define OF_SDC(definition) "http://hl7.org/fhir/uv/sdc/OperationDefinition/" definition
#define OWN(definition) "urn:carnet:operation:" definition

/* How a reading operation is asked: by POST alone, by GET too, and (quick) answered at once. */
enum how { POST, GET, QUICK };

#define READ(called, where, of, defined, how, function, takes)                                     \
    {                                                                                              \
        .name = STR(called), .at = (where), .types = (of), .url = defined, .get = (how) >= GET,    \
        .quick = (how) == QUICK, .run = (function), .media = (takes)                               \
    }
/* Of one that answers in text for people or programs of others. */
#define TEXT(called, where, of, type, function)                                                    \
    {                                                                                              \
        .name = STR(called), .at = (where), .types = (of), .url = OWN(called), .get = true,        \
        .run = (function), .answers = (type)                                                       \
    }
/* Of a node's own, below /carnet. */
#define NODE(called, function)                                                                     \
    {                                                                                              \
        .name = STR(called), .at = S, .url = OWN(called), .get = true, .is_own = true,             \
        .run = (function)                                                                          \
    }
#define CHANGE(called, where, of, defined, function, answer)                                       \
    {                                                                                              \
        .name = STR(called), .at = (where), .types = (of), .url = defined, .change = (function),   \
        .reply = (answer)                                                                          \
    }

/* clang-format off */
static const struct op table[] = {
    READ("accesses", I, "Patient", OWN("accesses"), GET, op_accesses, NULL),
    NODE("backtest", op_backtest),
    READ("batch-validate-code", T, "CodeSystem ValueSet", OWN("batch-validate-code"), POST,
         op_batch_validate, NULL),
    READ("break-glass", I, "Patient", OWN("break-glass"), POST, op_break_glass, NULL),
    READ("by-law", I, "Patient", OWN("by-law"), GET, op_by_law, NULL),
    READ("check-in", I, "Patient", OWN("check-in"), POST, op_check_in, NULL),
    READ("closure", S, NULL, HL7("ConceptMap-closure"), POST, op_closure, NULL),
    {.name = STR("conformance"), .at = S, .url = OWN("conformance"), .get = true,
     .programmes = true, .run = op_conformance},
    TEXT("consistency", T, "AuditEvent", "text/plain", op_consistency),
    READ("convert", S, NULL, HL7("Resource-convert"), POST, op_convert, NULL),
    READ("corrections", I, "Patient", OWN("corrections"), GET, op_corrections, NULL),
    NODE("coverage", op_coverage),
    READ("decide-correction", I, "Patient", OWN("decide-correction"), POST, op_decide_correction,
         NULL),
    NODE("detect", op_detect),
    READ("diff", S | T | I, NULL, OWN("diff"), GET, op_diff, NULL),
    READ("document", T | I, "Composition", HL7("Composition-document"), GET, op_document, NULL),
    READ("evaluate-measure", T | I, "Measure", HL7("Measure-evaluate-measure"), GET,
         op_evaluate_measure, NULL),
    READ("everything", I, "Encounter", HL7("Encounter-everything"), GET, op_everything, NULL),
    READ("everything", I, "Group", HL7("Group-everything"), GET, op_everything, NULL),
    READ("everything", T | I, "Patient", HL7("Patient-everything"), GET, op_everything, NULL),
    READ("expand", T | I, "ValueSet", HL7("ValueSet-expand"), QUICK, op_expand, NULL),
    READ("explain-access", I, NULL, OWN("explain-access"), GET, op_explain, NULL),
    READ("extract", T | I, "QuestionnaireResponse", OF_SDC("QuestionnaireResponse-extract"), POST,
         op_extract, NULL),
    READ("find-matches", T | I, "CodeSystem", HL7("CodeSystem-find-matches"), GET,
         op_find_matches, NULL),
    READ("graphql", S | I, NULL, HL7("Resource-graphql"), GET, op_graphql, "application/graphql"),
    READ("lastn", T, "Observation", HL7("Observation-lastn"), GET, op_lastn, NULL),
    NODE("linelist", op_linelist),
    READ("lookup", T, "CodeSystem", HL7("CodeSystem-lookup"), QUICK, op_lookup, NULL),
    READ("match", T, "Patient", HL7("Patient-match"), POST, op_match, NULL),
    READ("meta", S | T | I | V, NULL, HL7("Resource-meta"), QUICK, op_meta, NULL),
    CHANGE("meta-add", I, NULL, HL7("Resource-meta-add"), op_meta_add, op_meta_reply),
    CHANGE("meta-delete", I, NULL, HL7("Resource-meta-delete"), op_meta_delete, op_meta_reply),
    READ("notices", I, "Patient", OWN("notices"), GET, op_notices, NULL),
    READ("populate", T | I, "Questionnaire", OF_SDC("Questionnaire-populate"), GET, op_populate,
         NULL),
    READ("preferred-id", T, "NamingSystem", HL7("NamingSystem-preferred-id"), GET,
         op_preferred_id, NULL),
    READ("presence-code", I, "Patient", OWN("presence-code"), POST, op_presence_code, NULL),
    TEXT("proof", I, "AuditEvent", "text/plain", op_proof),
    TEXT("record", I, "Patient", "text/html", op_record),
    READ("request-correction", I, "Patient", OWN("request-correction"), POST,
         op_request_correction, NULL),
    NODE("series", op_series),
    {.name = STR("outbreak"), .at = S, .url = OWN("outbreak"), .is_own = true, .run = op_outbreak},
    NODE("outbreaks", op_outbreaks),
    NODE("signal", op_signal),
    {.name = STR("signal-step"), .at = S, .url = OWN("signal-step"), .is_own = true,
     .run = op_signal_step},
    NODE("signals", op_signals),
    READ("snapshot", T | I, "StructureDefinition", HL7("StructureDefinition-snapshot"), GET,
         op_snapshot, NULL),
    READ("stats", T, "Observation", HL7("Observation-stats"), GET, op_stats, NULL),
    READ("subsumes", T | I, "CodeSystem", HL7("CodeSystem-subsumes"), QUICK, op_subsumes, NULL),
    READ("translate", T | I, "ConceptMap", HL7("ConceptMap-translate"), QUICK, op_translate, NULL),
    NODE("use", op_use),
    READ("validate", T | I, NULL, HL7("Resource-validate"), GET, op_validate, NULL),
    READ("validate-code", T | I, "CodeSystem", HL7("CodeSystem-validate-code"), QUICK,
         op_validate_code, NULL),
    READ("validate-code", T | I, "ValueSet", HL7("ValueSet-validate-code"), QUICK,
         op_validate_code, NULL),
};
/* clang-format on */

const struct op *op_table(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(table);
    return table;
}

bool op_is_for(const struct op *op, int type)
{
    struct str names = str_c(op->types), name;

    if (!op->types)
        return true;
    while (str_split(&names, ' ', &name))
        if (str_eq(name, def_resource_name(type)))
            return true;
    return false;
}

const struct op *op_find(struct str name, bool is_own, enum api_scope scope, int type)
{
    unsigned at = scope == SCOPE_SYSTEM     ? OP_AT_SYSTEM
                  : scope == SCOPE_TYPE     ? OP_AT_TYPE
                  : scope == SCOPE_INSTANCE ? OP_AT_INSTANCE
                  : scope == SCOPE_VERSION  ? OP_AT_VERSION
                                            : 0;

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].is_own == is_own && str_eq(table[i].name, name) && table[i].at & at &&
            (at == OP_AT_SYSTEM || op_is_for(&table[i], type)))
            return &table[i];
    return NULL;
}
