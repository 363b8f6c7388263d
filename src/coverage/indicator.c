#include "coverage/indicator.h"

const struct service_type service_types[SERVICE_TYPES] = {
    {"Condition",
     "subject",
     "code",
     {"onsetDateTime", "recordedDate"},
     {"abatementDateTime"},
     "recordedDate"},
    {"Encounter", "subject", "type", {"period.start"}, {"period.end"}, NULL},
    {"EpisodeOfCare", "patient", "type", {"period.start"}, {"period.end"}, NULL},
    {"Immunization", "patient", "vaccineCode", {"occurrenceDateTime"}, {NULL}, "recorded"},
    {"MedicationRequest", "subject", "medicationCodeableConcept", {"authoredOn"}, {NULL}, NULL},
    {"Observation",
     "subject",
     "code",
     {"effectiveDateTime", "effectivePeriod.start", "effectiveInstant"},
     {NULL},
     "issued"},
    {"Procedure",
     "subject",
     "code",
     {"performedDateTime", "performedPeriod.start"},
     {"performedPeriod.end"},
     NULL},
};

struct reader {
    struct arena *a;
    struct coverage_set *set;
    const char *what; /* "service" or "indicator" */
    struct str name;  /* of the one in hand */
    struct err *err;
};

static int bad(const struct reader *r, const char *what)
{
    return err_set(r->err, ERR_VALUE, "the %s \"%.*s\" %s", r->what, STR_ARG(r->name), what);
}

/* Nothing but these members: names with blanks between them. */
static int only(const struct reader *r, yyjson_val *v, const char *names)
{
    yyjson_val *k, *val;
    size_t i, max;

    if (!yyjson_is_obj(v))
        return bad(r, "has something that is no object");
    yyjson_obj_foreach(v, i, max, k, val) {
        struct str rest = str_c(names), name;
        bool is_known = false;

        while (str_split(&rest, ' ', &name))
            is_known |= str_eq(name, js_str(k));
        if (!is_known)
            return err_set(r->err, ERR_VALUE, "the %s \"%.*s\" has an unknown \"%.*s\"", r->what,
                           STR_ARG(r->name), (int)MIN(js_str(k).n, (size_t)64), js_str(k).p);
    }
    return 0;
}

/* A whole number from `least` to `most`; numbers are kept as they are written. */
static bool whole(yyjson_val *v, uint64_t least, uint64_t most, uint64_t *ret)
{
    return yyjson_is_raw(v) && str_to_u64(js_str(v), most, ret) && *ret >= least;
}

/* ---- services ---- */

static int read_code(const struct reader *r, struct str text, struct service_code *ret)
{
    ptrdiff_t bar = str_find(text, '|');

    if (bar <= 0 || (size_t)bar + 1 == text.n || str_find(str_head(text, (size_t)bar), ':') < 0)
        return err_set(r->err, ERR_VALUE,
                       "the service \"%.*s\" has the code \"%.*s\" where SYSTEM|CODE is expected",
                       STR_ARG(r->name), (int)MIN(text.n, (size_t)100), text.n ? text.p : "");
    *ret = (struct service_code){str_head(text, (size_t)bar), str_from(text, (size_t)bar + 1)};
    return 0;
}

static int read_low(const struct reader *r, yyjson_val *v, struct service *to)
{
    uint64_t n;

    if (!v)
        return 0;
    if (!str_eq(str_c(service_types[to->type].type), STR("Observation")) ||
        !whole(v, 1, UINT32_MAX, &n))
        return bad(r, "has a lowBelow that is no whole number, or is of no Observation");
    to->has_low = true;
    to->low_below = (uint32_t)n;
    return 0;
}

static int read_service(struct reader *r, yyjson_val *v, struct service *to)
{
    yyjson_val *codes = js_get(v, "codes"), *code;
    struct str of = js_get_str(v, "of");
    size_t i, max;
    int wrong = only(r, v, "of codes lowBelow");

    to->name = r->name;
    while (wrong == 0 && to->type < SERVICE_TYPES &&
           !str_eq(of, str_c(service_types[to->type].type)))
        to->type++;
    if (wrong == 0 && to->type == SERVICE_TYPES)
        return bad(r, "is of a type that is no service");
    if (wrong == 0 && (!yyjson_arr_size(codes) || yyjson_arr_size(codes) > COVERAGE_CODES_MAX))
        return bad(r, "has no codes, or more than 200");
    if (wrong < 0)
        return wrong;
    to->codes = ARENA_ARRAY(r->a, struct service_code, yyjson_arr_size(codes));
    if (!to->codes)
        return err_no_memory(r->err);
    yyjson_arr_foreach(codes, i, max, code)
        if ((wrong = read_code(r, js_str(code), &to->codes[to->n_codes++])) < 0)
            return wrong;
    return read_low(r, js_get(v, "lowBelow"), to);
}

