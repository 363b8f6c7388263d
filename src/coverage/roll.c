#include "coverage/roll.h"

#include "base/clock.h"

#include <stdlib.h>

#define SOURCE_NAME_MAX (FHIR_ID_MAX + 8)
#define NUMBER_TEXT_MAX 40
#define DOSE_MAX 100

/* ---- small questions to a resource ---- */

/* The element at "a" or "a.b". */
static yyjson_val *element(yyjson_val *v, const char *path)
{
    struct str rest = str_c(path), name;

    while (v && str_split(&rest, '.', &name))
        v = yyjson_obj_getn(v, name.p, name.n);
    return v;
}

/* The day of a date, a dateTime or an instant that has one. */
static int32_t day_of(struct str s)
{
    uint64_t y, m, d;

    if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-' || !str_to_u64(str_head(s, 4), 9999, &y) ||
        !str_to_u64(str_n(s.p + 5, 2), 12, &m) || !str_to_u64(str_n(s.p + 8, 2), 31, &d) || !m ||
        !d || (int)d > clock_month_days((int)y, (int)m))
        return DAY_NONE;
    return (int32_t)clock_days((int)y, (int)m, (int)d);
}

/* Of a birth date that says less, the first day that it may be. */
static int32_t birth_day(struct str s)
{
    char whole[] = "0000-01-01";

    if (s.n != 4 && s.n != 7)
        return day_of(s);
    memcpy(whole, s.p, s.n);
    return day_of(str_c(whole));
}

