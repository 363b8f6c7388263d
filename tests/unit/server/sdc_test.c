/* $populate and $extract when memory is short and a read fails: an answer, or an error; never half
 * of one, and nothing leaks; and their bounds. The scenarios say what answers hold.
 */
#include "node.h"

#include "base/fault.h"
#include "fhir/sdc.h"

#define EXT "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
#define CORE "http://hl7.org/fhir/StructureDefinition/"

/* JSON with ' for ". */
static const char *const resources[] = {
    "{'resourceType':'Patient','id':'a','gender':'female','birthDate':'1990-01-01'}",
    "{'resourceType':'Observation','id':'o','status':'final','code':{'coding':[{'system':'urn:c',"
    "'code':'w'}]},'subject':{'reference':'Patient/a'},'effectiveDateTime':'2026-01-01',"
    "'valueQuantity':{'value':3,'code':'kg'}}",
    "{'resourceType':'Questionnaire','id':'f','url':'urn:f','status':'active','extension':["
    "{'url':'" EXT "launchContext','extension':[{'url':'name','valueCoding':{'code':'patient'}},"
    "{'url':'type','valueCode':'Patient'}]},"
    "{'url':'" CORE "variable','valueExpression':{'name':'seen','language':"
    "'application/x-fhir-query','expression':'Observation?subject=Patient/{{%patient.id}}'}}],"
    "'item':[{'linkId':'born','type':'date','extension':[{'url':'" EXT "initialExpression',"
    "'valueExpression':{'language':'text/fhirpath','expression':'%patient.birthDate'}}]},"
    "{'linkId':'n','type':'integer','extension':[{'url':'" EXT "initialExpression',"
    "'valueExpression':{'language':'text/fhirpath','expression':'%seen.entry.count()'}}]},"
    "{'linkId':'w','type':'decimal','code':[{'system':'urn:c','code':'w'}],'extension':["
    "{'url':'" CORE "questionnaire-unit','valueCoding':{'code':'kg'}},"
    "{'url':'" EXT "observationExtract','valueBoolean':true},"
    "{'url':'" EXT "observationLinkPeriod','valueDuration':{'value':100,'code':'a'}}]},"
    "{'linkId':'t','type':'decimal','extension':[{'url':'" EXT "calculatedExpression',"
    "'valueExpression':{'language':'text/fhirpath','expression':"
    "'%resource.item.where(linkId = \\'w\\').answer.value * 2'}}]},"
    "{'linkId':'g','type':'group','definition':'" CORE "Immunization#Immunization.protocolApplied',"
    "'extension':[{'url':'" EXT "definitionExtract','extension':[{'url':'definition',"
    "'valueCanonical':'" CORE "Immunization'}]},{'url':'" EXT "definitionExtractValue',"
    "'extension':[{'url':'definition','valueUri':'" CORE "Immunization#Immunization.status'},"
    "{'url':'fixed-value','valueCode':'completed'}]},{'url':'" EXT "definitionExtractValue',"
    "'extension':[{'url':'definition','valueUri':'" CORE "Immunization#Immunization.patient'},"
    "{'url':'expression','valueExpression':{'language':'text/fhirpath','expression':"
    "'%resource.subject'}}]},{'url':'" EXT "definitionExtractValue','extension':[{'url':"
    "'definition','valueUri':'" CORE "Immunization#Immunization.occurrence[x]'},{'url':"
    "'expression','valueExpression':{'language':'text/fhirpath','expression':'%resource.authored'}"
    "}]}],'item':[{'linkId':'v','type':'choice','definition':'" CORE
    "Immunization#Immunization.vaccineCode'},{'linkId':'d','type':'integer','definition':'" CORE
    "Immunization#Immunization.protocolApplied.doseNumber[x]'}]}]}",
    "{'resourceType':'QuestionnaireResponse','id':'r','questionnaire':'urn:f','status':'completed',"
    "'subject':{'reference':'Patient/a'},'authored':'2026-01-01','item':[{'linkId':'w','answer':"
    "[{'valueDecimal':3}]},{'linkId':'g','item':[{'linkId':'v','answer':[{'valueCoding':{'code':"
    "'x'}}]},{'linkId':'d','answer':[{'valueInteger':1}]}]}]}",
};

static const char *const asked[] = {
    "GET\",\"url\":\"Questionnaire/f/$populate?subject=Patient/a",
    "POST\",\"url\":\"QuestionnaireResponse/r/$extract",
};

static void put(struct node *n, const char *text)
{
    char json[8192];
    size_t i = 0, to = 0;

    for (; text[i] && to + 1 < sizeof json; i++)
        if (text[i] != '\\')
            json[to++] = (char)(text[i] == '\'' && (!i || text[i - 1] != '\\') ? '"' : text[i]);
    json[to] = '\0';
    node_keep(n, json);
}

