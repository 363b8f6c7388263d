/* FHIRPath: what compiles, what it gives, what is refused. */
#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "base/sb.h"
#include "fhir/path.h"

static struct arena a;

static const char PATIENT[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,"
    "\"name\":[{\"use\":\"official\",\"family\":\"Okoro\",\"given\":[\"Ada\",\"Ngozi\"]},"
    "{\"use\":\"usual\",\"given\":[\"Ada\"]}],"
    "\"_birthDate\":{\"extension\":[{\"url\":\"urn:t\",\"valueTime\":\"10:00:00\"}]},"
    "\"birthDate\":\"1980-02-03\",\"deceasedBoolean\":false,"
    "\"multipleBirthInteger\":2,"
    "\"telecom\":[{\"system\":\"phone\",\"value\":\"1\",\"rank\":1},{\"system\":\"email\","
    "\"value\":\"x\",\"rank\":2}],"
    "\"generalPractitioner\":[{\"reference\":\"Practitioner/1\"},{\"reference\":\"#o\"},"
    "{\"type\":\"Organization\",\"identifier\":{\"value\":\"9\"}}],"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"In\"}],"
    "\"extension\":[{\"url\":\"urn:q\",\"valueQuantity\":{\"value\":1.50,\"unit\":\"kg\"}}]}";

static int setup(void **state)
{
    (void)state;
    arena_init(&a, MIB(64));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&a);
    return 0;
}

static yyjson_val *parse(const char *json)
{
    struct err err = {0};
    yyjson_val *root;

    if (js_parse(&a, str_c(json), &root, &err) < 0)
        fail_msg("%s", err.text);
    return root;
}

static void put_item(struct sb *out, const struct path_item *item)
{
    if (out->n)
        sb_char(out, ' ');
    if (item->kind != PATH_ELEMENT)
        sb_str(out, item->text);
    else if (js_primitive(item->v).p)
        sb_str(out, js_primitive(item->v));
    else if (item->type)
        sb_fmt(out, "<%.*s>", STR_ARG(item->type->name));
    else
        sb_lit(out, "<>");
}

/* Evaluates both ways: with the type known when compiling, and without. */
static void gives(const char *expression, const char *want)
{
    yyjson_val *root = parse(PATIENT);
    struct path_item focus = path_root(root);

    for (int known = 0; known < 2; known++) {
        _cleanup_(sb_done) struct sb out = sb_make(KIB(16));
        struct path_env env = {.a = &a, .resource = root};
        struct path_items items = {0};
        struct err err = {0};
        const struct path *p;
        if (path_compile(&a, str_c(expression), known ? focus.type : NULL, &p, &err) < 0)
            fail_msg("%s: %s", expression, err.text);
        if (path_eval(p, &env, &focus, &items, &err) < 0)
            sb_fmt(&out, "error: %s", err.text);
        for (size_t i = 0; i < items.n && !err.code; i++)
            put_item(&out, &items.p[i]);
        if (!str_eq(sb_view(&out), str_c(want)))
            fail_msg("%s gave \"%.*s\", not \"%s\"", expression, STR_ARG(sb_view(&out)), want);
    }
}

static void refuses(const char *expression, int code, const char *text)
{
    struct err err = {0};
    const struct path *p;
    int r = path_compile(&a, str_c(expression), NULL, &p, &err);

    if (r != code)
        fail_msg("%s gave %d (%s), not %d", expression, r, err.text, code);
    if (!strstr(err.text, text))
        fail_msg("%s: \"%s\" does not say \"%s\"", expression, err.text, text);
}

static void members_and_indexers(void **state)
{
    (void)state;
    /* a path that begins with another type leads nowhere, whatever elements that has */
    gives("Observation.identifier", "");
    gives("Observation.active", "");
    gives("Observation.active.exists() or active", "true");
    gives("contained.select(Organization.name)", "In");
    gives("contained.select(Patient.name)", "");
    gives("contained.ofType(Organization).name", "In");
    gives("contained.ofType(Patient).name", "");
    gives("name.given.join('-')", "Ada-Ngozi-Ada");
    gives("contact.given.join('-')", "");
    gives("Patient.name.given", "Ada Ngozi Ada");
    gives("name.given", "Ada Ngozi Ada");
    gives("Patient.name[0].given[1]", "Ngozi");
    gives("Patient.name[7]", "");
    gives("Observation.name", "");
    gives("Resource.id", "p");
    gives("DomainResource.contained", "<Organization>");
    gives("contained.name", "In");
    gives("Patient.name.first().given.last()", "Ngozi");
    gives("name.`given`.tail()", "Ngozi Ada");
    gives("$this.id", "p");
    gives("%resource.id", "p");
    gives("Patient.nothing", "");
    gives("{}", "");
}

