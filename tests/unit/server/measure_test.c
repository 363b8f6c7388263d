/* $evaluate-measure when memory is short and a read fails: a report, or an error; never half of
 * one, and nothing leaks. The scenarios say what reports hold.
 */
#include "node.h"

#include "base/fault.h"

/* JSON with ' for ". */
static const char *const resources[] = {
    "{'resourceType':'Patient','id':'a','gender':'female','active':true}",
    "{'resourceType':'Patient','id':'b','gender':'male'}",
    "{'resourceType':'Encounter','id':'e','status':'finished','class':{'code':'AMB'},"
    "'subject':{'reference':'Patient/a'},'length':{'value':2,'unit':'h',"
    "'system':'http://unitsofmeasure.org','code':'h'}}",
    "{'resourceType':'Measure','id':'hours','status':'active','extension':[{'url':"
    "'http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-populationBasis',"
    "'valueCode':'Encounter'}],'scoring':{'coding':[{'code':'continuous-variable'}]},"
    "'supplementalData':[{'criteria':{'language':'text/fhirpath','expression':'gender'}}],"
    "'group':[{'population':[{'code':{'coding':[{'code':'initial-population'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'%record.ofType(Encounter)'}},"
    "{'code':{'coding':[{'code':'measure-population'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'%record.ofType(Encounter)'}},"
    "{'extension':[{'url':'http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/"
    "cqfm-aggregateMethod','valueCode':'median'}],"
    "'code':{'coding':[{'code':'measure-observation'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'length'}}],"
    "'stratifier':[{'criteria':{'language':'text/fhirpath','expression':'class'}}]}]}",
    "{'resourceType':'Measure','id':'active','status':'active',"
    "'scoring':{'coding':[{'code':'proportion'}]},"
    "'group':[{'population':[{'code':{'coding':[{'code':'initial-population'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'true'}},"
    "{'code':{'coding':[{'code':'denominator'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'true'}},"
    "{'code':{'coding':[{'code':'numerator'}]},'criteria':"
    "{'language':'text/fhirpath','expression':'active'}}]}]}",
    "{'resourceType':'Measure','id':'all','status':'active',"
    "'compositeScoring':{'coding':[{'code':'linear'}]},"
    "'relatedArtifact':[{'type':'composed-of','resource':'Measure/active'}]}",
};

static const char *const asked[] = {
    "Measure/hours/$evaluate-measure?periodStart=2024&periodEnd=2024&reportType=subject-list",
    "Measure/hours/$evaluate-measure?periodStart=2024&periodEnd=2024&subject=Patient/a",
    "Measure/all/$evaluate-measure?periodStart=2024&periodEnd=2024&reportType=subject-list",
};

static void put(struct node *n, const char *text)
{
    char json[4096];
    size_t i = 0;

    for (; text[i] && i + 1 < sizeof json; i++)
        json[i] = (char)(text[i] == '\'' ? '"' : text[i]);
    json[i] = '\0';
    node_keep(n, json);
}

/* True when the report was made. */
static bool ask(struct node *n, const char *url)
{
    struct err err = {0};
    size_t failed = 0;
    struct arena a;
    struct str body;
    int r;

    arena_init(&a, MIB(16));
    body = arena_fmt(&a,
                     "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":"
                     "{\"method\":\"GET\",\"url\":\"%s\"}}]}",
                     url);
    r = body.p ? api_bundle(n->api, &a, trust_system(), body, NULL, NULL, &failed, NULL, &err)
               : ERR_NO_MEMORY;
    assert_true(r >= 0 || r == ERR_NO_MEMORY || r == ERR_NO_STORE || r == ERR_BUSY);
    if (failed && err.code != ERR_NO_MEMORY && err.code != ERR_NO_STORE && err.code != ERR_BUSY)
        fail_msg("%d %s (%s)", err.code, err.text, err.where);
    arena_done(&a);
    return r >= 0 && !failed;
}

static void a_measure_may_fail(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measure_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
