#include "surveillance/records.h"

#include "surveillance/records_int.h"

#include "base/clock.h"

void records_init(struct records *r, struct arena *a, const struct case_definitions *definitions)
{
    *r = (struct records){.a = a,
                          .definitions = definitions,
                          .finding_ids.is_typed = true,
                          .hole = NOT_THERE,
                          .first = DAY_UNKNOWN,
                          .last = DAY_UNKNOWN};
}

/* ---- elements ---- */

int32_t records_day(struct str s)
{
    uint64_t year, month, day;

    if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-' || !str_to_u64(str_head(s, 4), 9999, &year) ||
        !str_to_u64(str_head(str_from(s, 5), 2), 12, &month) ||
        !str_to_u64(str_head(str_from(s, 8), 2), 31, &day) || !month || !day ||
        (int)day > clock_month_days((int)year, (int)month))
        return DAY_UNKNOWN;
    return (int32_t)clock_days((int)year, (int)month, (int)day);
}

static int32_t first_day(yyjson_val *v, const char *const *names, size_t n)
{
    int32_t day = DAY_UNKNOWN;

    for (size_t i = 0; i < n && day == DAY_UNKNOWN; i++)
        day = records_day(js_get_str(v, names[i]));
    return day;
}

/* ---- names of things ---- */

#define FINDING_NAME_MAX 128 /* an id is shorter; what is not is cut, and is none of a store's */

/* Conditions and Observations may have the same id. */
static struct str finding_name(bool is_observation, struct str id, char to[FINDING_NAME_MAX])
{
    size_t n = MIN(id.n, (size_t)FINDING_NAME_MAX - 1);

    to[0] = is_observation ? 'O' : 'C';
    if (n)
        memcpy(to + 1, id.p, n);
    return str_n(to, n + 1);
}

/* An array with room for element `number`, which is `blank` if nobody had that number before; NULL
 * at the limit. Numbers are given one after the other. */
static void *reach(struct arena *a, void *v, size_t *room, uint32_t number, bool is_new,
                   const void *blank, size_t size)
{
    v = names_room(a, v, number, room, size);
    if (v && is_new)
        memcpy((char *)v + number * size, blank, size);
    return v;
}

