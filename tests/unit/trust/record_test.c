#include "trust/record.h"

#include "store.h"

#include "base/clock.h"
#include "trust/ticket.h"
#include "trust/trust.h"

struct thing {
    struct str name;
    int64_t count;
    bool yes;
    struct str_list list;
};
static const struct field thing_fields[] = {
    {"name", FIELD_STR, offsetof(struct thing, name)},
    {"count", FIELD_I64, offsetof(struct thing, count)},
    {"yes", FIELD_BOOL, offsetof(struct thing, yes)},
    {"list", FIELD_LIST, offsetof(struct thing, list)},
};
static const struct shape thing_shape = SHAPE(thing);

static void reads_what_it_writes(void **state)
{
    struct str list[] = {STR("a"), STR("b\"\n")};
    struct thing thing = {STR("n\\é"), INT64_MIN + 1, true, {list, 2}}, back;
    struct sb out = sb_make(KIB(4));
    struct err err;
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    record_write(&out, &thing_shape, &thing);
    assert_int_equal(record_parse(&a, sb_view(&out), &thing_shape, &back, &err), 0);
    assert_str(back.name, thing.name);
    assert_true(back.count == thing.count && back.yes && back.list.n == 2);
    assert_str(back.list.v[1], list[1]);
    assert_int_equal(record_parse(&a, STR("{}"), &thing_shape, &back, &err), 0);
    assert_true(back.name.n == 0 && back.count == 0 && !back.yes && back.list.n == 0);
    assert_int_equal(record_parse(&a, STR("{\"name\":1}"), &thing_shape, &back, &err),
                     ERR_NO_STORE);
    assert_int_equal(record_parse(&a, STR("{\"count\":\"1\"}"), &thing_shape, &back, &err),
                     ERR_NO_STORE);
    assert_int_equal(record_parse(&a, STR("{\"list\":[1]}"), &thing_shape, &back, &err),
                     ERR_NO_STORE);
    sb_done(&out);
    arena_done(&a);
}

struct tickets {
    struct ticket t[8];
    int64_t now_ms;
    size_t left;
};

static int make_tickets(void *ctx, struct store_txn *txn, struct err *err)
{
    struct tickets *all = ctx;
    struct thing thing = {.name = STR("x")};
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(all->t); i++) {
        /* Half of them have ended. */
        ticket_new(all->now_ms + (i % 2 ? 600000 : -600000), &all->t[i]);
        r = record_put(txn, RECORD_CODE, str_c(all->t[i].name), &thing_shape, &thing, err);
    }
    return r;
}

static int sweep(void *ctx, struct store_txn *txn, struct err *err)
{
    struct tickets *all = ctx;
    struct str name = STR("");
    struct arena a;
    int r = ticket_sweep(txn, RECORD_CODE, all->now_ms, err);

    arena_init(&a, MIB(1));
    all->left = 0;
    while (r >= 0 && (r = record_next(txn, RECORD_CODE, name, &a, &name, err)) >= 0 && name.p)
        all->left++;
    arena_done(&a);
    return r;
}

static void tickets_end(void **state)
{
    struct tickets all = {.now_ms = clock_now_ms()};
    char name[TICKET_NAME_MAX], changed[SECRET_TEXT_MAX];
    struct own_store s;
    struct err err;

    (void)state;
    own_store_open(&s);
    assert_int_equal(record_commit(s.store, make_tickets, &all, &err), 0);
    assert_false(ticket_name(str_c(all.t[0].text), all.now_ms, name));
    assert_true(ticket_name(str_c(all.t[1].text), all.now_ms, name));
    assert_string_equal(name, all.t[1].name);
    /* A later minute in the text leads to another name. */
    memcpy(changed, all.t[0].text, sizeof changed);
    changed[0] = changed[0] == 'z' ? 'y' : 'z';
    if (ticket_name(str_c(changed), all.now_ms, name))
        assert_string_not_equal(name, all.t[0].name);
    assert_false(ticket_name(STR("short"), all.now_ms, name));
    assert_int_equal(record_commit(s.store, sweep, &all, &err), 0);
    assert_int_equal(all.left, ARRAY_LEN(all.t) - TICKET_SWEEP);
    assert_int_equal(record_commit(s.store, sweep, &all, &err), 0);
    assert_int_equal(all.left, ARRAY_LEN(all.t) / 2);
    own_store_close(&s);
}

/* Nothing but the node itself reaches these records, however it came by a transaction. */
static void others_are_kept_out(void **state)
{
    struct access all[] = {trust_open(), trust_job(STR("x"))};
    struct own_store s;
    struct err err;
    struct arena a;

    (void)state;
    own_store_open(&s);
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct store_txn *txn;
        struct str bytes;

        assert_int_equal(store_begin(s.store, &all[i], &txn, &err), 0);
        assert_int_equal(store_blob_get(txn, STR("trust/key/x"), 0, &a, &bytes, &err),
                         ERR_FORBIDDEN);
        store_end(txn);
    }
    arena_done(&a);
    own_store_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(tickets_end),
        cmocka_unit_test(others_are_kept_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