static uint16_t service_named(const struct coverage_set *set, struct str name)
{
    for (size_t i = 0; i < set->n_services; i++)
        if (str_eq(set->services[i].name, name))
            return (uint16_t)i;
    return SERVICE_NONE;
}

static int read_services(struct reader *r, yyjson_val *from)
{
    struct coverage_set *set = r->set;
    size_t n = yyjson_obj_size(from), i, max;
    yyjson_val *k, *v;

    if (!yyjson_is_obj(from) || !n || n > COVERAGE_SERVICES_MAX)
        return bad(r, "has no services, or more than 100");
    set->services = ARENA_ARRAY(r->a, struct service, n);
    if (!set->services)
        return err_no_memory(r->err);
    r->what = "service";
    yyjson_obj_foreach(from, i, max, k, v) {
        int wrong;

        r->name = js_str(k);
        if ((wrong = read_service(r, v, &set->services[set->n_services])) < 0)
            return wrong;
        set->n_services++;
    }
    return 0;
}

/* ---- indicators ---- */

/* [from, to): two whole numbers, the second larger. */
static int read_range(const struct reader *r, yyjson_val *v, uint64_t most, struct indicator *to)
{
    uint64_t from, below;

    if (yyjson_arr_size(v) != 2 || !whole(yyjson_arr_get(v, 0), 0, most, &from) ||
        !whole(yyjson_arr_get(v, 1), from + 1, most, &below))
        return bad(r, "has a range that is not [from, to] in whole numbers");
    to->from = (int32_t)from;
    to->to = (int32_t)below;
    return 0;
}

static int read_sex(const struct reader *r, yyjson_val *people, struct indicator *to)
{
    struct str sex = js_get_str(people, "sex");

    to->sex = str_eq(sex, STR("female")) ? OF_WOMEN
              : str_eq(sex, STR("male")) ? OF_MEN
                                         : OF_ANYBODY;
    if (js_get(people, "sex") && to->sex == OF_ANYBODY)
        return bad(r, "is of a sex that is neither female nor male");
    return 0;
}

static int read_people(const struct reader *r, yyjson_val *v, struct indicator *to)
{
    yyjson_val *months = js_get(v, "months"), *now = js_get(v, "now"), *last = js_get(v, "last"),
               *begun = js_get(v, "begun"), *ended = js_get(v, "ended");
    int said = !!months + !!now + !!last + !!begun + !!ended;
    int wrong = only(r, v, "months sex service now last begun ended");
    uint64_t days;

    if (wrong < 0 || (wrong = read_sex(r, v, to)) < 0)
        return wrong;
    to->of = service_named(r->set, js_get_str(v, "service"));
    if (said != 1)
        return bad(r, "says not by one thing (months, now, last, begun, ended) who is counted");
    if (!months && to->of == SERVICE_NONE)
        return bad(r, "counts people by a service that is not there");
    if (months && js_get(v, "service"))
        return bad(r, "counts people by age and by a service");
    if (months) {
        to->base = BASE_AGE;
        return read_range(r, months, COVERAGE_MONTHS_MAX, to);
    }
    if (now) {
        to->base = BASE_NOW;
        return yyjson_is_true(now) ? 0 : bad(r, "has a \"now\" that is not true");
    }
    if (last) {
        to->base = BASE_LAST;
        if (!whole(last, 1, COVERAGE_DAYS_MAX, &days))
            return bad(r, "has a \"last\" that is no number of days");
        to->to = (int32_t)days;
        return 0;
    }
    to->base = begun ? BASE_BEGUN : BASE_ENDED;
    return read_range(r, begun ? begun : ended, COVERAGE_DAYS_MAX, to);
}