static void choices_and_types(void **state)
{
    (void)state;
    gives("Patient.deceased", "false");
    gives("Patient.deceased as boolean", "false");
    gives("(Patient.deceased as dateTime)", "");
    gives("Patient.multipleBirth.as(integer)", "2");
    gives("Patient.multipleBirth.ofType(FHIR.integer)", "2");
    gives("Patient.extension.value", "<Quantity>");
    gives("Patient.extension.value.unit", "kg");
    gives("Patient.extension.value is Quantity", "true");
    gives("Patient.deceased is boolean", "true");
    gives("Patient is DomainResource", "true");
    gives("Patient.is(Observation)", "false");
    gives("name.as(HumanName).family", "Okoro");
    gives("contained.ofType(Organization).id", "o");
    gives("contained.ofType(Patient).id", "");
}

static void primitives_with_extensions(void **state)
{
    (void)state;
    gives("Patient.birthDate.extension('urn:t').value", "10:00:00");
    gives("Patient.birthDate.extension.url", "urn:t");
    gives("Patient.extension('urn:q').value.value", "1.50");
    gives("Patient.extension('urn:none')", "");
}

static void filters(void **state)
{
    (void)state;
    gives("Patient.telecom.where(system='email').value", "x");
    gives("Patient.telecom.where(rank > 1).value", "x");
    gives("Patient.telecom.where($this.system = 'phone').value", "1");
    gives("Patient.telecom.exists(rank = 3)", "false");
    gives("Patient.telecom.all(value.exists())", "true");
    gives("Patient.photo.empty()", "true");
    gives("Patient.name.count()", "2");
    gives("Patient.name.select(given.first())", "Ada Ada");
    gives("Patient.active.not()", "false");
    gives("Patient.active.hasValue()", "true");
    gives("Patient.name.single()",
          "error: single() met several items (character 14 of the FHIRPath expression)");
}

static void resolve_knows_types(void **state)
{
    (void)state;
    gives("Patient.generalPractitioner.where(resolve() is Practitioner).reference",
          "Practitioner/1");
    gives("Patient.generalPractitioner.where(resolve() is Organization).count()", "2");
    gives("Patient.generalPractitioner.resolve().name", "In");
}

static void operators(void **state)
{
    (void)state;
    gives("1 = 1.0", "true");
    gives("'a' = 'b'", "false");
    gives("'a' != 'b'", "true");
    gives("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", "true");
    gives("-1 < 0", "true");
    gives("{} and false", "false");
    gives("{} or true", "true");
    gives("true xor true", "false");
    gives("false implies {}", "true");
    gives("{} = 1", "");
    gives("@2020 = @2020-01", "");
    gives("@2020-01-01 < @2020-01-02", "true");
    gives("birthDate < @1981", "true");
    gives("name.given | name.family", "Ada Ngozi Okoro");
    gives("Patient.deceased.exists() and Patient.deceased != false", "false");
    gives("id = 'p' or nothing.here = 1", "true");
    gives("1 < 'a'", "error: \"<\" is between types that have no order (character 3 of the "
                     "FHIRPath expression)");
}

/* "a or b and c" is "a or (b and c)"; "|" binds more than "="; "is" more than "|". */
static void precedence_of_the_specification(void **state)
{
    (void)state;
    gives("true or false and false", "true");
    gives("(true or false) and false", "false");
    gives("id = 'x' | 'p'", "false");
    gives("id = ('p' | 'p')", "true");
    gives("true implies false or true", "true");
    gives("active = true and deceased = false", "true");
}

static void text_of_the_grammar(void **state)
{
    (void)state;
    gives("/* note */ id // end", "p");
    gives("'it\\'s \\u0041\\n'", "it's A\n");
    gives("'\\ud83d\\ude00'", "\xf0\x9f\x98\x80");
    gives(" id\n", "p");
    gives("@T10:00 = @T10:00", "true");
    refuses("", ERR_VALUE, "lacks a name at character 1");
    refuses("a.", ERR_VALUE, "character 3");
    refuses("a b", ERR_VALUE, "lacks an operator at character 3");
    refuses("(a", ERR_VALUE, "lacks )");
    refuses("'a", ERR_VALUE, "a quote without an end");
    refuses("'\\q'", ERR_VALUE, "an unknown escape");
    refuses("a # b", ERR_VALUE, "a character that means nothing");
    refuses("a.where()", ERR_VALUE, "does not take 0 arguments");
    refuses("a.nonsense()", ERR_VALUE, "\"nonsense\" is not a FHIRPath function");
    refuses("a as Nonsense", ERR_VALUE, "is not a type");
}

static void fill(char *text, size_t n, const char *piece)
{
    size_t each = strlen(piece);

    for (size_t i = 0; i + each < n; i += each)
        memcpy(text + i, piece, each + 1);
}

static void hostile_expressions_end_at_limits(void **state)
{
    static char text[PATH_TEXT_MAX + 10];

    (void)state;
    fill(text, PATH_TEXT_MAX, "(");
    refuses(text, ERR_COSTLY, "deep");
    fill(text, PATH_TEXT_MAX, "-");
    refuses(text, ERR_COSTLY, "deep");
    fill(text, PATH_TEXT_MAX, "a.");
    refuses(text, ERR_COSTLY, "");
    fill(text, PATH_TEXT_MAX, "a|");
    refuses(text, ERR_COSTLY, "");
    fill(text, sizeof text, "a");
    refuses(text, ERR_COSTLY, "longer");
}

