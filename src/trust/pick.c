/* pick.c - finding the patient that an app is started for. */
#include "trust/authorize.h"

#include "fhir/validate.h"
#include "trust/allow.h"

#define PICK_MAX 20
#define PICK_TEXT_MAX 200

struct found {
    struct page_out *p;
    struct str at;
};

/* First name and family name as they stand, without more than a page needs. */
static void say_name(struct page_out *p, yyjson_val *patient)
{
    yyjson_val *name = yyjson_arr_get_first(js_get(patient, "name")), *given, *one;
    size_t i, max;

    if (js_get_str(name, "text").n) {
        sb_html(p->out, js_get_str(name, "text"));
        return;
    }
    given = js_get(name, "given");
    yyjson_arr_foreach(given, i, max, one) {
        sb_html(p->out, js_str(one).p ? js_str(one) : STR(""));
        sb_char(p->out, ' ');
    }
    if (js_get_str(name, "family").n)
        sb_html(p->out, js_get_str(name, "family"));
}

static int say_patient(void *ctx, const struct row *row, struct err *err)
{
    struct found *f = ctx;
    struct page_out *p = f->p;
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    int r = row_json(p->o->t->store, row, &text, err);

    if (r >= 0)
        r = js_parse_stored(p->o->a, sb_view(&text), &root, err);
    if (r < 0)
        return r;
    sb_lit(p->out, "<li>");
    page_form(p, "/auth/step", f->at, "pick");
    sb_lit(p->out, "<input type=\"hidden\" name=\"patient\" value=\"");
    sb_html(p->out, row->id);
    sb_lit(p->out, "\"><p><bdi>");
    say_name(p, root);
    sb_lit(p->out, "</bdi>, ");
    page_text(p, TEXT_BORN);
    sb_lit(p->out, " <bdi>");
    if (js_get_str(root, "birthDate").n)
        sb_html(p->out, js_get_str(root, "birthDate"));
    sb_lit(p->out, "</bdi></p>");
    page_button(p, NULL, NULL, TEXT_CHOOSE);
    page_form_end(p);
    sb_lit(p->out, "</li>");
    return 0;
}

/* Whether there is such a Patient. */
static int get_patient(struct store_txn *txn, struct str id, struct row *ret, struct err *err)
{
    int r = ERR_NOT_FOUND;

    if (fhir_is_id(id))
        r = store_get(txn, def_resource(STR("Patient")), id, ret, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && ret->method == METHOD_DELETE))
        return err_set(err, ERR_NOT_FOUND, "there is no such patient");
    return MIN(r, 0);
}

/* By name where it has letters, else by identifier. */
static int find(struct oauth *o, struct store_txn *txn, struct str what, struct page *ret)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
    struct params *params = store_params(o->t->store);
    struct search_options opt = {.index = *store_index_options(o->t->store), .strict = true};
    struct search s;
    bool has_digit = false, first = true;
    int r;

    for (size_t i = 0; i < what.n; i++)
        has_digit |= what.p[i] >= '0' && what.p[i] <= '9';
    form_write(&query, &first, has_digit ? "identifier" : "name", what);
    sb_fmt(&query, "&_count=%d&_total=none", PICK_MAX);
    r = sb_ok(&query, &o->err);
    if (r >= 0)
        r = search_parse(o->a, params, &opt, def_resource(STR("Patient")), sb_view(&query), &s,
                         &o->err);
    if (r >= 0)
        r = store_search(txn, &s, 0, o->a, ret, &o->err);
    params_unref(params);
    return r;
}

/* As whom the person would ask. */
static int identity_of(struct oauth *o, struct store_txn *txn, const struct asked *asked,
                       struct identity *ret, struct err *err)
{
    struct account account;
    int r = account_get(txn, asked->account, o->a, &account, err);

    if (r >= 0)
        *ret = (struct identity){.kind = IDENTITY_PERSON,
                                 .subject = account.id,
                                 .client = asked->client,
                                 .role = account.role,
                                 .fhir_user = account.fhir_user,
                                 .patient = STR(""),
                                 .purpose = STR(""),
                                 .assurance = (enum assurance)asked->assurance};
    return MIN(r, 0);
}

/* Leaves of a page those whom they may find. */
static int keep_found(struct oauth *o, struct store_txn *txn, const struct identity *who,
                      struct page *page, struct err *err)
{
    bool *may = ARENA_ARRAY(o->a, bool, page->n + 1);
    size_t kept = 0;
    int r;