/* True when there was an answer. */
static bool ask(struct node *n, const char *request)
{
    struct err err = {0};
    size_t failed = 0;
    struct arena a;
    struct str body;
    int r;

    arena_init(&a, MIB(16));
    body = arena_fmt(&a,
                     "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":"
                     "{\"method\":\"%s\"}}]}",
                     request);
    r = body.p ? api_bundle(n->api, &a, trust_system(), body, NULL, NULL, &failed, NULL, &err)
               : ERR_NO_MEMORY;
    assert_true(r >= 0 || r == ERR_NO_MEMORY || r == ERR_NO_STORE || r == ERR_BUSY);
    if (failed && err.code != ERR_NO_MEMORY && err.code != ERR_NO_STORE && err.code != ERR_BUSY)
        fail_msg("%d %s (%s)", err.code, err.text, err.where);
    arena_done(&a);
    return r >= 0 && !failed;
}

static void a_form_may_fail(void **state)
{
    struct node n;

    (void)state;
    node_open(&n);
    for (size_t i = 0; i < ARRAY_LEN(resources); i++)
        put(&n, resources[i]);
    node_settle(&n);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        unsigned made = 0, failed = 0;

        assert_true(ask(&n, asked[i]));
        FAULT_LOOP(false) {
            if (ask(&n, asked[i]))
                made++;
            else
                failed++;
        }
        assert_true(made > 0);
        assert_true(failed > 10);
    }
    node_close(&n);
}

/* ---- bounds ---- */

static void quote(struct sb *text)
{
    for (size_t i = 0; i < text->n; i++)
        if (text->p[i] == '\'')
            text->p[i] = '"';
}

/* What becomes of a form whose text is `head`, `n` times `piece` with commas between, and `tail`.
 */
static int populate(const char *head, const char *piece, size_t n, const char *tail,
                    size_t *ret_issues)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(8)), out = sb_make(MIB(8));
    struct issues issues;
    struct arena a;
    struct sdc sdc = {.a = &a, .issues = &issues};
    struct err err = {0};
    yyjson_val *form;
    int r;

    arena_init(&a, MIB(64));
    issues_init(&issues, &a);
    sb_str(&text, str_c(head));
    for (size_t i = 0; i < n; i++) {
        sb_str(&text, i ? STR(",") : STR(""));
        sb_str(&text, str_c(piece));
    }
    sb_str(&text, str_c(tail));
    quote(&text);
    assert_int_equal(js_parse(&a, sb_view(&text), &form, &err), 0);
    r = sdc_populate(&sdc, form, STR(""), NULL, 0, &out, &err);
    *ret_issues = issues.n;
    arena_done(&a);
    return r;
}

static void a_form_has_bounds(void **state)
{
    static const char variable[] =
        "{'url':'" CORE "variable','valueExpression':{'name':'a','language':'text/fhirpath',"
        "'expression':'1'}}";
    size_t n;

    (void)state;
    assert_int_equal(
        populate("{'item':[", "{'linkId':'a','type':'string'}", SDC_ITEMS_MAX, "]}", &n), 0);
    assert_int_equal(
        populate("{'item':[", "{'linkId':'a','type':'string'}", SDC_ITEMS_MAX + 1, "]}", &n),
        ERR_COSTLY);
    /* One is %questionnaire. */
    assert_int_equal(populate("{'extension':[", variable, SDC_VARIABLES_MAX - 1, "]}", &n), 0);
    assert_int_equal(populate("{'extension':[", variable, SDC_VARIABLES_MAX, "]}", &n), ERR_COSTLY);
    /* Each calculates one more than the other: it ends, and says so. */
    assert_int_equal(populate("{'item':[",
                              "{'linkId':'a','type':'integer','extension':[{'url':'" EXT
                              "calculatedExpression','valueExpression':{'language':"
                              "'text/fhirpath','expression':'iif(%resource.item.answer.exists(), "
                              "%resource.item.answer.value.first() + 1, 1)'}}]}",
                              1, "]}", &n),
                     0);
    assert_int_equal(n, 1);
}

