/* places.c - the country's places, organisations, services and staff as resources. */
#include "synth/country.h"

#include "synth/chance.h"

#include <stdio.h>

#define BOUNDARY_URL "http://hl7.org/fhir/StructureDefinition/location-boundary-geojson"

static void put_point(struct sb *b, struct point p, bool *first)
{
    if (!*first)
        sb_char(b, ',');
    *first = false;
    sb_char(b, '[');
    out_decimal(b, p.lon, 4);
    sb_char(b, ',');
    out_decimal(b, p.lat, 4);
    sb_char(b, ']');
}

/* One side of a border: its corner and inner points, walked forward or back. */
static void put_side(struct sb *b, struct point corner, const struct point inner[EDGE_POINTS],
                     bool forward, bool *first)
{
    put_point(b, corner, first);
    for (int k = 0; k < EDGE_POINTS; k++)
        put_point(b, inner[forward ? k : EDGE_POINTS - 1 - k], first);
}

/* A block of the grid as a GeoJSON polygon, counterclockwise (RFC 7946, section 3.1.6). */
static void put_polygon(struct sb *b, const struct country *c, unsigned row, unsigned col,
                        unsigned rows, unsigned cols)
{
    bool first = true;

    sb_lit(b, "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (unsigned i = col; i < col + cols; i++)
        put_side(b, c->corner[row][i], c->across[row][i], true, &first);
    for (unsigned i = row; i < row + rows; i++)
        put_side(b, c->corner[i][col + cols], c->upward[i][col + cols], true, &first);
    for (unsigned i = col + cols; i > col; i--)
        put_side(b, c->corner[row + rows][i], c->across[row + rows][i - 1], false, &first);
    for (unsigned i = row + rows; i > row; i--)
        put_side(b, c->corner[i][col], c->upward[i - 1][col], false, &first);
    put_point(b, c->corner[row][col], &first);
    sb_lit(b, "]]}");
}

static void put_boundary(struct out *o, const struct country *c, unsigned row, unsigned col,
                         unsigned rows, unsigned cols)
{
    _cleanup_(sb_done) struct sb json = sb_make(MIB(1));

    put_polygon(&json, c, row, col, rows, cols);
    if (json.failed)
        o->b.failed = true;
    out_lit(o, ",\"extension\":[{\"url\":\"" BOUNDARY_URL "\",\"valueAttachment\":{"
               "\"contentType\":\"application/geo+json\",\"data\":\"");
    out_base64(&o->b, sb_view(&json));
    out_lit(o, "\"}}]");
}

static void put_jurisdiction(struct out *o, const struct uid *id, const char *code, struct str name,
                             const char *kind)
{
    sb_fmt(&o->b, ",\"identifier\":[{\"system\":\"" KIVANDRA "/place\",\"value\":\"%s\"}]", code);
    out_lit(o, ",\"status\":\"active\"");
    out_text(o, "name", name);
    sb_fmt(&o->b, ",\"mode\":\"instance\",\"type\":[{\"text\":\"%s\"}]", kind);
    out_lit(o, ",\"physicalType\":{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/location-physical-type\","
               "\"code\":\"jdn\",\"display\":\"Jurisdiction\"}]}");
    if (id)
        out_ref(o, "partOf", "Location", id, false);
}

static void organization(struct out *o, const struct uid *id, const char *code, struct str name,
                         const char *type, const char *type_name, const struct uid *part_of)
{
    out_begin(o, "Organization", id);
    sb_fmt(&o->b, ",\"identifier\":[{\"system\":\"" KIVANDRA "/organization\",\"value\":\"%s\"}]",
           code);
    sb_fmt(&o->b,
           ",\"active\":true,\"type\":[{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/organization-type\",\"code\":\"%s\","
           "\"display\":\"%s\"}]}]",
           type, type_name);
    out_text(o, "name", name);
    if (part_of)
        out_ref(o, "partOf", "Organization", part_of, false);
    out_end(o);
}

static void write_provinces(const struct country *c, struct out *o)
{
    char code[64];

    for (size_t i = 0; i < c->n_provinces; i++) {
        const struct province *p = &c->provinces[i];

        snprintf(code, sizeof code, "KV-%02zu", i + 1);
        out_begin(o, "Location", &p->location);
        put_boundary(o, c, p->row, p->col, p->rows, p->cols);
        put_jurisdiction(o, &c->location, code, str_c(p->name), "Province");
        out_end(o);
    }
}

void country_write(const struct country *c, struct rng *r, struct out *o)
{
    struct uid bundle;
    char code[64], name[PLACE_MAX + 32];

    uid_draw(r, &bundle);
    out_bundle_begin(o, &bundle);
    out_begin(o, "Location", &c->location);
    put_boundary(o, c, 0, 0, c->rows, c->cols);
    put_jurisdiction(o, NULL, "KV", STR(COUNTRY_NAME), "Country");
    out_end(o);
    write_provinces(c, o);
    organization(o, &c->ministry, "KV", STR("Ministry of Health of " COUNTRY_NAME), "govt",
                 "Government", NULL);
    for (size_t i = 0; i < c->n_districts; i++) {
        const struct district *d = &c->districts[i];

        snprintf(code, sizeof code, "KV-%02u-%03zu", d->province + 1, i + 1);
        out_begin(o, "Location", &d->location);
        put_boundary(o, c, d->row, d->col, 1, 1);
        put_jurisdiction(o, &c->provinces[d->province].location, code, str_c(d->name), "District");
        out_end(o);
        snprintf(name, sizeof name, "%s District Health Office", d->name);
        organization(o, &d->org, code, str_c(name), "govt", "Government", &c->ministry);
    }
    out_bundle_end(o);
}

static void write_site(const struct country *c, const struct facility *f, const char *code,
                       struct out *o)
{
    static const char *const types[][2] = {
        {"HOSP", "Hospital"}, {"OF", "Outpatient facility"}, {"COMM", "Community Location"}};
    const struct district *d = &c->districts[f->district];

    organization(o, &f->org, code, str_c(f->name), "prov", "Healthcare Provider", &d->org);
    out_begin(o, "Location", &f->location);
    sb_fmt(&o->b, ",\"identifier\":[{\"system\":\"" KIVANDRA "/place\",\"value\":\"%s\"}]", code);
    out_lit(o, ",\"status\":\"active\"");
    out_text(o, "name", str_c(f->name));
    sb_fmt(&o->b,
           ",\"mode\":\"instance\",\"type\":[{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/v3-RoleCode\",\"code\":\"%s\","
           "\"display\":\"%s\"}]}]",
           types[f->level][0], types[f->level][1]);
    out_lit(o, ",\"address\":{");
    sb_fmt(&o->b, "\"city\":\"%s\",\"district\":\"%s\",\"state\":\"%s\"", f->place, d->name,
           c->provinces[d->province].name);
    out_lit(o, ",\"country\":\"" COUNTRY_NAME "\"},\"physicalType\":{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/location-physical-type\","
               "\"code\":\"si\",\"display\":\"Site\"}]},\"position\":{\"longitude\":");
    out_decimal(&o->b, f->at.lon, 4);
    out_lit(o, ",\"latitude\":");
    out_decimal(&o->b, f->at.lat, 4);
    sb_char(&o->b, '}');
    out_ref(o, "managingOrganization", "Organization", &f->org, false);
    out_ref(o, "partOf", "Location", &d->location, false);
    out_end(o);
}

static void write_services(const struct facility *f, struct rng *r, struct out *o)
{
    /* The first is everywhere, the second from health centres on, the rest in hospitals. */
    static const struct service {
        enum code type;
        enum level from;
    } services[] = {
        {VISIT_VACCINATION, LEVEL_POST}, {VISIT_ANC, LEVEL_CENTRE},   {VISIT_HIV, LEVEL_CENTRE},
        {VISIT_TB, LEVEL_HOSPITAL},      {VISIT_NCD, LEVEL_HOSPITAL},
    };
    struct uid id;

    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (f->level > services[i].from)
            continue;
        uid_draw(r, &id);
        out_begin(o, "HealthcareService", &id);
        out_lit(o, ",\"active\":true");
        out_ref(o, "providedBy", "Organization", &f->org, false);
        out_concepts(o, "type", services[i].type);
        out_lit(o, ",\"location\":[");
        out_ref_value(o, "Location", &f->location, false);
        sb_char(&o->b, ']');
        out_text(o, "name", codes[services[i].type].display);
        out_end(o);
    }
}

