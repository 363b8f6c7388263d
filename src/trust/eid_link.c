/* eid_link.c - whose account an identity from elsewhere is. */
#include "trust/eid_int.h"

#include "base/rng.h"

#define LOGIN_RANDOM_BYTES 10
#define LOOKED_AT_MAX 20 /* who have the identifier, also as an old one, or are out of use */

/* ---- the Patient who has the identifier ---- */

/* Whether the record says so itself, in an identifier that is in use, of one who is. */
static bool has_identifier(yyjson_val *patient, struct str system, struct str value)
{
    yyjson_val *one, *link;
    size_t i, max;

    if (yyjson_is_false(js_get(patient, "active")))
        return false;
    yyjson_arr_foreach(js_get(patient, "link"), i, max, link)
        if (str_eq(js_get_str(link, "type"), STR("replaced-by")))
            return false;
    yyjson_arr_foreach(js_get(patient, "identifier"), i, max, one) {
        struct str use = js_get_str(one, "use");

        if (str_eq(js_get_str(one, "system"), system) && str_eq(js_get_str(one, "value"), value) &&
            !str_eq(use, STR("old")) && !str_eq(use, STR("temp")))
            return true;
    }
    return false;
}

struct look {
    struct eid_person *person;
    size_t n;
};

static int look_at(void *ctx, const struct row *row, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct look *look = ctx;
    struct eid_person *person = look->person;
    struct oauth *o = person->o;
    yyjson_val *root = NULL;
    int r = row_json(o->t->store, row, &text, err);

    if (r >= 0)
        r = js_parse_stored(o->a, sb_view(&text), &root, err);
    if (r < 0 || !has_identifier(root, person->provider->system, person->said->identifier))
        return MIN(r, 0);
    look->n++;
    person->patient = arena_dup(o->a, row->id);
    return person->patient.p ? 0 : err_no_memory(err);
}

/* A token of a search: | and , and \ of a value are its own. */
static void write_token(struct sb *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("|,$\\", text.p[i]))
            sb_char(out, '\\');
        sb_char(out, text.p[i]);
    }
}

static int search(struct oauth *o, struct store_txn *txn, struct str system, struct str value,
                  struct page *ret)
{
    _cleanup_(sb_done) struct sb token = sb_make(KIB(4)), query = sb_make(KIB(16));
    struct params *params = store_params(o->t->store);
    struct search_options opt = {.index = *store_index_options(o->t->store), .strict = true};
    bool first = true;
    struct search s;
    int r;

    write_token(&token, system);
    sb_char(&token, '|');
    write_token(&token, value);
    form_write(&query, &first, "identifier", sb_view(&token));
    sb_fmt(&query, "&_count=%d&_total=none", LOOKED_AT_MAX);
    r = token.failed ? err_no_memory(&o->err) : sb_ok(&query, &o->err);
    if (r >= 0)
        r = search_parse(o->a, params, &opt, def_resource(STR("Patient")), sb_view(&query), &s,
                         &o->err);
    if (r >= 0)
        r = store_search(txn, &s, 0, o->a, ret, &o->err);
    params_unref(params);
    return r;
}

int eid_person_find(struct eid_person *person)
{
    const struct eid_provider *p = person->provider;
    struct oauth *o = person->o;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct look look = {.person = person};
    struct page page;
    int r;

    person->patient = STR("");
    if (!p->enrol || !person->said->identifier.n)
        return 0;
    r = store_begin(o->t->store, &who, &txn, &o->err);
    if (r >= 0)
        r = search(o, txn, p->system, person->said->identifier, &page);
    if (r >= 0)
        r = store_each_row(txn, page.rows, page.n, look_at, &look, &o->err);
    /* Of two people, neither; nor where not all who were found have been looked at. */
    if (r >= 0 && (look.n != 1 || page.next.p))
        person->patient = STR("");
    return MIN(r, 0);
}

/* ---- the account ---- */

static int enrol(struct eid_person *person, struct store_txn *txn, struct err *err)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    const struct eid_provider *p = person->provider;
    struct arena *a = person->o->a;
    unsigned char bytes[LOGIN_RANDOM_BYTES];
    char random[LOGIN_RANDOM_BYTES + 1] = "";
    struct account *account = &person->account;
    int r;

    rng_secure(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        random[i] = letters[bytes[i] % (sizeof letters - 1)];
    *account = (struct account){
        .login = arena_fmt(a, "%.*s.%s", STR_ARG(p->id), random),
        .role = STR("patient"),
        .fhir_user = arena_join(a, (const struct str[]){STR("Patient/"), person->patient}, 2)};
    if (!account->login.p || !account->fhir_user.p)
        return err_no_memory(err);
    r = account_create(txn, a, account, err);
    return r < 0 ? r : account_identify(txn, a, account, p->system, person->said->identifier, err);
}

static int find(struct eid_person *person, struct store_txn *txn, struct err *err)
{
    const struct eid_provider *p = person->provider;
    struct arena *a = person->o->a;
    int r = ERR_NOT_FOUND;

    if (person->connect.n)
        return account_get(txn, person->connect, a, &person->account, err);
    if (p->claim.n && person->said->identifier.n)
        r = account_identified(txn, a, p->system, person->said->identifier, &person->account, err);
    return r == ERR_NOT_FOUND && person->patient.n ? enrol(person, txn, err) : r;
}

static int link_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct eid_person *person = ctx;
    const struct eid_provider *p = person->provider;
    struct arena *a = person->o->a;
    struct str sub = person->said->sub;
    int r = person->connect.n ? ERR_NOT_FOUND
                              : account_linked(txn, a, p->issuer, sub, &person->account, err);

    if (r != ERR_NOT_FOUND)
        return r;
    if ((r = find(person, txn, err)) < 0)
        return r == ERR_NOT_FOUND ? err_set(err, r, "nobody here has this identity") : r;
    r = account_link(txn, a, &person->account, p->id, p->issuer, sub, err);
    return r < 0 || !person->connect.n
               ? r
               : trust_tell(person->o->t, txn, TOLD_WAYS, &person->account, STR(""), err);
}

int eid_person_link(struct eid_person *person)
{
    int r = record_commit(person->o->t->store, link_run, person, &person->o->err);

    if (r >= 0)
        trust_told(person->o->t);
    return r;
}