static void hostile_evaluations_end_at_limits(void **state)
{
    _cleanup_(sb_done) struct sb json = sb_make(MIB(2)), text = sb_make(KIB(16));
    struct path_env env = {.a = &a};
    struct path_items items = {0};
    struct path_item focus;
    struct err err = {0};
    const struct path *p;

    (void)state;
    sb_lit(&json, "{\"resourceType\":\"Patient\",\"name\":[{}");
    for (int i = 0; i < 2000; i++)
        sb_lit(&json, ",{\"given\":[\"a\",\"b\"]}");
    sb_lit(&json, "]}");
    sb_char(&json, '\0');
    sb_lit(&text, "name.where(%resource.name.where(%resource.name.where($index < 0).exists())"
                  ".exists())");
    env.resource = parse(json.p);
    focus = path_root(env.resource);
    assert_int_equal(path_compile(&a, sb_view(&text), NULL, &p, &err), 0);
    /* By the number of steps or by memory, whichever ends first. */
    assert_true(path_eval(p, &env, &focus, &items, &err) < 0);
    assert_true(err.code == ERR_COSTLY || err.code == ERR_NO_MEMORY);
    assert_true(a.used_bytes <= MIB(64));
}

static void every_expression_of_the_definitions_compiles(void **state)
{
    size_t n, compiled = 0;
    const struct def_param *all = def_params(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct err err = {0};
        const struct path *p;
        if (!all[i].expression.n)
            continue;
        arena_reset(&a);
        if (path_compile(&a, all[i].expression, def_resource_type(all[i].type), &p, &err) < 0)
            fail_msg("%.*s: %s", STR_ARG(all[i].expression), err.text);
        compiled++;
        for (size_t k = 0; k < all[i].n_components; k++)
            if (path_compile(&a, all[i].components[k].expression, NULL, &p, &err) < 0)
                fail_msg("%.*s: %s", STR_ARG(all[i].components[k].expression), err.text);
    }
    assert_true(compiled > 2000);
}

static void any_bytes_compile_or_are_refused(void **state)
{
    static const char *const words[] = {
        "Patient",   ".",        "name",  "(",         ")",     "[",       "]",
        "where",     "=",        "'x'",   "1",         "and",   " ",       "|",
        "as",        "is",       "$this", "%resource", "{",     "}",       "-",
        "resolve()", "exists()", "@2020", "`",         "\\",    "value",   "extension(",
        "\xc3",      "/*",       "//",    ",",         "not()", "first()",
    };
    struct rng rng;

    (void)state;
    rng_seed(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
        yyjson_val *root;
        struct path_items items = {0};
        struct path_env env = {.a = &a};
        struct path_item focus;
        struct err err = {0};
        const struct path *p;
        for (uint64_t n = rng_below(&rng, 12); n; n--)
            sb_fmt(&text, "%s", words[rng_below(&rng, ARRAY_LEN(words))]);
        if (i % 4 == 0 && text.n)
            text.p[rng_below(&rng, text.n)] = (char)rng_below(&rng, 256);
        arena_reset(&a);
        if (path_compile(&a, sb_view(&text), NULL, &p, &err) < 0) {
            assert_true(err.code < 0 && err.text[0]);
            continue;
        }
        root = parse(PATIENT);
        env.resource = root;
        focus = path_root(root);
        if (path_eval(p, &env, &focus, &items, &err) < 0)
            assert_true(err.code < 0 && err.text[0]);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    FAULT_LOOP(true) {
        struct arena own;
        struct err err = {0};
        const struct path *p;
        struct path_items items = {0};
        yyjson_val *root = NULL;
        int r;
        arena_init(&own, MIB(4));
        r = path_compile(&own, STR("name.where(given.select($this) = 'Ada' | 'x').given | id"),
                         NULL, &p, &err);
        if (r == 0)
            r = js_parse(&own, str_c(PATIENT), &root, &err);
        if (r == 0) {
            struct path_env env = {.a = &own, .resource = root};
            struct path_item focus = path_root(root);
            r = path_eval(p, &env, &focus, &items, &err);
        }
        assert_true(r == 0 || err.code == ERR_NO_MEMORY);
        arena_done(&own);
    }
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(members_and_indexers),
        EACH(choices_and_types),
        EACH(primitives_with_extensions),
        EACH(filters),
        EACH(resolve_knows_types),
        EACH(operators),
        EACH(precedence_of_the_specification),
        EACH(text_of_the_grammar),
        EACH(hostile_expressions_end_at_limits),
        EACH(hostile_evaluations_end_at_limits),
        EACH(every_expression_of_the_definitions_compiles),
        EACH(any_bytes_compile_or_are_refused),
        EACH(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
