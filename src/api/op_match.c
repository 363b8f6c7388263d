/* op_match.c - Patient/$match (patient-operation-match.html): who somebody is, from what identifies
 * them: an identifier, or a family name with the date of birth. For whoever the policy lets find
 * people that are not in their care: the least that tells them apart, and nothing of a record. A
 * person whose consent does not permit it is not found.
 */
#include "api/op.h"
#include "api/trail.h"

#include "trust/guard.h"

#define MATCH_MAX 10           /* people in one answer */
#define MATCH_IDENTIFIER_MIN 4 /* characters: shorter ones identify nobody */

/* How sure a way to look makes it (match-grade), and what it is worth. */
enum grade { GRADE_CERTAIN, GRADE_PROBABLE, GRADE_POSSIBLE };
static const struct {
    const char *code, *score;
} grades[] = {{"certain", "1"}, {"probable", "0.9"}, {"possible", "0.6"}};

struct matching {
    struct call *c;
    struct store_txn *txn; /* sees everybody: what may be told is asked of each */
    yyjson_val *given;
    uint64_t max;
    bool only_certain;
    struct found {
        uint64_t row;
        enum grade grade;
    } found[MATCH_MAX];
    size_t n;
};

static int read_request(struct matching *m)
{
    struct call *c = m->c;
    const struct op_param *resource;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "resource onlyCertainMatches count");
    if (r >= 0)
        r = op_param_bool(c, &params, "onlyCertainMatches", false, &m->only_certain);
    if (r >= 0)
        r = op_param_u64(c, &params, "count", MATCH_MAX, MATCH_MAX, &m->max);
    if (r < 0)
        return r;
    resource = op_param_find(&params, "resource");
    m->given = resource ? resource->value : NULL;
    if (!m->given || !str_eq(js_get_str(m->given, "resourceType"), STR("Patient")))
        return err_at(&c->err, ERR_REQUIRED, "resource", "a Patient to look for is missing");
    return 0;
}

/* ---- looking ---- */

/* Takes over those of a search that may be told and were not found a surer way. */
static int take(struct matching *m, const struct page *page, enum grade grade)
{
    struct call *c = m->c;
    bool *may = ARENA_ARRAY(c->a, bool, page->n + 1);
    int r = 0;

    if (!may)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < page->n; i++)
        may[i] = true;
    if (c->who.guard)
        r = guard_find(c->who.guard, c->who.identity, m->txn, page->rows, page->n, may, &c->err);
    for (size_t i = 0; i < page->n && r >= 0 && m->n < m->max; i++) {
        bool is_new = may[i];

        for (size_t k = 0; k < m->n; k++)
            is_new &= m->found[k].row != page->rows[i];
        if (is_new)
            m->found[m->n++] = (struct found){page->rows[i], grade};
    }
    return r;
}

static int look(struct matching *m, struct sb *query, enum grade grade)
{
    struct page page;
    int r;

    sb_fmt(query, "&_count=%d&_total=none", MATCH_MAX * 2);
    if ((r = sb_ok(query, &m->c->err)) < 0)
        return r;
    r = op_search(m->c, m->txn, m->c->type, sb_view(query), 4, &page);
    return r < 0 ? r : take(m, &page, grade);
}

static void add(struct sb *query, const char *name, struct str value)
{
    if (query->n)
        sb_char(query, '&');
    sb_fmt(query, "%s=", name);
    /* What a search would take for a separator is part of what was given. */
    for (size_t i = 0; i < value.n; i++) {
        if (strchr(",|$\\", value.p[i]))
            sb_lit(query, "%5C");
        sb_uri(query, str_n(value.p + i, 1));
    }
}

static int look_by_identifier(struct matching *m, bool *ret_asked)
{
    yyjson_val *one;
    size_t i, max;
    int r = 0;

    yyjson_arr_foreach(js_get(m->given, "identifier"), i, max, one) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(16));
        struct str system = js_get_str(one, "system"), value = js_get_str(one, "value");

        if (value.n < MATCH_IDENTIFIER_MIN || r < 0)
            continue;
        *ret_asked = true;
        if (system.n) {
            add(&query, "identifier", system);
            sb_lit(&query, "%7C");
            {
                _cleanup_(sb_done) struct sb rest = sb_make(KIB(8));

                add(&rest, "", value);
                sb_str(&query, str_from(sb_view(&rest), 1));
                query.failed |= rest.failed;
            }
        } else {
            add(&query, "identifier", value);
        }
        r = look(m, &query, GRADE_CERTAIN);
    }
    return r;
}