static int read_have(const struct reader *r, yyjson_val *v, struct indicator *to)
{
    yyjson_val *during = js_get(v, "during"), *within = js_get(v, "within"),
               *last = js_get(v, "last");
    int wrong = only(r, v, "service times during within last low");
    uint64_t times = 0, days = 0;

    if (wrong < 0)
        return wrong;
    to->have = service_named(r->set, js_get_str(v, "service"));
    if (to->have == SERVICE_NONE)
        return bad(r, "asks for a service that is not there");
    if (!whole(js_get(v, "times"), 1, COVERAGE_TIMES_MAX, &times))
        return bad(r, "has no times from 1 to 100");
    if (!!during + !!within + !!last > 1)
        return bad(r, "says by more than one thing (during, within, last) when");
    if ((during || within) && to->base != BASE_BEGUN && to->base != BASE_ENDED)
        return bad(r, "says during or within, but not of services that began or ended");
    if (during && !yyjson_is_true(during))
        return bad(r, "has a \"during\" that is not true");
    if ((within || last) && !whole(within ? within : last, 1, COVERAGE_DAYS_MAX, &days))
        return bad(r, "has a \"within\" or \"last\" that is no number of days");
    to->low = yyjson_is_true(js_get(v, "low"));
    if (js_get(v, "low") && (!to->low || !r->set->services[to->have].has_low))
        return bad(r, "has a \"low\" that is not true, or of a service without lowBelow");
    to->times = (unsigned)times;
    to->days = (int32_t)days;
    to->span = during ? SPAN_DURING : within ? SPAN_WITHIN : last ? SPAN_LAST : SPAN_EVER;
    return 0;
}

static int read_indicator(struct reader *r, yyjson_val *v, struct indicator *to)
{
    int wrong;

    r->what = "indicator";
    r->name = to->id = js_get_str(v, "id");
    to->programme = js_get_str(v, "programme");
    to->title = js_get_str(v, "title");
    to->source = js_get_str(v, "source");
    if ((wrong = only(r, v, "id programme title source people have")) < 0)
        return wrong;
    if (!to->id.n || !to->programme.n || !to->title.n || !to->source.n)
        return bad(r, "has no id, programme, title or source");
    if (indicator_find(r->set, to->id))
        return bad(r, "is there twice");
    wrong = read_people(r, js_get(v, "people"), to);
    return wrong < 0 ? wrong : read_have(r, js_get(v, "have"), to);
}

int coverage_set_read(struct arena *a, struct str text, struct coverage_set *ret, struct err *err)
{
    struct coverage_set set = {.n = 0};
    struct reader r = {.a = a, .set = &set, .what = "set", .name = STR("(the file)"), .err = err};
    yyjson_val *root, *list, *v;
    size_t i, max;
    int wrong;

    if (text.n > COVERAGE_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the indicators are longer than %zu KiB",
                       COVERAGE_BYTES_MAX >> 10);
    if ((wrong = js_parse(a, text, &root, err)) < 0 ||
        (wrong = only(&r, root, "version services indicators")) < 0)
        return wrong;
    list = js_get(root, "indicators");
    set.version = js_get_str(root, "version");
    if (!set.version.n || !yyjson_arr_size(list) || yyjson_arr_size(list) > COVERAGE_INDICATORS_MAX)
        return bad(&r, "has no version, no indicators, or more than 40");
    if ((wrong = read_services(&r, js_get(root, "services"))) < 0)
        return wrong;
    set.v = ARENA_ARRAY(a, struct indicator, yyjson_arr_size(list));
    if (!set.v)
        return err_no_memory(err);
    yyjson_arr_foreach(list, i, max, v) {
        if ((wrong = read_indicator(&r, v, &set.v[set.n])) < 0)
            return wrong;
        set.n++;
    }
    *ret = set;
    return 0;
}

const struct indicator *indicator_find(const struct coverage_set *set, struct str id)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->v[i].id, id))
            return &set->v[i];
    return NULL;
}

/* ---- what a resource is ---- */

/* A code, what lies below it, or a cluster with such a stem. */
static bool is_below(struct str code, struct str rule)
{
    return str_starts(code, rule) && (code.n == rule.n || code.p[rule.n] == '.' ||
                                      code.p[rule.n] == '&' || code.p[rule.n] == '/');
}

static bool concept_is(const struct service *s, yyjson_val *concept)
{
    yyjson_val *coding;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, coding) {
        struct str system = js_get_str(coding, "system"), code = js_get_str(coding, "code");

        for (size_t k = 0; k < s->n_codes; k++)
            if (str_eq(system, s->codes[k].system) && is_below(code, s->codes[k].code))
                return true;
    }
    return false;
}

bool service_is(const struct service *s, yyjson_val *resource)
{
    yyjson_val *v = js_get(resource, service_types[s->type].concepts), *concept;
    size_t i, max;

    if (!yyjson_is_arr(v))
        return concept_is(s, v);
    yyjson_arr_foreach(v, i, max, concept)
        if (concept_is(s, concept))
            return true;
    return false;
}
