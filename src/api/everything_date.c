#include "api/everything_int.h"

/* The search parameter of each type that says when care was given; types without one (a Patient, a
 * Coverage) belong to every period. */
static const struct {
    const char *type, *code;
} care[] = {
    {"AllergyIntolerance", "date"},
    {"Appointment", "date"},
    {"AuditEvent", "date"},
    {"CarePlan", "date"},
    {"CareTeam", "date"},
    {"ChargeItem", "occurrence"},
    {"Claim", "created"},
    {"ClaimResponse", "created"},
    {"ClinicalImpression", "date"},
    {"Communication", "sent"},
    {"CommunicationRequest", "occurrence"},
    {"Composition", "date"},
    {"Condition", "onset-date"},
    {"Consent", "date"},
    {"CoverageEligibilityRequest", "created"},
    {"CoverageEligibilityResponse", "created"},
    {"DetectedIssue", "identified"},
    {"DeviceRequest", "event-date"},
    {"DiagnosticReport", "date"},
    {"DocumentManifest", "created"},
    {"DocumentReference", "date"},
    {"Encounter", "date"},
    {"EpisodeOfCare", "date"},
    {"ExplanationOfBenefit", "created"},
    {"FamilyMemberHistory", "date"},
    {"Flag", "date"},
    {"Goal", "start-date"},
    {"ImagingStudy", "started"},
    {"Immunization", "date"},
    {"ImmunizationEvaluation", "date"},
    {"ImmunizationRecommendation", "date"},
    {"Invoice", "date"},
    {"List", "date"},
    {"MeasureReport", "date"},
    {"Media", "created"},
    {"MedicationAdministration", "effective-time"},
    {"MedicationDispense", "whenhandedover"},
    {"MedicationRequest", "authoredon"},
    {"MedicationStatement", "effective"},
    {"NutritionOrder", "datetime"},
    {"Observation", "date"},
    {"Procedure", "date"},
    {"Provenance", "recorded"},
    {"QuestionnaireResponse", "authored"},
    {"RequestGroup", "authored"},
    {"RiskAssessment", "date"},
    {"ServiceRequest", "authored"},
    {"Specimen", "collected"},
    {"SupplyRequest", "date"},
    {"VisionPrescription", "datewritten"},
};

struct care_rule {
    bool is_ready, has_date;
    struct search inside, missing;
};

int care_dates_init(struct call *c, struct care_dates *dates, struct str start, struct str end)
{
    *dates = (struct care_dates){.start = start, .end = end};
    if (!start.n && !end.n)
        return 0;
    dates->rules = ARENA_ARRAY(c->a, struct care_rule, DEF_RESOURCE_MAX + 1);
    return dates->rules ? 0 : err_no_memory(&c->err);
}

static int parse(struct call *c, int type, const struct sb *query, struct search *ret)
{
    struct search_options opt = {.index = *store_index_options(c->api->store), .strict = true};
    struct str text = arena_dup(c->a, sb_view(query));

    if (!text.p || query->failed)
        return err_no_memory(&c->err);
    return search_parse(c->a, c->params, &opt, type, text, ret, &c->err);
}

static int make_rule(struct call *c, const struct care_dates *dates, int type,
                     struct care_rule *rule)
{
    _cleanup_(sb_done) struct sb inside = sb_make(KIB(4)), missing = sb_make(KIB(1));
    const char *code = NULL;
    int r;

    for (size_t i = 0; i < ARRAY_LEN(care); i++)
        if (str_eq(def_resource_name(type), str_c(care[i].type)))
            code = care[i].code;
    rule->is_ready = true;
    if (!code)
        return 0;
    if (dates->start.n) {
        sb_fmt(&inside, "%s=ge", code);
        sb_uri(&inside, dates->start);
    }
    if (dates->end.n) {
        sb_fmt(&inside, "%s%s=le", inside.n ? "&" : "", code);
        sb_uri(&inside, dates->end);
    }
    sb_fmt(&missing, "%s:missing=true", code);
    if ((r = parse(c, type, &inside, &rule->inside)) < 0 ||
        (r = parse(c, type, &missing, &rule->missing)) < 0)
        return r;
    rule->has_date = true;
    return 0;
}

static int match_all(struct call *c, const struct search *s, struct arena *a, yyjson_val *root,
                     bool *ret)
{
    bool all = true;
    int r = 0;

    for (size_t i = 0; i < s->n_clauses && all && r >= 0; i++)
        r = search_match(a, s, &s->clauses[i], root, &all, &c->err);
    if (r >= 0)
        *ret = all;
    return r;
}

int care_dates_match(struct call *c, struct care_dates *dates, struct arena *a, int type,
                     yyjson_val *root, bool *ret)
{
    struct care_rule *rule = dates->rules ? &dates->rules[type] : NULL;
    int r = 0;

    *ret = true;
    if (!rule)
        return 0;
    if (!rule->is_ready && (r = make_rule(c, dates, type, rule)) < 0)
        return r;
    if (!rule->has_date || (r = match_all(c, &rule->missing, a, root, ret)) < 0 || *ret)
        return r;
    return match_all(c, &rule->inside, a, root, ret);
}
