#include "trust/eid.h"

#include "store.h"

#include "base/rng.h"
#include "trust/account.h"

/* A provider of the least that there is, with `more` members. */
static int parse(const char *more, struct eid **ret, struct err *err)
{
    char text[4096];

    snprintf(text, sizeof text,
             "{\"providers\":[{\"id\":\"p\",\"name\":\"P\",\"issuer\":\"https://p.example\","
             "\"clientId\":\"c\"%s}]}",
             more);
    return eid_new(str_c(text), ret, err);
}

static void a_provider_is_read(void **state)
{
    const struct eid_provider *p;
    struct eid *e;

    (void)state;
    assert_int_equal(parse(",\"acr\":{\"high\":\"two-factors\",\"low\":\"password\"},"
                           "\"enrol\":true,"
                           "\"identifier\":{\"claim\":\"nid\",\"system\":\"urn:x\"},"
                           "\"algorithms\":[\"ES256\"]",
                           &e, NULL),
                     0);
    p = eid_find(e, STR("p"));
    assert_non_null(p);
    assert_null(eid_find(e, STR("q")));
    assert_int_equal(p->algs, JOSE_ES256);
    assert_int_equal(p->n_acr, 2);
    assert_int_equal(p->acr[0].assurance, ASSURANCE_TWO_FACTORS);
    assert_str(p->names[EID_LANGUAGES - 1], STR("P"));
    assert_str(p->scope, STR("openid"));
    assert_true(p->enrol && !p->may_be_private && !p->logout);
    eid_free(e);
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const wrong[] = {
        ",\"issuer\":7",
        ",\"scope\":\"profile\"",
        ",\"unknown\":true",
        ",\"enrol\":\"yes\"",
        ",\"enrol\":true",
        ",\"identifier\":{\"claim\":\"nid\"}",
        ",\"identifier\":{\"claim\":\"nid\",\"system\":\"a|b\"}",
        ",\"identifier\":{\"claim\":\"email\",\"system\":\"urn:x\"}",
        ",\"identifier\":{\"claim\":\"name\",\"system\":\"urn:x\"}",
        ",\"identifier\":{\"claim\":\"phone_number\",\"system\":\"urn:x\"}",
        ",\"identifier\":{\"claim\":\"nid\",\"system\":\"urn:x\",\"other\":1}",
        ",\"algorithms\":[\"HS256\"]",
        ",\"algorithms\":[\"none\"]",
        ",\"algorithms\":[]",
        ",\"acr\":{}",
        ",\"acr\":{\"high\":\"three\"}",
        ",\"secretFile\":\"/nonexistent\"",
        ",\"name\":{\"fr\":\"P\"}",
        "},{\"id\":\"p\",\"name\":\"P\",\"issuer\":\"https://q.example\",\"clientId\":\"c\"",
        "},{\"id\":\"Q\",\"name\":\"P\",\"issuer\":\"https://q.example\",\"clientId\":\"c\"",
        "},{\"id\":\"q\",\"name\":\"P\",\"issuer\":\"http://q.example\",\"clientId\":\"c\"",
        "},{\"id\":\"q\",\"name\":\"P\",\"issuer\":\"http://127.0.0.1\",\"clientId\":\"c\"",
        "},{\"id\":\"q\",\"name\":\"P\",\"issuer\":\"https://q.example\"",
        "},7,{",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err = {0};
        struct eid *e = NULL;

        if (parse(wrong[i], &e, &err) >= 0)
            fail_msg("%s was taken", wrong[i]);
        assert_true(err.text[0]);
    }
    assert_true(eid_new(STR("{}"), &(struct eid *){NULL}, NULL) < 0);
    assert_true(eid_new(STR("[]"), &(struct eid *){NULL}, NULL) < 0);
    assert_true(eid_new(STR("x"), &(struct eid *){NULL}, NULL) < 0);
}

/* ---- whose account ---- */

struct people {
    struct arena a;
    struct account ann, bob;
};

static int link_people(void *ctx, struct store_txn *txn, struct err *err)
{
    struct people *p = ctx;
    struct account found;

    p->ann = (struct account){.login = STR("ann"), .role = STR("patient")};
    p->bob = (struct account){.login = STR("bob"), .role = STR("patient")};
    assert_int_equal(account_create(txn, &p->a, &p->ann, err), 0);
    assert_int_equal(account_create(txn, &p->a, &p->bob, err), 0);

    assert_int_equal(account_identify(txn, &p->a, &p->ann, STR("urn:x"), STR("1"), err), 0);
    assert_int_equal(account_identify(txn, &p->a, &p->ann, STR("urn:x"), STR("1"), err), 0);
    assert_int_equal(p->ann.identifiers.n, 1);
    assert_int_equal(account_identify(txn, &p->a, &p->bob, STR("urn:x"), STR("1"), err),
                     ERR_DUPLICATE);
    assert_int_equal(account_identify(txn, &p->a, &p->bob, STR(""), STR("1"), err), ERR_VALUE);
    assert_int_equal(account_identify(txn, &p->a, &p->bob, STR("a|b"), STR("1"), err), ERR_VALUE);
    assert_int_equal(account_identified(txn, &p->a, STR("urn:x"), STR("1"), &found, err), 0);
    assert_str(found.id, p->ann.id);
    assert_int_equal(account_identified(txn, &p->a, STR("urn:"), STR("x1"), &found, err),
                     ERR_NOT_FOUND);

    assert_int_equal(account_link(txn, &p->a, &p->ann, STR("p"), STR("https://p"), STR("s"), err),
                     0);
    assert_int_equal(account_link(txn, &p->a, &p->ann, STR("p"), STR("https://p"), STR("s"), err),
                     0);
    assert_int_equal(p->ann.links.n, 1);
    assert_int_equal(account_link(txn, &p->a, &p->bob, STR("p"), STR("https://p"), STR("s"), err),
                     ERR_DUPLICATE);
    assert_int_equal(account_linked(txn, &p->a, STR("https://p"), STR("s"), &found, err), 0);
    assert_str(found.id, p->ann.id);
    /* What is put together of other parts is another name. */
    assert_int_equal(account_linked(txn, &p->a, STR("https://p\ns"), STR(""), &found, err),
                     ERR_NOT_FOUND);
    assert_int_equal(account_linked(txn, &p->a, STR("https://"), STR("ps"), &found, err),
                     ERR_NOT_FOUND);
    assert_int_equal(account_unlink(txn, &p->bob, p->ann.links.v[0], err), ERR_NOT_FOUND);
    assert_int_equal(account_unlink(txn, &p->ann, p->ann.links.v[0], err), 0);
    assert_int_equal(account_linked(txn, &p->a, STR("https://p"), STR("s"), &found, err),
                     ERR_NOT_FOUND);
    for (int i = 0; i < ACCOUNT_LINKS_MAX; i++)
        assert_int_equal(account_link(txn, &p->a, &p->bob, STR("p"), STR("https://p"),
                                      arena_fmt(&p->a, "%d", i), err),
                         0);
    assert_int_equal(account_link(txn, &p->a, &p->bob, STR("p"), STR("https://p"), STR("x"), err),
                     ERR_VALUE);
    return 0;
}

static void links_lead_to_one_account(void **state)
{
    struct own_store s;
    struct people p;

    (void)state;
    own_store_open(&s);
    arena_init(&p.a, MIB(4));
    assert_int_equal(record_commit(s.store, link_people, &p, NULL), 0);
    arena_done(&p.a);
    own_store_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_provider_is_read),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(links_lead_to_one_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
