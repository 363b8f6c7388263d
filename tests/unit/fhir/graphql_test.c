#include "../test.h"

#include "fhir/graphql.h"

struct parsed {
    struct arena a;
    struct graphql_document doc;
    struct graphql_place place;
    struct err err;
    int r;
};

static struct parsed *parse(const char *text)
{
    static struct parsed p;

    memset(&p, 0, sizeof p);
    arena_init(&p.a, MIB(16));
    p.r = graphql_parse(&p.a, str_c(text), &p.doc, &p.place, &p.err);
    return &p;
}

static void done(struct parsed *p)
{
    arena_done(&p->a);
}

static void fields_have_names_aliases_and_places(void **state)
{
    struct parsed *p = parse("# who\n{\n  user(id: 4), small: pic { size } }");
    const struct graphql_selection *user, *pic;

    (void)state;
    assert_int_equal(p->r, 0);
    user = p->doc.operations->selections;
    assert_str(user->name, STR("user"));
    assert_str(user->alias, STR("user"));
    assert_int_equal(user->place.line, 3);
    assert_int_equal(user->place.column, 3);
    assert_str(user->arguments->name, STR("id"));
    assert_int_equal(user->arguments->value->kind, GRAPHQL_INT);
    assert_str(user->arguments->value->text, STR("4"));
    pic = user->next;
    assert_str(pic->name, STR("pic"));
    assert_str(pic->alias, STR("small"));
    assert_str(pic->selections->name, STR("size"));
    assert_null(pic->next);
    done(p);
}

static void values_are_of_every_kind(void **state)
{
    static const struct {
        const char *text, *value;
        enum graphql_kind kind;
    } all[] = {
        {"-12", "-12", GRAPHQL_INT},
        {"1.50e+3", "1.50e+3", GRAPHQL_FLOAT},
        {"true", "true", GRAPHQL_BOOLEAN},
        {"null", "null", GRAPHQL_NULL},
        {"official", "official", GRAPHQL_ENUM},
        {"$x", "x", GRAPHQL_VARIABLE},
        {"\"\"", "", GRAPHQL_STRING},
        {"\"a\\u00e9\\ud83d\\ude00\\n\\\"\\/\"", "a\xc3\xa9\xf0\x9f\x98\x80\n\"/", GRAPHQL_STRING},
        /* the specification's own example of a block string, 2.9.4 */
        {"\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"",
         "Hello,\n  World!\n\nYours,\n  GraphQL.", GRAPHQL_STRING},
        {"\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b", GRAPHQL_STRING}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char text[200];
        struct parsed *p;
        snprintf(text, sizeof text, "query($x: Int) { a(v: %s) }", all[i].text);
        p = parse(text);
        if (p->r < 0)
            fail_msg("%s: %s", all[i].text, p->err.text);
        assert_int_equal(p->doc.operations->selections->arguments->value->kind, all[i].kind);
        assert_str(p->doc.operations->selections->arguments->value->text, str_c(all[i].value));
        done(p);
    }
}

static void lists_and_objects_nest(void **state)
{
    struct parsed *p = parse("{ a(v: [1 [2], {b: {c: 3} d: []}]) }");
    const struct graphql_value *v;

    (void)state;
    assert_int_equal(p->r, 0);
    v = p->doc.operations->selections->arguments->value;
    assert_int_equal(v->kind, GRAPHQL_LIST);
    assert_int_equal(v->first->next->kind, GRAPHQL_LIST);
    v = v->first->next->next;
    assert_int_equal(v->kind, GRAPHQL_OBJECT);
    assert_str(v->first->name, STR("b"));
    assert_str(v->first->first->name, STR("c"));
    assert_str(v->first->next->name, STR("d"));
    assert_null(v->first->next->first);
    done(p);
}

static void operations_have_variables_and_directives(void **state)
{
    struct parsed *p = parse("query one($a: [Int!]! = [1, 2], $b: Boolean) @x { a } query two {b}");
    const struct graphql_variable *v;

    (void)state;
    assert_int_equal(p->r, 0);
    assert_int_equal(p->doc.n_operations, 2);
    assert_str(p->doc.operations->name, STR("one"));
    assert_str(p->doc.operations->next->name, STR("two"));
    v = p->doc.operations->variables;
    assert_str(v->name, STR("a"));
    assert_true(v->type->is_required);
    assert_true(v->type->of->is_required);
    assert_str(v->type->of->name, STR("Int"));
    assert_int_equal(v->fallback->kind, GRAPHQL_LIST);
    assert_str(v->next->name, STR("b"));
    assert_false(v->next->type->is_required);
    assert_null(v->next->fallback);
    done(p);
}