static void write_worker(const struct facility *f, size_t i, size_t culture, uint64_t number,
                         struct rng *r, struct out *o)
{
    static const struct role {
        const char *code, *display, *degree, *degree_name;
    } roles[] = {
        {"doctor", "Doctor", "MD", "Doctor of Medicine"},
        {"nurse", "Nurse", "RN", "Registered Nurse"},
        {"pharmacist", "Pharmacist", "PHD", "Doctor of Pharmacy"},
    };
    /* A doctor where there is a hospital; a pharmacist in every larger place; nurses otherwise. */
    const struct role *role = &roles[f->level == LEVEL_HOSPITAL && i < 4             ? 0
                                     : f->level != LEVEL_POST && i + 1 == f->n_staff ? 2
                                                                                     : 1];
    bool female = draw_permille(r, role == &roles[1] ? 700 : 400);
    struct person_name name;
    struct uid id;

    name_draw(r, culture, female, &name);
    out_begin(o, "Practitioner", &f->staff[i]);
    sb_fmt(&o->b, ",\"identifier\":[{\"system\":\"" KIVANDRA "/practitioner\",\"value\":\"%llu\"}]",
           (unsigned long long)luhn_append(100000 + number));
    out_lit(o, ",\"active\":true");
    name_write(o, "name", &name);
    sb_fmt(&o->b, ",\"gender\":\"%s\"", female ? "female" : "male");
    if (role != &roles[2])
        sb_fmt(&o->b,
               ",\"qualification\":[{\"code\":{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/v2-0360\",\"code\":\"%s\","
               "\"display\":\"%s\"}]}}]",
               role->degree, role->degree_name);
    out_end(o);

