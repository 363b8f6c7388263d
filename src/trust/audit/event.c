/* event.c - an entry as an AuditEvent of IHE Basic Audit Log Patterns
 * (https://profiles.ihe.net/ITI/BALP): Read, Query, Create, Update, Delete, each plain or with a
 * patient. What is no such interaction (operations, history, failures) keeps their shape without
 * claiming the profile.
 */
#include "trust/audit/entry.h"

#include "base/b64.h"
#include "base/clock.h"

#define TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"
#define DICOM "http://dicom.nema.org/resources/ontology/DCM"
#define BALP "https://profiles.ihe.net/ITI/BALP/"

static const struct audit_coding source_role = {DICOM, "110153", "Source Role ID"},
                                 destination_role = {DICOM, "110152", "Destination Role ID"},
                                 application_role = {DICOM, "110150", "Application"},
                                 custodian_role = {TERMINOLOGY "provenance-participant-type",
                                                   "custodian", "Custodian"},
                                 recipient_role = {TERMINOLOGY "v3-ParticipationType", "IRCP",
                                                   "information recipient"},
                                 author_role = {TERMINOLOGY "v3-ParticipationType", "AUT",
                                                "author (originator)"};

/* Who is client, server and user, by the AuditEvent's action: which way the data went. */
struct pattern {
    char action;
    const struct audit_coding *client, *server, *user;
};

static const struct pattern patterns[] = {
    {'R', &destination_role, &source_role, &recipient_role},
    {'E', &source_role, &destination_role, &recipient_role},
    {'C', &source_role, &destination_role, &author_role},
    {'U', &source_role, &destination_role, &author_role},
    {'D', &application_role, &custodian_role, &author_role},
};

/* The profile's name, without "Patient" in front; NULL: none claims such an interaction. */
static const char *profile_of(const struct audit_event *e)
{
    switch (e->interaction) {
    case AUDIT_READ:
    case AUDIT_VREAD: return "Read";
    case AUDIT_SEARCH_TYPE:
    case AUDIT_SEARCH_SYSTEM: return "Query";
    case AUDIT_CREATE: return "Create";
    case AUDIT_UPDATE:
    case AUDIT_PATCH: return "Update";
    case AUDIT_DELETE: return "Delete";
    default: return NULL;
    }
}

static void coding(struct sb *out, const struct audit_coding *c)
{
    sb_fmt(out, "{\"system\":\"%s\",\"code\":\"%s\",\"display\":\"%s\"}", c->system, c->code,
           c->display);
}

static void write_meta(struct sb *out, const struct audit_event *e, const char *when)
{
    const char *profile = e->status < 400 ? profile_of(e) : NULL;

    sb_fmt(out, "\"meta\":{\"versionId\":\"1\",\"lastUpdated\":\"%s\"", when);
    if (profile)
        sb_fmt(out, ",\"profile\":[\"" BALP "StructureDefinition/IHE.BasicAudit.%s%s\"]",
               e->patient.n ? "Patient" : "", profile);
    sb_char(out, '}');
}

/* Of what is no interaction with records: what DICOM calls it. */
static const struct {
    enum audit_interaction interaction;
    struct audit_coding type;
} others[] = {
    {AUDIT_LOGIN, {DICOM, "110114", "User Authentication"}},
    {AUDIT_GRANT, {DICOM, "110114", "User Authentication"}},
    {AUDIT_REFUSED, {DICOM, "110113", "Security Alert"}},
    {AUDIT_COMMAND, {DICOM, "110100", "Application Activity"}},
    {AUDIT_GLASS, {DICOM, "110113", "Security Alert"}},
};

