#include "fhir/near_int.h"

#include "fhir/search_int.h"
#include "fhir/ucum.h"

#include <math.h>
#include <stdlib.h>

#define STEPS 10000000.0       /* of one degree */
#define EARTH_METRES 6371008.8 /* mean radius */
#define METRES_DEFAULT 10000.0
#define METRES_OF_DEGREE (EARTH_METRES * M_PI / 180)

static void put32(struct key *k, double degrees)
{
    uint32_t n = (uint32_t)llround(degrees * STEPS);

    for (int shift = 24; shift >= 0; shift -= 8)
        key_byte(k, n >> shift & 0xff);
}

static double get32(const char *p)
{
    uint32_t n = 0;

    for (int i = 0; i < 4; i++)
        n = n << 8 | (unsigned char)p[i];
    return n / STEPS;
}

bool near_make(double latitude, double longitude, struct key *k)
{
    if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180))
        return false;
    put32(k, latitude + 90);
    put32(k, longitude + 180);
    return true;
}

/* A decimal's literal as a number; false: it is none. */
static bool number(struct str s, double *ret)
{
    char text[64], *end;

    if (!s.n || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (strspn(text, "+-.0123456789eE") < s.n)
        return false;
    *ret = strtod(text, &end);
    return !*end && isfinite(*ret);
}

bool near_key(yyjson_val *root, struct key *k)
{
    yyjson_val *position = js_get(root, "position");
    double latitude, longitude;

    return number(js_primitive(js_get(position, "latitude")), &latitude) &&
           number(js_primitive(js_get(position, "longitude")), &longitude) &&
           near_make(latitude, longitude, k);
}

double near_metres(struct str key, double latitude, double longitude)
{
    const double radian = M_PI / 180;
    double lat, lon, a, b;

    if (key.n != NEAR_KEY_BYTES)
        return -1;
    lat = (get32(key.p) - 90) * radian;
    lon = (get32(key.p + 4) - 180) * radian;
    a = sin((lat - latitude * radian) / 2);
    b = sin((lon - longitude * radian) / 2);
    a = a * a + cos(lat) * cos(latitude * radian) * b * b;
    return 2 * EARTH_METRES * asin(sqrt(MIN(a, 1.0)));
}

/* ---- searching ---- */

static int bad(struct search_parse *p, struct str text)
{
    return err_set(p->err, ERR_VALUE,
                   "the value \"%.*s\" of \"near\" is not "
                   "latitude|longitude|distance|unit of length",
                   (int)MIN(text.n, 100u), text.p);
}

static bool metres_of(struct str amount, struct str unit, double *ret)
{
    const struct str known = unit.n ? unit : STR("km");
    struct decimal v, low, high, metres;
    char text[DECIMAL_TEXT_MAX];

    return decimal_parse_search(amount, &v, &low, &high, NULL) >= 0 &&
           ucum_convert(&v, known, STR("m"), &metres, NULL) >= 0 &&
           number(str_n(text, decimal_format(&metres, text)), ret) && *ret >= 0;
}

static int parse_value(struct search_parse *p, struct str text, struct search_value *v)
{
    struct str rest = text, part, parts[4] = {STR(""), STR(""), STR(""), STR("")};
    struct key place = {.n = 0};
    size_t n = 0;

    while (search_split(&rest, '|', &part)) {
        if (n == ARRAY_LEN(parts))
            return bad(p, text);
        parts[n++] = part;
    }
    v->metres = METRES_DEFAULT;
    if (!number(parts[0], &v->latitude) || !number(parts[1], &v->longitude) ||
        !near_make(v->latitude, v->longitude, &place) ||
        (parts[2].n ? !metres_of(parts[2], parts[3], &v->metres) : parts[3].n > 0))
        return bad(p, text);
    return 0;
}

/* The band of latitudes that a distance reaches; search_key measures the distance. */
static int add_band(struct search_parse *p, const struct param *param, const struct search_value *v,
                    struct search_clause *c)
{
    double degrees = v->metres / METRES_OF_DEGREE + 0.0001;
    struct key lo = {.n = 0}, hi = {.n = 0};
    struct key_range *range = &c->ranges[c->n_ranges++];

    put32(&lo, MAX(v->latitude - degrees, -90.0) + 90);
    put32(&hi, MIN(v->latitude + degrees, 90.0) + 90);
    key_after(&hi);
    *range = (struct key_range){.param = param->def.id,
                                .lo = arena_dup(p->a, key_view(&lo)),
                                .hi = arena_dup(p->a, key_view(&hi)),
                                .filtered = true,
                                .rule = v};
    return range->lo.p && range->hi.p ? 0 : err_no_memory(p->err);
}

const struct param *search_near_param(const struct search_parse *p, int type)
{
    const struct param *param = type ? param_find(p->params, type, STR("near")) : NULL;

    return param && param->def.kind == PARAM_SPECIAL ? param : NULL;
}

int search_near(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    const struct param *param = search_near_param(p, p->s->type);
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    struct str rest = arg->value, one;
    size_t n = 0;
    int r = 0;

    while (search_split(&rest, ',', &one))
        n++;
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .param = param, .values = more};
    if (!more || !(more->values = ARENA_ARRAY(p->a, struct search_value, n)) ||
        !(more->params = ARENA_ARRAY(p->a, const struct param *, 1)) ||
        !(c->ranges = ARENA_ARRAY(p->a, struct key_range, n)))
        return err_no_memory(p->err);
    more->opt = p->s->opt;
    more->params[0] = param;
    more->n_params = 1;
    rest = arg->value;
    while (r == 0 && search_split(&rest, ',', &one)) {
        struct search_value *v = &more->values[more->n_values++];

        v->kind = PARAM_SPECIAL;
        r = parse_value(p, one, v);
        if (r == 0 && p->opt->index.extras)
            r = add_band(p, param, v, c);
    }
    c->n_values = more->n_values;
    if (r == 0 && !p->opt->index.extras) {
        c->ranges = NULL;
        r = search_all_rows(p, c);
    }
    return r < 0 ? r : ARG_TAKEN;
}