static void fragments_are_found(void **state)
{
    struct parsed *p = parse("{ ...f ... on Patient @skip(if: true) { id } ... { x } }\n"
                             "fragment f on HumanName { given }");
    const struct graphql_selection *s;

    (void)state;
    assert_int_equal(p->r, 0);
    s = p->doc.operations->selections;
    assert_int_equal(s->selects, GRAPHQL_SPREAD);
    assert_str(s->fragment->type, STR("HumanName"));
    assert_str(s->fragment->selections->name, STR("given"));
    s = s->next;
    assert_int_equal(s->selects, GRAPHQL_INLINE);
    assert_str(s->name, STR("Patient"));
    assert_str(s->directives->name, STR("skip"));
    assert_int_equal(s->next->selects, GRAPHQL_INLINE);
    assert_int_equal(s->next->name.n, 0);
    done(p);
}

static void what_is_no_query_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int code;
        unsigned line, column;
    } bad[] = {
        {"", ERR_SYNTAX, 1, 1},
        {"{", ERR_SYNTAX, 1, 2},
        {"{ }", ERR_SYNTAX, 1, 3},
        {"{ a(b 1) }", ERR_SYNTAX, 1, 7},
        {"{ a(b: 1, b: 2) }", ERR_VALUE, 1, 11},
        {"{\n a(b: \"x\n) }", ERR_SYNTAX, 2, 7},
        {"{ a(b: \"\\q\") }", ERR_SYNTAX, 1, 8},
        {"{ a(b: \"\\ud83d\") }", ERR_SYNTAX, 1, 8},
        {"{ a(b: 01) }", ERR_SYNTAX, 1, 8},
        {"{ a(b: 1a) }", ERR_SYNTAX, 1, 8},
        {"{ a ? }", ERR_SYNTAX, 1, 5},
        {"{ ...nowhere }", ERR_VALUE, 1, 3},
        {"{ ...a } fragment a on X { ...b } fragment b on X { c ...a }", ERR_VALUE, 1, 55},
        {"{ a } fragment f on X { b } fragment f on X { b }", ERR_VALUE, 1, 29},
        {"fragment f on X { b }", ERR_SYNTAX, 1, 22},
        {"mutation { a }", ERR_NOT_SUPPORTED, 1, 1},
        {"query($a: Int $a: Int) { b }", ERR_VALUE, 1, 15},
        {"query($a: Int = $b) { b }", ERR_SYNTAX, 1, 17},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct parsed *p = parse(bad[i].text);
        if (p->r != bad[i].code || p->place.line != bad[i].line || p->place.column != bad[i].column)
            fail_msg("%s: %d, %u:%u, %s", bad[i].text, p->r, p->place.line, p->place.column,
                     p->err.text);
        done(p);
    }
}

static char *repeat(const char *part, size_t n, const char *end)
{
    size_t len = strlen(part);
    char *text = malloc(n * len + strlen(end) + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, part, len);
    memcpy(text + n * len, end, strlen(end) + 1);
    return text;
}

static void refused_as_costly(char *text)
{
    struct parsed *p = parse(text);

    assert_int_equal(p->r, ERR_COSTLY);
    done(p);
    free(text);
}

static void what_is_too_much_is_refused(void **state)
{
    char *chain;
    size_t n = 0;

    (void)state;
    refused_as_costly(repeat("{a", GRAPHQL_DEPTH_MAX + 1, ""));
    refused_as_costly(repeat("{a(b:[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, "1"));
    refused_as_costly(repeat("{a} ", GRAPHQL_NODES_MAX, ""));
    refused_as_costly(repeat(" ", GRAPHQL_TEXT_MAX + 1, "{a}"));
    /* depth by fragments alone */
    chain = calloc(GRAPHQL_DEPTH_MAX + 10, 40);
    assert_non_null(chain);
    n += (size_t)snprintf(chain, 40, "{...f0}");
    for (int i = 0; i <= GRAPHQL_DEPTH_MAX; i++)
        n += (size_t)snprintf(chain + n, 40, "fragment f%d on X{a{...f%d}}", i, i + 1);
    snprintf(chain + n, 40, "fragment f%d on X{b}", GRAPHQL_DEPTH_MAX + 1);
    refused_as_costly(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_names_aliases_and_places),
        cmocka_unit_test(values_are_of_every_kind),
        cmocka_unit_test(lists_and_objects_nest),
        cmocka_unit_test(operations_have_variables_and_directives),
        cmocka_unit_test(fragments_are_found),
        cmocka_unit_test(what_is_no_query_is_refused_with_its_place),
        cmocka_unit_test(what_is_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