const struct audit_coding *audit_event_type(const struct audit_event *event)
{
    static const struct audit_coding rest = {TERMINOLOGY "audit-event-type", "rest",
                                             "RESTful Operation"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (others[i].interaction == event->interaction)
            return &others[i].type;
    return &rest;
}

/* One subtype is FHIR's interaction or a word of DICOM's, the other the name of an operation. */
static void write_kind(struct sb *out, const struct audit_event *e)
{
    static const struct audit_coding login = {DICOM, "110122", "Login"},
                                     glass = {DICOM, "110127", "Emergency Override Started"};
    const char *code = audit_interaction_code(e->interaction);
    const struct audit_coding *word = e->interaction == AUDIT_LOGIN   ? &login
                                      : e->interaction == AUDIT_GLASS ? &glass
                                                                      : NULL;
    bool has_code = *code || word;

    sb_lit(out, ",\"type\":");
    coding(out, audit_event_type(e));
    if (has_code || e->operation.n)
        sb_lit(out, ",\"subtype\":[");
    if (*code)
        sb_fmt(out, "{\"system\":\"http://hl7.org/fhir/restful-interaction\",\"code\":\"%s\"}",
               code);
    else if (has_code)
        coding(out, word);
    if (e->operation.n) {
        sb_str(out, has_code ? STR(",{\"display\":") : STR("{\"display\":"));
        sb_json(out, e->operation);
        sb_char(out, '}');
    }
    if (has_code || e->operation.n)
        sb_char(out, ']');
    sb_fmt(out, ",\"action\":\"%s\"", audit_interaction_action(e->interaction));
}

char audit_event_outcome(const struct audit_event *event)
{
    return event->status < 400 ? '0' : event->status < 500 ? '4' : '8';
}

static void write_outcome(struct sb *out, const struct audit_event *e)
{
    sb_fmt(out, ",\"outcome\":\"%c\"", audit_event_outcome(e));
    if (e->status)
        sb_fmt(out, ",\"outcomeDesc\":\"HTTP %d\"", e->status);
}

static void write_identifier(struct sb *out, struct str value)
{
    sb_lit(out, "\"who\":{\"identifier\":{\"value\":");
    sb_json(out, value);
    sb_lit(out, "}}");
}

static void write_purpose(struct sb *out, struct str purpose)
{
    if (!purpose.n)
        return;
    sb_lit(out,
           ",\"purposeOfUse\":[{\"coding\":[{\"system\":\"" TERMINOLOGY "v3-ActReason\",\"code\":");
    sb_json(out, purpose);
    sb_lit(out, "}]}]");
}

/* The person's role, and the token that they came with. */
static void write_role(struct sb *out, struct str role)
{
    if (!role.n)
        return;
    sb_lit(out, "\"role\":[{\"text\":");
    sb_json(out, role);
    sb_lit(out, "}],");
}

static void write_token(struct sb *out, struct str token)
{
    if (!token.n)
        return;
    sb_lit(out, ",\"policy\":[");
    sb_json(out, token);
    sb_char(out, ']');
}

static void begin_agent(struct sb *out, const struct audit_coding *role)
{
    sb_lit(out, "{\"type\":{\"coding\":[");
    coding(out, role);
    sb_lit(out, "]},");
}

/* network-type: 2 an IP address, 5 a URI; BALP asks the client and the server for one. */
static void write_agents(struct sb *out, const struct audit_source *source,
                         const struct audit_event *e)
{
    const struct pattern *p = patterns;
    bool is_ip = e->address.n && !str_eq(e->address, STR("local"));

    while (p->action != audit_interaction_action(e->interaction)[0])
        p++;
    sb_lit(out, ",\"agent\":[");
    begin_agent(out, p->client);
    write_identifier(out, e->client.n ? e->client : STR("unknown"));
    sb_lit(out, ",\"requestor\":false,\"network\":{\"address\":");
    sb_json(out, is_ip ? e->address : STR("local"));
    sb_fmt(out, ",\"type\":\"%s\"}},", is_ip ? "2" : "5");
    begin_agent(out, p->server);
    write_identifier(out, source->observer);
    sb_lit(out, ",\"requestor\":false,\"network\":{\"address\":");
    sb_json(out, source->base);
    sb_lit(out, ",\"type\":\"5\"}}");
    if (e->user.n || e->role.n) {
        sb_char(out, ',');
        begin_agent(out, p->user);
        write_role(out, e->role);
        if (e->user.n) {
            write_identifier(out, e->user);
            sb_char(out, ',');
        }
        if (e->name.n) {
            sb_lit(out, "\"name\":");
            sb_json(out, e->name);
            sb_char(out, ',');
        }
        sb_lit(out, "\"requestor\":true");
        write_token(out, e->token);
        write_purpose(out, e->purpose);
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

static void begin_entity(struct sb *out, bool *first)
{
    sb_str(out, *first ? STR(",\"entity\":[") : STR(","));
    *first = false;
}

static void write_reference(struct sb *out, const struct audit_event *e)
{
    sb_lit(out, "\"what\":{\"reference\":\"");
    sb_str(out, e->type);
    sb_char(out, '/');
    sb_str(out, e->id);
    if (e->version.n) {
        sb_lit(out, "/_history/");
        sb_str(out, e->version);
    }
    sb_lit(out, "\"}");
}

static void write_entities(struct sb *out, const struct audit_event *e)
{
    bool first = true;

    if (e->type.n && e->id.n) {
        begin_entity(out, &first);
        sb_lit(out, "{");
        write_reference(out, e);
        sb_lit(out, ",\"type\":{\"system\":\"" TERMINOLOGY "audit-entity-type\",\"code\":\"2\","
                    "\"display\":\"System Object\"},\"role\":{\"system\":\"" TERMINOLOGY
                    "object-role\",\"code\":\"4\",\"display\":\"Domain Resource\"}}");
    }
    if (e->query.n) {
        begin_entity(out, &first);
        sb_lit(out, "{\"type\":{\"system\":\"" TERMINOLOGY "audit-entity-type\",\"code\":\"2\","
                    "\"display\":\"System Object\"},\"role\":{\"system\":\"" TERMINOLOGY
                    "object-role\",\"code\":\"24\",\"display\":\"Query\"},\"query\":\"");
        b64_encode(out, e->query);
        sb_lit(out, "\"}");
    }
    if (e->patient.n) {
        begin_entity(out, &first);
        sb_lit(out, "{\"what\":{\"reference\":\"Patient/");
        sb_str(out, e->patient);
        sb_lit(out, "\"},\"type\":{\"system\":\"" TERMINOLOGY "audit-entity-type\",\"code\":\"1\","
                    "\"display\":\"Person\"},\"role\":{\"system\":\"" TERMINOLOGY
                    "object-role\",\"code\":\"1\",\"display\":\"Patient\"}}");
    }
    if (e->request_id.n) {
        begin_entity(out, &first);
        sb_lit(out, "{\"what\":{\"identifier\":{\"value\":");
        sb_json(out, e->request_id);
        sb_lit(out, "}},\"type\":{\"system\":\"" BALP
                    "CodeSystem/BasicAuditEntityType\",\"code\":\"XrequestId\"}}");
    }
    if (!first)
        sb_char(out, ']');
}

void audit_event_json(struct sb *out, const struct audit_source *source,
                      const struct audit_event *e)
{
    char when[CLOCK_INSTANT_MAX];

    clock_format(e->when_ms, when);
    sb_lit(out, "{\"resourceType\":\"AuditEvent\",\"id\":");
    sb_json(out, source->id);
    sb_char(out, ',');
    write_meta(out, e, when);
    write_kind(out, e);
    sb_fmt(out, ",\"recorded\":\"%s\"", when);
    write_outcome(out, e);
    write_agents(out, source, e);
    sb_lit(out, ",\"source\":{\"observer\":{\"identifier\":{\"value\":");
    sb_json(out, source->observer);
    sb_lit(out, "}},\"type\":[{\"system\":\"" TERMINOLOGY
                "security-source-type\",\"code\":\"4\",\"display\":\"Application Server\"}]}");
    write_entities(out, e);
    sb_char(out, '}');
}
