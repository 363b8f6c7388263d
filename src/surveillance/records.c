#include "surveillance/records.h"

#include "surveillance/records_int.h"

#include "base/clock.h"

void records_init(struct records *r, struct arena *a, const struct case_definitions *definitions)
{
    *r = (struct records){
        .a = a, .definitions = definitions, .first = DAY_UNKNOWN, .last = DAY_UNKNOWN};
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

/* An array with room for element `number`, new elements being `blank`; NULL at the limit. */
static void *reach(struct arena *a, void *v, size_t *room, uint32_t number, const void *blank,
                   size_t size)
{
    while (v == NULL || number >= *room) {
        size_t had = *room;

        v = names_room(a, v, had, room, size);
        if (!v)
            return NULL;
        for (size_t i = had; i < *room; i++)
            memcpy((char *)v + i * size, blank, size);
    }
    return v;
}

static uint32_t place_number(struct records *r, struct str id)
{
    static const struct place blank = {.part_of = NOT_THERE};
    uint32_t n = names_number(&r->place_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->places = reach(r->a, r->places, &r->places_room, n, &blank, sizeof blank);
    return r->places ? n : NOT_THERE;
}

static uint32_t person_number(struct records *r, struct str id)
{
    static const struct person blank = {DAY_UNKNOWN, DAY_UNKNOWN, SEX_UNKNOWN};
    uint32_t n = names_number(&r->person_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->people = reach(r->a, r->people, &r->people_room, n, &blank, sizeof blank);
    return r->people ? n : NOT_THERE;
}

static uint32_t visit_number(struct records *r, struct str id)
{
    static const struct visit blank = {NOT_THERE, DAY_UNKNOWN};
    uint32_t n = names_number(&r->visit_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->visits = reach(r->a, r->visits, &r->visits_room, n, &blank, sizeof blank);
    return r->visits ? n : NOT_THERE;
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
    r->places[n] = (struct place){.id = r->place_ids.v[n],
                                  .name = arena_dup(r->a, js_get_str(v, "name")),
                                  .level = arena_dup(r->a, level),
                                  .part_of = part_of};
    return r->places[n].name.p && r->places[n].level.p ? 0 : err_no_memory(err);
}

static int take_patient(struct records *r, yyjson_val *v, struct err *err)
{
    uint32_t n = person_number(r, js_get_str(v, "id"));
    struct str gender = js_get_str(v, "gender");

    if (n == NOT_THERE)
        return err_no_memory(err);
    r->people[n] = (struct person){.born = records_day(js_get_str(v, "birthDate")),
                                   .died = records_day(js_get_str(v, "deceasedDateTime")),
                                   .sex = str_eq(gender, STR("female"))  ? SEX_FEMALE
                                          : str_eq(gender, STR("male"))  ? SEX_MALE
                                          : str_eq(gender, STR("other")) ? SEX_OTHER
                                                                         : SEX_UNKNOWN};
    return 0;
}

static int take_encounter(struct records *r, yyjson_val *v, struct err *err)
{
    yyjson_val *location = js_get(yyjson_arr_get_first(js_get(v, "location")), "location");
    struct str at = target(location, STR("Location"));
    uint32_t n = visit_number(r, js_get_str(v, "id"));
    uint32_t place = at.p && n != NOT_THERE ? place_number(r, at) : NOT_THERE;

    if (n == NOT_THERE || (at.p && place == NOT_THERE))
        return err_no_memory(err);
    if (str_eq(js_get_str(v, "status"), STR("entered-in-error")))
        return 0;
    r->visits[n] = (struct visit){place, records_day(js_get_str(js_get(v, "period"), "start"))};
    saw(r, r->visits[n].day);
    return 0;
}

static int add_evidence(struct records *r, const struct evidence *e, struct err *err)
{
    struct evidence *v =
        names_room(r->a, r->evidence, r->n_evidence, &r->evidence_room, sizeof *r->evidence);

    if (!v)
        return err_no_memory(err);
    r->evidence = v;
    v[r->n_evidence++] = *e;
    return 0;
}

/* A Condition or an Observation, of each disease that it is evidence of. */
static int take_finding(struct records *r, yyjson_val *v, bool is_observation, struct err *err)
{
    static const char *const onset[] = {"onsetDateTime"};
    static const char *const recorded[] = {"recordedDate"};
    static const char *const seen[] = {"effectiveDateTime", "effectiveInstant"};
    static const char *const issued[] = {"issued"};
    struct str person = target(js_get(v, "subject"), STR("Patient"));
    struct str visit = target(js_get(v, "encounter"), STR("Encounter"));
    struct evidence e = {.person = NOT_THERE, .visit = NOT_THERE};
    int wrong = 0;

    if (!person.p)
        return 0;
    e.onset = is_observation ? DAY_UNKNOWN : first_day(v, onset, ARRAY_LEN(onset));
    e.seen = is_observation ? first_day(v, seen, ARRAY_LEN(seen)) : DAY_UNKNOWN;
    e.reported = is_observation ? first_day(v, issued, ARRAY_LEN(issued))
                                : first_day(v, recorded, ARRAY_LEN(recorded));
    for (size_t i = 0; i < r->definitions->n && wrong == 0; i++) {
        e.says = case_says(&r->definitions->v[i], v);
        if (e.says == CASE_NONE)
            continue;
        e.disease = (uint16_t)i;
        if (e.person == NOT_THERE && (e.person = person_number(r, person)) == NOT_THERE)
            return err_no_memory(err);
        if (visit.p && e.visit == NOT_THERE && (e.visit = visit_number(r, visit)) == NOT_THERE)
            return err_no_memory(err);
        saw(r, e.seen);
        wrong = add_evidence(r, &e, err);
    }
    return wrong;
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

int records_take(struct records *r, yyjson_val *resource, struct err *err)
{
    struct str type = js_get_str(resource, "resourceType");

    if (str_eq(type, STR("Condition")))
        return take_finding(r, resource, false, err);
    if (str_eq(type, STR("Observation")))
        return take_finding(r, resource, true, err);
    if (str_eq(type, STR("Encounter")))
        return take_encounter(r, resource, err);
    if (str_eq(type, STR("Location")))
        return take_location(r, resource, err);
    return str_eq(type, STR("Patient")) ? take_patient(r, resource, err) : 0;
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
