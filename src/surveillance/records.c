#include "surveillance/records.h"

#include "surveillance/outbreak.h"
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

/* Records of different types may have the same id: the type's first letter stands in front. */
static struct str finding_name(struct str type, struct str id, char to[FINDING_NAME_MAX])
{
    size_t n = MIN(id.n, (size_t)FINDING_NAME_MAX - 1);

    to[0] = *type.p;
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
                                        .residence = NOT_THERE,
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

uint32_t outbreak_number(struct records *r, struct str id)
{
    static const struct outbreak blank = {
        .from = DAY_UNKNOWN, .to = DAY_UNKNOWN, .place = NOT_THERE};
    size_t had = r->outbreak_ids.n;
    uint32_t n = names_number(&r->outbreak_ids, r->a, id);

    if (n == NOT_THERE)
        return n;
    r->outbreaks = reach(r->a, r->outbreaks, &r->outbreaks_room, n, n == had, &blank, sizeof blank);
    return r->outbreaks ? n : NOT_THERE;
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

/* An outbreak declared for a place is one of what is within it. */
static void set_part_of(struct records *r, uint32_t place, uint32_t part_of)
{
    r->is_outbreak_changed |= r->outbreak_ids.n && r->places[place].part_of != part_of;
    r->places[place].part_of = part_of;
}

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
    set_part_of(r, n, part_of);
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

/* The place that an extension of this URL refers to; *ret NOT_THERE: there is none, or no URL. */
static int extension_place(struct records *r, yyjson_val *element, struct str url, uint32_t *ret,
                           struct err *err)
{
    yyjson_val *one;
    size_t i, max;

    *ret = NOT_THERE;
    yyjson_arr_foreach(js_get(element, "extension"), i, max, one) {
        struct str at = target(js_get(one, "valueReference"), STR("Location"));

        if (!url.n || !at.p || !str_eq(js_get_str(one, "url"), url))
            continue;
        *ret = place_number(r, at);
        return *ret == NOT_THERE ? err_no_memory(err) : 0;
    }
    return 0;
}

/* Said of the person, else of the first of their addresses of which it is. */
static int take_residence(struct records *r, yyjson_val *patient, uint32_t *ret, struct err *err)
{
    struct str url = r->definitions->residence;
    yyjson_val *address;
    size_t i, max;
    int wrong = extension_place(r, patient, url, ret, err);

    yyjson_arr_foreach(js_get(patient, "address"), i, max, address)
        if (wrong == 0 && *ret == NOT_THERE)
            wrong = extension_place(r, address, url, ret, err);
    return wrong;
}

static int take_patient(struct records *r, yyjson_val *v, struct err *err)
{
    struct str other = replacement(v), gender = js_get_str(v, "gender");
    uint32_t n = person_number(r, js_get_str(v, "id"));
    uint32_t by = other.p && n != NOT_THERE ? person_number(r, other) : NOT_THERE, residence;
    struct person *p;
    int wrong = take_residence(r, v, &residence, err);

    if (wrong < 0)
        return wrong;
    if (n == NOT_THERE || (other.p && by == NOT_THERE))
        return err_no_memory(err);
    p = &r->people[n];
    p->residence = residence;
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

/* Whose finding it is; .p NULL: nobody's of this node. */
static struct str subject_of(yyjson_val *v, struct str type)
{
    const char *name = str_eq(type, STR("Immunization")) ? "patient" : "subject";

    return target(js_get(v, name), STR("Patient"));
}

/* Whose, of which visit, of which days. */
static int begin_evidence(struct records *r, yyjson_val *v, struct evidence *e, struct err *err)
{
    static const char *const onset[] = {"onsetDateTime"};
    static const char *const recorded[] = {"recordedDate"};
    static const char *const seen[] = {"effectiveDateTime", "effectiveInstant"};
    static const char *const issued[] = {"issued"};
    static const char *const given[] = {"occurrenceDateTime"};
    struct str type = js_get_str(v, "resourceType");
    struct str visit = target(js_get(v, "encounter"), STR("Encounter"));
    char name[FINDING_NAME_MAX];
    int wrong;

    e->onset = e->seen = e->reported = DAY_UNKNOWN;
    if (str_eq(type, STR("Observation"))) {
        e->seen = first_day(v, seen, ARRAY_LEN(seen));
        e->reported = first_day(v, issued, ARRAY_LEN(issued));
    } else if (str_eq(type, STR("Condition"))) {
        e->onset = first_day(v, onset, ARRAY_LEN(onset));
        e->reported = first_day(v, recorded, ARRAY_LEN(recorded));
    } else {
        e->seen = first_day(v, given, ARRAY_LEN(given));
    }
    wrong = extension_place(r, v, r->definitions->exposure, &e->exposure, err);
    if (wrong < 0)
        return wrong;
    e->person = person_number(r, subject_of(v, type));
    e->visit = visit.p ? visit_number(r, visit) : NOT_THERE;
    if (e->person == NOT_THERE || (visit.p && e->visit == NOT_THERE))
        return err_no_memory(err);
    e->source = finding_number(r, finding_name(type, js_get_str(v, "id"), name));
    return e->source == NOT_THERE ? err_no_memory(err) : 0;
}

/* A finding, of each disease and each fact that it is evidence of. */
static int take_finding(struct records *r, yyjson_val *v, struct err *err)
{
    const struct case_definitions *all = r->definitions;
    struct str type = js_get_str(v, "resourceType");
    struct evidence e = {.person = NOT_THERE};
    int wrong = records_forget(r, type, js_get_str(v, "id"), err);

    if (!subject_of(v, type).p)
        return wrong;
    for (size_t i = 0; i < all->n + all->n_facts && wrong == 0; i++) {
        const struct case_fact *fact = i < all->n ? NULL : &all->facts[i - all->n];

        e.says = fact ? case_says(fact->rules, fact->n_rules, v, &e.maybe)
                      : case_says(all->v[i].rules, all->v[i].n_rules, v, &e.maybe);
        if (e.says == CASE_NONE && !e.maybe)
            continue;
        e.disease = (uint16_t)i;
        if (e.person == NOT_THERE)
            wrong = begin_evidence(r, v, &e, err);
        if (wrong == 0 && !fact)
            saw(r, e.seen);
        if (wrong == 0)
            wrong = evidence_add(r, &e, err);
    }
    return wrong;
}

/* ---- outbreaks ---- */

/* A Task that declares an outbreak. One of a disease that is not defined, without a first day, or
 * at something that is no Location of this node declares nothing. */
static int take_task(struct records *r, yyjson_val *v, struct err *err)
{
    struct str id = js_get_str(v, "id"), status = js_get_str(v, "status");
    yyjson_val *period = js_get(v, "executionPeriod"), *location = js_get(v, "location");
    struct str at = target(location, STR("Location"));
    struct outbreak o = {.place = NOT_THERE, .to = records_day(js_get_str(period, "end"))};
    const struct case_definition *d = case_definition_find(r->definitions, outbreak_disease(v));
    int wrong = records_forget(r, STR("Task"), id, err);
    uint32_t n;

    o.from = records_day(js_get_str(period, "start"));
    if (wrong < 0 || !outbreak_is(v) ||
        (!str_eq(status, STR("in-progress")) && !str_eq(status, STR("completed"))) || !d ||
        o.from == DAY_UNKNOWN || (location && !at.p))
        return wrong;
    o.disease = (uint16_t)(d - r->definitions->v);
    n = outbreak_number(r, id);
    if (at.p)
        o.place = place_number(r, at);
    if (n == NOT_THERE || (at.p && o.place == NOT_THERE))
        return err_no_memory(err);
    r->outbreaks[n] = o;
    r->is_outbreak_changed = true;
    return 0;
}

int32_t records_newest(yyjson_val *finding)
{
    static const char *const names[] = {"recordedDate", "issued", "effectiveDateTime"};
    int32_t newest = DAY_UNKNOWN;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        newest = MAX(newest, records_day(js_get_str(finding, names[i])));
    return newest;
}

static bool is_finding(struct str type)
{
    return str_eq(type, STR("Condition")) || str_eq(type, STR("Observation")) ||
           str_eq(type, STR("Immunization"));
}

bool records_wants(const struct records *r, struct str type)
{
    if (str_eq(type, STR("Task")))
        return r->definitions->asks_outbreak;
    if (str_eq(type, STR("Immunization")))
        return r->definitions->asks_immunization;
    return is_finding(type) || str_eq(type, STR("Encounter")) || str_eq(type, STR("Location")) ||
           str_eq(type, STR("Patient"));
}

int records_take(struct records *r, yyjson_val *resource, struct err *err)
{
    struct str type = js_get_str(resource, "resourceType");

    if (!records_wants(r, type))
        return 0;
    if (is_finding(type))
        return take_finding(r, resource, err);
    if (str_eq(type, STR("Encounter")))
        return take_encounter(r, resource, err);
    if (str_eq(type, STR("Location")))
        return take_location(r, resource, err);
    return str_eq(type, STR("Task")) ? take_task(r, resource, err) : take_patient(r, resource, err);
}

static uint32_t number_of(const struct records *r, struct str type, struct str id)
{
    char text[FINDING_NAME_MAX];

    if (is_finding(type))
        return names_find(&r->finding_ids, finding_name(type, id, text));
    if (str_eq(type, STR("Encounter")))
        return names_find(&r->visit_ids, id);
    if (str_eq(type, STR("Location")))
        return names_find(&r->place_ids, id);
    if (str_eq(type, STR("Task")))
        return names_find(&r->outbreak_ids, id);
    return str_eq(type, STR("Patient")) ? names_find(&r->person_ids, id) : NOT_THERE;
}

bool records_knows(const struct records *r, struct str type, struct str id)
{
    return (!str_eq(type, STR("Encounter")) && !str_eq(type, STR("Patient"))) ||
           number_of(r, type, id) != NOT_THERE;
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
        r->people[n].residence = NOT_THERE;
        return records_replace(r, n, NOT_THERE, err);
    }
    if (str_eq(type, STR("Task"))) {
        r->is_outbreak_changed |= r->outbreaks[n].from != DAY_UNKNOWN;
        r->outbreaks[n].from = DAY_UNKNOWN;
        return 0;
    }
    r->places[n].name = r->places[n].level = STR_NULL;
    set_part_of(r, n, NOT_THERE);
    return 0;
}

int records_erase(struct records *r, struct str type, struct str id, struct err *err)
{
    uint32_t n = number_of(r, type, id);
    int wrong = records_forget(r, type, id, err);

    if (n == NOT_THERE || wrong < 0)
        return wrong;
    if (is_finding(type))
        names_blank(&r->finding_ids, n);
    else if (str_eq(type, STR("Encounter")) && r->visits[n].evidence == NOT_THERE)
        names_blank(&r->visit_ids, n);
    else if (str_eq(type, STR("Patient")) && r->people[n].evidence == NOT_THERE &&
             r->people[n].first_merged == NOT_THERE)
        names_blank(&r->person_ids, n);
    else if (str_eq(type, STR("Task")))
        names_blank(&r->outbreak_ids, n);
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