static int32_t first_day(yyjson_val *v, const char *const *paths, size_t n)
{
    int32_t day = DAY_NONE;

    for (size_t i = 0; i < n && paths[i] && day == DAY_NONE; i++)
        day = day_of(js_str(element(v, paths[i])));
    return day;
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

static bool is_among(struct str word, const char *words)
{
    struct str rest = str_c(words), one;

    while (word.n && str_split(&rest, ' ', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

/* ---- numbers of things ---- */

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

/* NUMBER(place, …) is place_number(r, id): given when it is new; NAMES_NONE at the limit. */
#define NUMBER(one, ids, array, elements, ...)                                                     \
    static uint32_t one##_number(struct roll *r, struct str id)                                    \
    {                                                                                              \
        static const elements blank = __VA_ARGS__;                                                 \
        size_t had = r->ids.n;                                                                     \
        uint32_t n = names_number(&r->ids, r->a, id);                                              \
                                                                                                   \
        if (n == NAMES_NONE)                                                                       \
            return n;                                                                              \
        r->array =                                                                                 \
            reach(r->a, r->array, &r->array##_room, n, n == had, &blank, sizeof blank);            \
        return r->array ? n : NAMES_NONE;                                                          \
    }

NUMBER(place, place_ids, places, struct roll_place, {.part_of = NAMES_NONE, .org = NAMES_NONE})
NUMBER(org, org_ids, orgs, struct roll_org, {NAMES_NONE})
NUMBER(person, person_ids, people, struct roll_person,
       {.born = DAY_NONE,
        .died = DAY_OPEN,
        .org = NAMES_NONE,
        .replaced_by = NAMES_NONE,
        .services = NAMES_NONE})
NUMBER(visit, visit_ids, visits, struct roll_visit, {NAMES_NONE, NAMES_NONE, DAY_NONE})
NUMBER(source, source_ids, sources, uint32_t, NAMES_NONE)

/* The number of what a reference leads to; *ret is NAMES_NONE where it leads nowhere here. */
static int numbered(struct roll *r, uint32_t (*number)(struct roll *r, struct str id),
                    struct str id, uint32_t *ret, struct err *err)
{
    *ret = id.n ? number(r, id) : NAMES_NONE;
    return id.n && *ret == NAMES_NONE ? err_no_memory(err) : 0;
}

static void saw(struct roll *r, int32_t day)
{
    if (day != DAY_NONE && day <= r->now)
        r->today = MAX(r->today, day);
}

/* ---- places and organisations ---- */

static int take_location(struct roll *r, yyjson_val *v, struct err *err)
{
    yyjson_val *type = yyjson_arr_get_first(js_get(v, "type"));
    yyjson_val *coding = yyjson_arr_get_first(js_get(type, "coding"));
    struct str level = js_get_str(type, "text");
    uint32_t n, up, org;
    struct roll_place *p;
    int wrong = numbered(r, place_number, js_get_str(v, "id"), &n, err);

    if (wrong == 0)
        wrong = numbered(r, place_number, target(js_get(v, "partOf"), STR("Location")), &up, err);
    if (wrong == 0)
        wrong = numbered(r, org_number,
                         target(js_get(v, "managingOrganization"), STR("Organization")), &org, err);
    if (wrong < 0 || n == NAMES_NONE)
        return wrong;
    if (!level.n)
        level = js_get_str(coding, "display");
    p = &r->places[n];
    p->id = arena_dup(r->a, js_get_str(v, "id"));
    p->name = arena_dup(r->a, js_get_str(v, "name"));
    p->level = arena_dup(r->a, level);
    p->part_of = up;
    p->org = org;
    p->is_there = !str_eq(js_get_str(v, "status"), STR("inactive"));
    return p->id.p && p->name.p && p->level.p ? 0 : err_no_memory(err);
}

static int take_organization(struct roll *r, yyjson_val *v, struct err *err)
{
    uint32_t n, up;
    int wrong = numbered(r, org_number, js_get_str(v, "id"), &n, err);

    if (wrong == 0)
        wrong = numbered(r, org_number, target(js_get(v, "partOf"), STR("Organization")), &up, err);
    if (wrong == 0 && n != NAMES_NONE)
        r->orgs[n].part_of = up;
    return wrong;
}

/* ---- people ---- */

static struct str replacement(yyjson_val *patient)
{
    yyjson_val *link;
    size_t i, max;

    yyjson_arr_foreach(js_get(patient, "link"), i, max, link)
        if (str_eq(js_get_str(link, "type"), STR("replaced-by")))
            return target(js_get(link, "other"), STR("Patient"));
    return STR_NULL;
}

static struct str registered_at(yyjson_val *patient)
{
    struct str id = target(js_get(patient, "managingOrganization"), STR("Organization"));
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(patient, "generalPractitioner"), i, max, one)
        if (!id.p)
            id = target(one, STR("Organization"));
    return id;
}

static int take_patient(struct roll *r, yyjson_val *v, struct err *err)
{
    struct str gender = js_get_str(v, "gender"), died = js_get_str(v, "deceasedDateTime");
    uint32_t n, org, by;
    struct roll_person *p;
    int wrong = numbered(r, person_number, js_get_str(v, "id"), &n, err);

    if (wrong == 0)
        wrong = numbered(r, person_number, replacement(v), &by, err);
    if (wrong == 0)
        wrong = numbered(r, org_number, registered_at(v), &org, err);
    if (wrong < 0 || n == NAMES_NONE)
        return wrong;
    p = &r->people[n];
    p->born = birth_day(js_get_str(v, "birthDate"));
    p->died = died.n ? birth_day(died) : DAY_OPEN;
    p->sex = str_eq(gender, STR("female")) ? ROLL_FEMALE
             : str_eq(gender, STR("male")) ? ROLL_MALE
                                           : ROLL_OTHER;
    p->org = org;
    p->replaced_by = by;
    p->is_there = !yyjson_is_false(js_get(v, "active")) &&
                  !yyjson_is_true(js_get(v, "deceasedBoolean")) && p->died != DAY_NONE;
    return 0;
}

uint32_t roll_root(const struct roll *r, uint32_t person)
{
    uint32_t at = person;

    for (int depth = 0; r->people[at].replaced_by != NAMES_NONE; depth++) {
        if (depth == ROLL_DEPTH_MAX)
            return person;
        at = r->people[at].replaced_by;
    }
    return at;
}

/* ---- visits ---- */

static int take_visit(struct roll *r, yyjson_val *v, struct err *err)
{
    yyjson_val *location = js_get(yyjson_arr_get_first(js_get(v, "location")), "location");
    uint32_t n, place, org;
    int wrong = numbered(r, visit_number, js_get_str(v, "id"), &n, err);

    if (wrong == 0)
        wrong = numbered(r, place_number, target(location, STR("Location")), &place, err);
    if (wrong == 0)
        wrong = numbered(r, org_number, target(js_get(v, "serviceProvider"), STR("Organization")),
                         &org, err);
    if (wrong < 0 || n == NAMES_NONE)
        return wrong;
    r->visits[n] = (struct roll_visit){place, org, day_of(js_str(element(v, "period.start")))};
    saw(r, r->visits[n].day);
    return 0;
}

/* ---- services ---- */

static struct str source_name(size_t type, struct str id, char to[SOURCE_NAME_MAX])
{
    size_t n = MIN(id.n, (size_t)FHIR_ID_MAX);

    to[0] = (char)('A' + type);
    if (n)
        memcpy(to + 1, id.p, n);
    return str_n(to, n + 1);
}

static void drop_of_person(struct roll *r, uint32_t i)
{
    uint32_t *at = &r->people[r->services[i].person].services;

    while (*at != i)
        at = &r->services[*at].next_of_person;
    *at = r->services[i].next_of_person;
}

static void drop_services(struct roll *r, uint32_t source)
{
    for (uint32_t i = r->sources[source], next; i != NAMES_NONE; i = next) {
        next = r->services[i].next_of_source;
        drop_of_person(r, i);
        r->services[i].person = NAMES_NONE;
        r->services[i].next_of_person = r->hole;
        r->hole = i;
    }
    r->sources[source] = NAMES_NONE;
}

static int add_service(struct roll *r, uint32_t source, const struct roll_service *s,
                       struct err *err)
{
    uint32_t i = r->hole;

    if (i != NAMES_NONE) {
        r->hole = r->services[i].next_of_person;
    } else {
        r->services =
            names_room(r->a, r->services, r->n_services, &r->services_room, sizeof *r->services);
        if (!r->services || r->n_services >= NAMES_NONE)
            return err_no_memory(err);
        i = (uint32_t)r->n_services++;
    }
    r->services[i] = *s;
    r->services[i].next_of_person = r->people[s->person].services;
    r->services[i].next_of_source = r->sources[source];
    r->people[s->person].services = r->sources[source] = i;
    return 0;
}

/* What was not done, or is said not to be so, is no service. */
static bool is_done(yyjson_val *v)
{
    yyjson_val *verified = js_get(js_get(v, "verificationStatus"), "coding");

    return !is_among(js_get_str(v, "status"),
                     "entered-in-error not-done cancelled planned preparation draft") &&
           !is_among(js_get_str(yyjson_arr_get_first(verified), "code"),
                     "refuted entered-in-error");
}

/* Whether a measured value is below a limit; with "<" in front of it, also at the limit. */
static bool is_low(yyjson_val *observation, uint32_t below)
{
    yyjson_val *quantity = js_get(observation, "valueQuantity");
    struct str value = js_str(js_get(quantity, "value"));
    char text[NUMBER_TEXT_MAX];
    double n;

    if (!value.n || value.n >= sizeof text)
        return false;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    n = strtod(text, NULL);
    return n < below || (n <= below && str_eq(js_get_str(quantity, "comparator"), STR("<")));
}

/* The highest number of a dose; 0: it has none. */
static uint8_t dose_of(yyjson_val *v)
{
    uint64_t n, most = 0;
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(v, "protocolApplied"), i, max, one)
        if (str_to_u64(js_str(js_get(one, "doseNumberPositiveInt")), DOSE_MAX, &n))
            most = MAX(most, n);
    return (uint8_t)most;
}

static int32_t end_of(yyjson_val *v, const struct service_type *t, int32_t from)
{
    int32_t to = first_day(v, t->to, ARRAY_LEN(t->to));

    if (to != DAY_NONE)
        return MAX(to, from);
    /* An episode that is over without saying since when is over since it began. */
    return t->to[0] && !is_among(js_get_str(v, "status"), "finished completed") ? DAY_OPEN : from;
}

static int take_services(struct roll *r, yyjson_val *v, size_t type, struct err *err)
{
    const struct service_type *t = &service_types[type];
    struct str id = js_get_str(v, "id"), of = target(js_get(v, t->subject), STR("Patient"));
    struct roll_service s = {.person = NAMES_NONE};
    char text[SOURCE_NAME_MAX];
    uint32_t source = names_find(&r->source_ids, source_name(type, id, text));
    int32_t recorded;
    int wrong = 0;

    if (source != NAMES_NONE)
        drop_services(r, source);
    s.from = first_day(v, t->from, ARRAY_LEN(t->from));
    if (!of.p || s.from == DAY_NONE || !is_done(v))
        return 0;
    for (size_t i = 0; i < r->set->n_services && wrong == 0; i++) {
        if (r->set->services[i].type != type || !service_is(&r->set->services[i], v))
            continue;
        if (s.person == NAMES_NONE) {
            recorded = t->recorded ? day_of(js_get_str(v, t->recorded)) : DAY_NONE;
            s.to = end_of(v, t, s.from);
            s.delay = recorded == DAY_NONE ? DAY_NONE : MAX(recorded - s.from, 0);
            s.dose = dose_of(v);
            saw(r, s.from);
            wrong = numbered(r, person_number, of, &s.person, err);
            if (wrong == 0)
                wrong = numbered(r, source_number, source_name(type, id, text), &source, err);
        }
        s.service = (uint16_t)i;
        s.is_low = r->set->services[i].has_low && is_low(v, r->set->services[i].low_below);
        if (wrong == 0)
            wrong = add_service(r, source, &s, err);
    }
    return wrong;
}

/* ---- all of them ---- */

void roll_init(struct roll *r, struct arena *a, const struct coverage_set *set)
{
    *r = (struct roll){.a = a,
                       .set = set,
                       .source_ids = {.is_typed = true},
                       .hole = NAMES_NONE,
                       .now = (int32_t)(clock_now_ms() / 86400000),
                       .today = DAY_NONE};
}

static size_t type_of(struct str type)
{
    size_t i = 0;

    while (i < SERVICE_TYPES && !str_eq(type, str_c(service_types[i].type)))
        i++;
    return i;
}

bool roll_wants(const struct roll *r, struct str type)
{
    size_t of = type_of(type);

    for (size_t i = 0; i < r->set->n_services; i++)
        if (r->set->services[i].type == of)
            return true;
    return is_among(type, "Encounter Location Organization Patient");
}

int roll_take(struct roll *r, yyjson_val *v, struct err *err)
{
    struct str type = js_get_str(v, "resourceType");
    size_t of = type_of(type);
    int wrong = 0;

    if (str_eq(type, STR("Location")))
        return take_location(r, v, err);
    if (str_eq(type, STR("Organization")))
        return take_organization(r, v, err);
    if (str_eq(type, STR("Patient")))
        return take_patient(r, v, err);
    if (str_eq(type, STR("Encounter")) && is_done(v))
        wrong = take_visit(r, v, err);
    else if (str_eq(type, STR("Encounter")))
        roll_forget(r, type, js_get_str(v, "id"));
    return wrong == 0 && of < SERVICE_TYPES ? take_services(r, v, of, err) : wrong;
}

void roll_forget(struct roll *r, struct str type, struct str id)
{
    size_t of = type_of(type);
    char text[SOURCE_NAME_MAX];
    uint32_t n;

    if (of < SERVICE_TYPES &&
        (n = names_find(&r->source_ids, source_name(of, id, text))) != NAMES_NONE)
        drop_services(r, n);
    if (str_eq(type, STR("Encounter")) && (n = names_find(&r->visit_ids, id)) != NAMES_NONE)
        r->visits[n].day = DAY_NONE;
    if (str_eq(type, STR("Patient")) && (n = names_find(&r->person_ids, id)) != NAMES_NONE) {
        r->people[n].is_there = false;
        r->people[n].replaced_by = NAMES_NONE;
    }
    if (str_eq(type, STR("Organization")) && (n = names_find(&r->org_ids, id)) != NAMES_NONE)
        r->orgs[n].part_of = NAMES_NONE;
    if (str_eq(type, STR("Location")) && (n = names_find(&r->place_ids, id)) != NAMES_NONE) {
        r->places[n].is_there = false;
        r->places[n].part_of = r->places[n].org = NAMES_NONE;
    }
}