uint32_t place_number(struct records *r, struct str id)
{
    static const struct place blank = {.part_of = NOT_THERE};
    size_t had = r->place_ids.n;
    uint32_t n = names_number(&r->place_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->places = reach(r->a, r->places, &r->places_room, n, n == had, &blank, sizeof blank);
    if (r->places && n == had)
        r->places[n].id = arena_dup(r->a, id);
    return r->places && r->places[n].id.p ? n : NOT_THERE;
}

uint32_t person_number(struct records *r, struct str id)
{
    static const struct person blank = {.born = DAY_UNKNOWN,
                                        .died = DAY_UNKNOWN,
                                        .replaced_by = NOT_THERE,
                                        .first_merged = NOT_THERE,
                                        .next_merged = NOT_THERE,
                                        .evidence = NOT_THERE,
                                        .cases = NOT_THERE};
    size_t had = r->person_ids.n;
    uint32_t n = names_number(&r->person_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->people = reach(r->a, r->people, &r->people_room, n, n == had, &blank, sizeof blank);
    return r->people ? n : NOT_THERE;
}

uint32_t visit_number(struct records *r, struct str id)
{
    static const struct visit blank = {NOT_THERE, DAY_UNKNOWN, NOT_THERE};
    size_t had = r->visit_ids.n;
    uint32_t n = names_number(&r->visit_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->visits = reach(r->a, r->visits, &r->visits_room, n, n == had, &blank, sizeof blank);
    return r->visits ? n : NOT_THERE;
}

uint32_t finding_number(struct records *r, struct str name)
{
    static const uint32_t blank = NOT_THERE;
    size_t had = r->finding_ids.n;
    uint32_t n = names_number(&r->finding_ids, r->a, name);

    if (n == NOT_THERE)
        return n;
    r->findings = reach(r->a, r->findings, &r->findings_room, n, n == had, &blank, sizeof blank);
    return r->findings ? n : NOT_THERE;
}

/* The id in "Type/id" of this node; STR_NULL for anything else. */
static struct str target(yyjson_val *reference, struct str type)
{
    struct str text = js_get_str(reference, "reference");

    if (text.n <= type.n + 1 || !str_starts(text, type) || text.p[type.n] != '/')
        return STR_NULL;
    text = str_from(text, type.n + 1);
    return str_find(text, '/') < 0 ? text : STR_NULL;
}

static void saw(struct records *r, int32_t day)
{
    if (day == DAY_UNKNOWN)
        return;
    if (r->first == DAY_UNKNOWN || day < r->first)
        r->first = day;
    if (r->last == DAY_UNKNOWN || day > r->last)
        r->last = day;
}

/* ---- resources ---- */

static int take_location(struct records *r, yyjson_val *v, struct err *err)
{
    struct str up = target(js_get(v, "partOf"), STR("Location"));
    yyjson_val *type = yyjson_arr_get_first(js_get(v, "type"));
    yyjson_val *coding = yyjson_arr_get_first(js_get(type, "coding"));
    struct str level = js_get_str(type, "text");
    uint32_t n = place_number(r, js_get_str(v, "id"));
    uint32_t part_of = up.p && n != NOT_THERE ? place_number(r, up) : NOT_THERE;

    if (!level.n)
        level = js_get_str(coding, "display");
    if (n == NOT_THERE || (up.p && part_of == NOT_THERE))
        return err_no_memory(err);
    r->places[n].name = arena_dup(r->a, js_get_str(v, "name"));
    r->places[n].level = arena_dup(r->a, level);
    r->places[n].part_of = part_of;
    return r->places[n].name.p && r->places[n].level.p ? 0 : err_no_memory(err);
}

/* Who replaces them, by a link of the type "replaced-by". */
static struct str replacement(yyjson_val *patient)
{
    yyjson_val *link;
    size_t i, max;

    yyjson_arr_foreach(js_get(patient, "link"), i, max, link)
        if (str_eq(js_get_str(link, "type"), STR("replaced-by")))
            return target(js_get(link, "other"), STR("Patient"));
    return STR_NULL;
}

static int take_patient(struct records *r, yyjson_val *v, struct err *err)
{
    struct str other = replacement(v), gender = js_get_str(v, "gender");
    uint32_t n = person_number(r, js_get_str(v, "id"));
    uint32_t by = other.p && n != NOT_THERE ? person_number(r, other) : NOT_THERE;
    struct person *p;

    if (n == NOT_THERE || (other.p && by == NOT_THERE))
        return err_no_memory(err);
    p = &r->people[n];
    p->born = records_day(js_get_str(v, "birthDate"));
    p->died = records_day(js_get_str(v, "deceasedDateTime"));
    p->sex = str_eq(gender, STR("female"))  ? SEX_FEMALE
             : str_eq(gender, STR("male"))  ? SEX_MALE
             : str_eq(gender, STR("other")) ? SEX_OTHER
                                            : SEX_UNKNOWN;
    return records_replace(r, n, by, err);
}

static int take_encounter(struct records *r, yyjson_val *v, struct err *err)
{
    yyjson_val *location = js_get(yyjson_arr_get_first(js_get(v, "location")), "location");
    bool is_error = str_eq(js_get_str(v, "status"), STR("entered-in-error"));
    struct str at = is_error ? STR_NULL : target(location, STR("Location"));
    uint32_t n = visit_number(r, js_get_str(v, "id"));
    uint32_t place = at.p && n != NOT_THERE ? place_number(r, at) : NOT_THERE;

    if (n == NOT_THERE || (at.p && place == NOT_THERE))
        return err_no_memory(err);
    r->visits[n].place = place;
    r->visits[n].day =
        is_error ? DAY_UNKNOWN : records_day(js_get_str(js_get(v, "period"), "start"));
    saw(r, r->visits[n].day);
    return records_touch_visit(r, n, err);
}

/* Which person and visit a finding is of. */
static int find_subject(struct records *r, yyjson_val *v, struct evidence *e, struct err *err)
{
    struct str visit = target(js_get(v, "encounter"), STR("Encounter"));

    e->person = person_number(r, target(js_get(v, "subject"), STR("Patient")));
    e->visit = visit.p ? visit_number(r, visit) : NOT_THERE;
    return e->person == NOT_THERE || (visit.p && e->visit == NOT_THERE) ? err_no_memory(err) : 0;
}

/* A Condition or an Observation, of each disease that it is evidence of. */
static int take_finding(struct records *r, yyjson_val *v, bool is_observation, struct err *err)
{
    static const char *const onset[] = {"onsetDateTime"};
    static const char *const recorded[] = {"recordedDate"};
    static const char *const seen[] = {"effectiveDateTime", "effectiveInstant"};
    static const char *const issued[] = {"issued"};
    struct str id = js_get_str(v, "id");
    struct evidence e = {.person = NOT_THERE, .visit = NOT_THERE, .source = NOT_THERE};
    char name[FINDING_NAME_MAX];
    int wrong = records_forget(r, js_get_str(v, "resourceType"), id, err);

    if (!target(js_get(v, "subject"), STR("Patient")).p)
        return wrong;
    for (size_t i = 0; i < r->definitions->n && wrong == 0; i++) {
        e.says = case_says(&r->definitions->v[i], v);
        if (e.says == CASE_NONE)
            continue;
        e.disease = (uint16_t)i;
        if (e.person == NOT_THERE) {
            e.onset = is_observation ? DAY_UNKNOWN : first_day(v, onset, ARRAY_LEN(onset));
            e.seen = is_observation ? first_day(v, seen, ARRAY_LEN(seen)) : DAY_UNKNOWN;
            e.reported = is_observation ? first_day(v, issued, ARRAY_LEN(issued))
                                        : first_day(v, recorded, ARRAY_LEN(recorded));
            saw(r, e.seen);
            wrong = find_subject(r, v, &e, err);
            if (wrong == 0)
                e.source = finding_number(r, finding_name(is_observation, id, name));
        }
        if (wrong == 0)
            wrong = e.source == NOT_THERE ? err_no_memory(err) : evidence_add(r, &e, err);
    }
    return wrong;
}

int32_t records_newest(yyjson_val *finding)
{
    static const char *const names[] = {"recordedDate", "issued", "effectiveDateTime"};
    int32_t newest = DAY_UNKNOWN;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        newest = MAX(newest, records_day(js_get_str(finding, names[i])));
    return newest;
}

static const char *const wanted[] = {"Condition", "Encounter", "Location", "Observation",
                                     "Patient"};

bool records_wants(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (str_eq(type, str_c(wanted[i])))
            return true;
    return false;
}

static bool is_finding(struct str type)
{
    return str_eq(type, STR("Condition")) || str_eq(type, STR("Observation"));
}

int records_take(struct records *r, yyjson_val *resource, struct err *err)
{
    struct str type = js_get_str(resource, "resourceType");

    if (is_finding(type))
        return take_finding(r, resource, str_eq(type, STR("Observation")), err);
    if (str_eq(type, STR("Encounter")))
        return take_encounter(r, resource, err);
    if (str_eq(type, STR("Location")))
        return take_location(r, resource, err);
    return str_eq(type, STR("Patient")) ? take_patient(r, resource, err) : 0;
}

static uint32_t number_of(const struct records *r, struct str type, struct str id)
{
    char text[FINDING_NAME_MAX];

    if (is_finding(type))
        return names_find(&r->finding_ids,
                          finding_name(str_eq(type, STR("Observation")), id, text));
    if (str_eq(type, STR("Encounter")))
        return names_find(&r->visit_ids, id);
    if (str_eq(type, STR("Location")))
        return names_find(&r->place_ids, id);
    return str_eq(type, STR("Patient")) ? names_find(&r->person_ids, id) : NOT_THERE;
}

bool records_knows(const struct records *r, struct str type, struct str id)
{
    return is_finding(type) || str_eq(type, STR("Location")) || number_of(r, type, id) != NOT_THERE;
}

int records_forget(struct records *r, struct str type, struct str id, struct err *err)
{
    uint32_t n = number_of(r, type, id);

    if (n == NOT_THERE)
        return 0;
    if (is_finding(type))
        return evidence_drop(r, n, err);
    if (str_eq(type, STR("Encounter"))) {
        r->visits[n].place = NOT_THERE;
        r->visits[n].day = DAY_UNKNOWN;
        return records_touch_visit(r, n, err);
    }
    if (str_eq(type, STR("Patient"))) {
        r->people[n].born = r->people[n].died = DAY_UNKNOWN;
        r->people[n].sex = SEX_UNKNOWN;
        return records_replace(r, n, NOT_THERE, err);
    }
    r->places[n].name = r->places[n].level = STR_NULL;
    r->places[n].part_of = NOT_THERE;
    return 0;
}

int records_place(const struct records *r, struct str id, uint32_t *ret, struct err *err)
{
    uint32_t place = names_find(&r->place_ids, id);

    if (place == NOT_THERE)
        return err_set(err, ERR_VALUE, "no Location is known as \"%.*s\"", (int)MIN(id.n, 64u),
                       id.p);
    *ret = place;
    return 0;
}

bool records_is_within(const struct records *r, uint32_t place, uint32_t outer)
{
    for (int depth = 0; place != NOT_THERE && depth < PLACE_DEPTH_MAX; depth++) {
        if (place == outer)
            return true;
        place = r->places[place].part_of;
    }
    return false;
}

uint32_t records_place_at(const struct records *r, uint32_t place, struct str level)
{
    for (int depth = 0; place != NOT_THERE && depth < PLACE_DEPTH_MAX; depth++) {
        if (str_eq_nocase(r->places[place].level, level))
            return place;
        place = r->places[place].part_of;
    }
    return NOT_THERE;
}