    uid_draw(r, &id);
    out_begin(o, "PractitionerRole", &id);
    out_lit(o, ",\"active\":true");
    out_ref(o, "practitioner", "Practitioner", &f->staff[i], false);
    out_ref(o, "organization", "Organization", &f->org, false);
    sb_fmt(&o->b,
           ",\"code\":[{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/practitioner-role\",\"code\":\"%s\","
           "\"display\":\"%s\"}]}]",
           role->code, role->display);
    out_lit(o, ",\"location\":[");
    out_ref_value(o, "Location", &f->location, false);
    out_lit(o, "]");
    out_end(o);
}

void district_write(const struct country *c, size_t district, struct rng *r, struct out *o)
{
    const struct district *d = &c->districts[district];
    struct uid bundle;
    char code[64];

    uid_draw(r, &bundle);
    out_bundle_begin(o, &bundle);
    for (size_t i = 0; i < d->n_facilities; i++) {
        const struct facility *f = &d->facilities[i];

        snprintf(code, sizeof code, "KV-%02u-%03zu-%03zu", d->province + 1, district + 1, i + 1);
        write_site(c, f, code, o);
        write_services(f, r, o);
        for (size_t k = 0; k < f->n_staff; k++)
            write_worker(f, k, country_draw_culture(c, f->district, r),
                         (district * FACILITY_NAME_MAX * 8 + i) * 16 + k, r, o);
    }
    out_bundle_end(o);
}