/* FHIRPath knows "@T10" and "@2026-01-01T10:00", and FHIR no such time. */
static void times_are_whole(void **state)
{
    static const struct {
        const char *type, *text;
        size_t n_issues;
    } times[] = {{"time", "@T10", 1},         {"time", "@T10:00", 1},
                 {"time", "@T10:00:00", 0},   {"dateTime", "@2026-01-01T10:00", 1},
                 {"dateTime", "@2026-01", 0}, {"dateTime", "@2026-01-01T10:00:00Z", 0},
                 {"date", "@2026-01", 0},     {"date", "@2026-01-01T10:00", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char item[500];
        size_t n;

        snprintf(item, sizeof item,
                 "{'linkId':'a','type':'%s','extension':[{'url':'" EXT "initialExpression',"
                 "'valueExpression':{'language':'text/fhirpath','expression':'%s'}}]}",
                 times[i].type, times[i].text);
        assert_int_equal(populate("{'item':[", item, 1, "]}", &n), 0);
        assert_int_equal(n, times[i].n_issues);
    }
}

/* What says that it is a dateTime may be anything in a response that nobody looked at. */
static void an_answer_may_be_wrong(void **state)
{
    char form[] = "{'extension':[{'url':'" EXT "itemExtractionContext','valueCode':'Patient'}],"
                  "'item':[{'linkId':'a','type':'dateTime','definition':'" CORE
                  "Patient#Patient.birthDate'}]}";
    char given[] = "{'item':[{'linkId':'a','answer':[{'valueDateTime':{}}]}]}";
    struct sb texts[] = {{.p = form, .n = strlen(form)}, {.p = given, .n = strlen(given)}};
    yyjson_val *questionnaire, *response;
    struct sdc_entries made = {0};
    struct err err = {0};
    struct issues issues;
    struct arena a;
    struct sdc sdc = {.a = &a, .issues = &issues};

    (void)state;
    arena_init(&a, MIB(16));
    issues_init(&issues, &a);
    quote(&texts[0]);
    quote(&texts[1]);
    assert_int_equal(js_parse(&a, sb_view(&texts[0]), &questionnaire, &err), 0);
    assert_int_equal(js_parse(&a, sb_view(&texts[1]), &response, &err), 0);
    assert_int_equal(sdc_extract(&sdc, questionnaire, response, &made, &err), 0);
    assert_int_equal(made.n, 0);
    assert_int_equal(issues.n_errors, 1);
    arena_done(&a);
}

/* The questions of many answers are found in their order; answers in none cost too much. */
static void answers_have_bounds(void **state)
{
    _cleanup_(sb_done) struct sb form = sb_make(MIB(1)), given = sb_make(MIB(1));
    static const bool in_order[] = {true, false};
    yyjson_val *questionnaire, *response;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(in_order); k++) {
        struct sdc_entries made = {0};
        struct err err = {0};
        struct issues issues;
        struct arena a;
        struct sdc sdc = {.a = &a, .issues = &issues};

        arena_init(&a, MIB(64));
        issues_init(&issues, &a);
        sb_reset(&form);
        sb_reset(&given);
        for (int i = 0; i < 4999; i++) {
            sb_fmt(&form, "%s{'linkId':'%d','type':'group'}", i ? "," : "{'item':[", i);
            sb_fmt(&given, "%s{'linkId':'%d'}", i ? "," : "{'item':[", in_order[k] ? i : 9999);
        }
        sb_lit(&form, "]}");
        sb_lit(&given, "]}");
        quote(&form);
        quote(&given);
        assert_int_equal(js_parse(&a, sb_view(&form), &questionnaire, &err), 0);
        assert_int_equal(js_parse(&a, sb_view(&given), &response, &err), 0);
        assert_int_equal(sdc_extract(&sdc, questionnaire, response, &made, &err),
                         in_order[k] ? 0 : ERR_COSTLY);
        assert_int_equal(issues.n > 0, !in_order[k]);
        arena_done(&a);
    }
}

/* A condition may look at all items: many of them in a long response cost too much. */
static void conditions_have_bounds(void **state)
{
    static const char when[] = "{'question':'b','operator':'exists','answerBoolean':false}";
    static const char item[] = "{'linkId':'a','answer':[{'valueString':'x'}]}";
    _cleanup_(sb_done) struct sb form = sb_make(MIB(1)), given = sb_make(MIB(1));
    yyjson_val *questionnaire, *response;
    struct sdc_entries made = {0};
    struct err err = {0};
    struct issues issues;
    struct arena a;
    struct sdc sdc = {.a = &a, .issues = &issues};

    arena_init(&a, MIB(64));
    issues_init(&issues, &a);
    sb_lit(&form, "{'item':[{'linkId':'a','type':'string','enableWhen':[");
    for (int i = 0; i < 10; i++)
        sb_fmt(&form, "%s%s", i ? "," : "", when);
    sb_lit(&form, "]}]}");
    sb_lit(&given, "{'item':[");
    for (int i = 0; i < 2000; i++)
        sb_fmt(&given, "%s%s", i ? "," : "", item);
    sb_lit(&given, "]}");
    quote(&form);
    quote(&given);
    (void)state;
    assert_int_equal(js_parse(&a, sb_view(&form), &questionnaire, &err), 0);
    assert_int_equal(js_parse(&a, sb_view(&given), &response, &err), 0);
    assert_int_equal(sdc_extract(&sdc, questionnaire, response, &made, &err), ERR_COSTLY);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_may_fail),     cmocka_unit_test(a_form_has_bounds),
        cmocka_unit_test(times_are_whole),     cmocka_unit_test(an_answer_may_be_wrong),
        cmocka_unit_test(answers_have_bounds), cmocka_unit_test(conditions_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