bool search_near_matches(const struct search_value *v, struct str key)
{
    double metres = near_metres(key, v->latitude, v->longitude);

    return metres >= 0 && metres <= v->metres;
}

/* ---- distances of matches ---- */

static bool is_near(const struct search_clause *c)
{
    const struct clause_more *more = c->values;

    return c->kind == CLAUSE_KEYS && !c->negate && more && more->n_params &&
           more->params[0]->def.kind == PARAM_SPECIAL;
}

bool search_has_distance(const struct search *s)
{
    for (size_t i = 0; i < s->n_clauses; i++)
        if (is_near(&s->clauses[i]))
            return true;
    return false;
}

double search_distance(const struct search *s, yyjson_val *root)
{
    struct key k = {.n = 0};
    double least = -1;

    if (!near_key(root, &k))
        return -1;
    for (size_t i = 0; i < s->n_clauses; i++) {
        const struct clause_more *more = s->clauses[i].values;

        for (size_t j = 0; is_near(&s->clauses[i]) && j < more->n_values; j++) {
            const struct search_value *v = &more->values[j];
            double metres = near_metres(key_view(&k), v->latitude, v->longitude);

            if (least < 0 || metres < least)
                least = metres;
        }
    }
    return least;
}

int search_near_order(struct search_parse *p)
{
    struct search *s = p->s;
    bool has = search_has_distance(s);

    for (size_t i = 0; i < s->n_sort; i++)
        if (s->sort[i].by_near && !has)
            return err_set(p->err, ERR_VALUE,
                           "to sort by \"near\", a search asks for what is near");
    if (has && !s->n_sort)
        s->sort[s->n_sort++] = (struct search_sort){.by_near = true};
    return 0;
}