    if (!may)
        return err_no_memory(err);
    r = guard_find(o->t->guard, who, txn, page->rows, page->n, may, err);
    for (size_t i = 0; r >= 0 && i < page->n; i++)
        if (may[i])
            page->rows[kept++] = page->rows[i];
    page->n = r < 0 ? 0 : kept;
    return r;
}

static int find_for(struct oauth *o, struct store_txn *txn, const struct identity *who,
                    struct str what, struct page *ret)
{
    int r = o->t->guard ? guard_may_find(o->t->guard, who, &o->err) : 0;

    if (r >= 0)
        r = find(o, txn, what, ret);
    return r < 0 || !o->t->guard ? r : keep_found(o, txn, who, ret, &o->err);
}

/* Those for whom somebody acts, who look for nobody else, and they themselves first. */
static int list_own(struct oauth *o, struct store_txn *txn, const struct identity *who,
                    struct page *ret)
{
    struct str_list ids;
    int r = guard_people(o->t->guard, who, txn, o->a, &ids, &o->err);

    *ret = (struct page){.n = 0};
    if (r < 0)
        return r;
    if (!(ret->rows = ARENA_ARRAY(o->a, uint64_t, ids.n + 1)))
        return err_no_memory(&o->err);
    for (size_t i = 0; i < ids.n; i++) {
        struct row row;

        if ((r = get_patient(txn, ids.v[i], &row, &o->err)) >= 0)
            ret->rows[ret->n++] = row.row;
        else if (r != ERR_NOT_FOUND)
            return r;
    }
    return keep_found(o, txn, who, ret, &o->err);
}

static void say_patients(struct page_out *p, struct store_txn *txn, const struct page *page,
                         struct str at, int r)
{
    struct oauth *o = p->o;
    struct found f = {p, at};

    if (r < 0 || !page->n) {
        page_problem(p, r == ERR_THROTTLED ? TEXT_WAIT : TEXT_NOBODY);
        return;
    }
    sb_lit(p->out, "<ul>");
    for (size_t i = 0; i < page->n && r >= 0; i++) {
        struct row row;

        r = store_get_row(txn, page->rows[i], &row, &o->err);
        if (r >= 0)
            r = say_patient(&f, &row, &o->err);
    }
    sb_lit(p->out, "</ul>");
}

static void find_form(struct page_out *p, struct str at)
{
    page_form(p, "/auth/step", at, "find");
    page_field(p, "find", TEXT_FIND, "search", "off", TEXT_PICK_HELP);
    page_button(p, NULL, NULL, TEXT_FIND);
    page_form_end(p);
}

static void offer(struct page_out *p, struct store_txn *txn, const struct asked *asked,
                  struct str at)
{
    struct oauth *o = p->o;
    struct str what = form_get(&o->form, "find");
    struct page page = {.n = 0};
    struct identity who;
    int r = identity_of(o, txn, asked, &who, &o->err);

    if (r < 0 || (o->t->guard && decide_is_proxy(who.fhir_user))) {
        say_patients(p, txn, &page, at, r < 0 ? r : list_own(o, txn, &who, &page));
        return;
    }
    find_form(p, at);
    if (what.p && what.n <= PICK_TEXT_MAX)
        say_patients(p, txn, &page, at, find_for(o, txn, &who, what, &page));
}

void authorize_pick_page(struct oauth *o, const struct asked *asked, struct str at,
                         enum page_text problem)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access system = trust_system();
    struct page_out p;

    page_begin(&p, o, asked->locale, TEXT_PICK);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    if (store_begin(o->t->store, &system, &txn, &o->err) < 0)
        page_problem(&p, TEXT_WAIT);
    else
        offer(&p, txn, asked, at);
    page_end(&p, 200, STR_NULL);
}

int authorize_patient(struct store_txn *txn, struct str id, struct err *err)
{
    struct row row;

    return get_patient(txn, id, &row, err);
}

int authorize_picked(struct oauth *o, struct store_txn *txn, const struct asked *asked,
                     struct str id, struct err *err)
{
    struct page page = {.n = 1};
    struct identity who;
    struct row row;
    int r = get_patient(txn, id, &row, err);

    if (r < 0 || !o->t->guard)
        return r;
    page.rows = &row.row;
    if ((r = identity_of(o, txn, asked, &who, err)) >= 0)
        r = keep_found(o, txn, &who, &page, err);
    return r < 0 || page.n ? r : err_set(err, ERR_NOT_FOUND, "there is no such patient");
}