/* A name alone is no identity: many have it. */
static int look_by_name(struct matching *m, bool *ret_asked)
{
    yyjson_val *name = yyjson_arr_get_first(js_get(m->given, "name"));
    struct str born = js_get_str(m->given, "birthDate"), family = js_get_str(name, "family");
    struct str given = js_str(yyjson_arr_get_first(js_get(name, "given")));
    struct str gender = js_get_str(m->given, "gender");
    int r = 0;

    if (family.n < 2 || born.n != sizeof "2026-01-01" - 1)
        return 0;
    *ret_asked = true;
    for (enum grade grade = GRADE_PROBABLE; grade <= GRADE_POSSIBLE && r >= 0; grade++) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(16));

        if (grade == GRADE_PROBABLE && !given.n)
            continue;
        add(&query, "family", family);
        add(&query, "birthdate", born);
        if (grade == GRADE_PROBABLE)
            add(&query, "given", given);
        if (gender.n)
            add(&query, "gender", gender);
        r = look(m, &query, grade);
    }
    return r;
}

/* ---- answering ---- */

static bool was_given(const struct matching *m, yyjson_val *identifier)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(m->given, "identifier"), i, max, one) {
        struct str system = js_get_str(one, "system");

        if (str_eq(js_get_str(one, "value"), js_get_str(identifier, "value")) &&
            (!system.n || str_eq(system, js_get_str(identifier, "system"))))
            return true;
    }
    return false;
}

/* Name, sex, date of birth, and of the identifiers those that the asker knew. */
static void write_person(const struct matching *m, struct str id, yyjson_val *person)
{
    static const char *const members[] = {"active", "name", "gender", "birthDate"};
    struct sb *out = &m->c->out;
    const char *sep = ",\"identifier\":[";
    yyjson_val *one;
    size_t i, max;

    sb_lit(out, "{\"resourceType\":\"Patient\",\"id\":");
    sb_json(out, id);
    sb_lit(out, ",\"meta\":{\"tag\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                "v3-ObservationValue\",\"code\":\"SUBSETTED\"}]}");
    yyjson_arr_foreach(js_get(person, "identifier"), i, max, one) {
        if (!was_given(m, one))
            continue;
        sb_str(out, str_c(sep));
        js_write(out, one);
        sep = ",";
    }
    if (sep[1] == '\0')
        sb_char(out, ']');
    for (size_t k = 0; k < ARRAY_LEN(members); k++) {
        one = js_get(person, members[k]);
        if (!one)
            continue;
        sb_fmt(out, ",\"%s\":", members[k]);
        js_write(out, one);
    }
    sb_char(out, '}');
}

static int write_found(struct matching *m, size_t i)
{
    struct call *c = m->c;
    struct sb *out = &c->out;
    yyjson_val *person;
    struct row row;
    int r = store_get_row(m->txn, m->found[i].row, &row, &c->err);
    struct str id = r >= 0 ? arena_dup(c->a, row.id) : STR_NULL;

    if (r < 0 || (r = op_json(c, &row, &person)) < 0)
        return r;
    if (!id.p)
        return err_no_memory(&c->err);
    trail_patient(c, id);
    sb_fmt(out, "%s{\"fullUrl\":", i ? "," : ",\"entry\":[");
    sb_json(out, arena_fmt(c->a, "%.*s/Patient/%.*s", STR_ARG(c->base), STR_ARG(id)));
    sb_lit(out, ",\"resource\":");
    write_person(m, id, person);
    sb_fmt(out,
           ",\"search\":{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/"
           "match-grade\",\"valueCode\":\"%s\"}],\"mode\":\"match\",\"score\":%s}}",
           grades[m->found[i].grade].code, grades[m->found[i].grade].score);
    return 0;
}

static int run(struct matching *m)
{
    struct call *c = m->c;
    bool asked = false;
    int r = look_by_identifier(m, &asked);

    if (r >= 0 && !m->only_certain)
        r = look_by_name(m, &asked);
    if (r >= 0 && !asked)
        return err_at(&c->err, ERR_REQUIRED, "resource",
                      "this identifies nobody: give an identifier of %d characters or more, or a "
                      "family name and the date of birth",
                      MATCH_IDENTIFIER_MIN);
    if (r < 0)
        return r;
    sb_fmt(&c->out, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":%zu", m->n);
    for (size_t i = 0; i < m->n && r >= 0; i++)
        r = write_found(m, i);
    sb_str(&c->out, m->n ? STR("]}") : STR("}"));
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

int op_match(struct call *c, struct store_txn *txn)
{
    struct access node = trust_system();
    struct matching m = {.c = c};
    int r = c->who.guard ? guard_may_find(c->who.guard, c->who.identity, &c->err) : 0;

    if (r >= 0)
        r = read_request(&m);
    if (r < 0)
        return r;
    /* Without a policy the asker's own scopes say whom they see. */
    if (!c->who.guard) {
        m.txn = txn;
        return run(&m);
    }
    r = store_begin(c->api->store, &node, &m.txn, &c->err);
    if (r < 0)
        return r;
    r = run(&m);
    store_end(m.txn);
    return r;
}
