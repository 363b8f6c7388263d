#include "trust/glass.h"

#include "base/clock.h"
#include "base/rng.h"
#include "trust/token.h"

int glass_identity(struct arena *a, const struct identity *who, struct str patient,
                   struct identity *ret, struct err *err)
{
    struct smart_scopes scopes = {.n = who->scopes.n};

    if (who->kind != IDENTITY_PERSON)
        return err_set(err, ERR_FORBIDDEN, "a person breaks the glass, not a program");
    if (str_eq(who->purpose, STR(PURPOSE_BREAK_GLASS)))
        return err_set(err, ERR_FORBIDDEN,
                       "this token was given for one patient: ask with that of your sign-in");
    scopes.v = ARENA_ARRAY(a, struct smart_scope, scopes.n + 1);
    if (!scopes.v)
        return err_no_memory(err);
    for (size_t i = 0; i < scopes.n; i++) {
        scopes.v[i] = who->scopes.v[i];
        scopes.v[i].context = SMART_PATIENT;
    }
    *ret = *who;
    ret->purpose = STR(PURPOSE_BREAK_GLASS);
    ret->patient = patient;
    ret->scopes = scopes;
    return 0;
}

static int new_id(struct arena *a, struct str *ret, struct err *err)
{
    char uuid[UUID_TEXT_LEN + 1];

    uuid7(uuid);
    *ret = arena_dup(a, str_c(uuid));
    return ret->p ? 0 : err_no_memory(err);
}

int glass_break(struct store_txn *txn, struct arena *a, const struct identity *as,
                struct glass *glass, struct err *err)
{
    _cleanup_(sb_done) struct sb scope = sb_make(SMART_TEXT_MAX);
    struct grant grant = {.account = as->subject,
                          .client = as->client,
                          .patient = as->patient,
                          .purpose = as->purpose,
                          .under = as->grant,
                          .made_ms = glass->from_ms,
                          .signed_in_ms = glass->from_ms,
                          .until_ms = glass->until_ms,
                          .assurance = as->assurance};
    struct access_token token = {.account = as->subject,
                                 .client = as->client,
                                 .patient = as->patient,
                                 .purpose = as->purpose,
                                 .jkt = as->jkt,
                                 .x5t = as->x5t,
                                 .made_ms = glass->from_ms,
                                 .until_ms = glass->until_ms,
                                 .assurance = as->assurance};
    int r;

    smart_write(&scope, &as->scopes);
    glass->scope = grant.scope = token.scope = arena_dup(a, sb_view(&scope));
    if (scope.failed || !grant.scope.p)
        return err_no_memory(err);
    if ((r = new_id(a, &grant.id, err)) < 0 || (r = new_id(a, &token.id, err)) < 0)
        return r;
    token.grant = grant.id;
    r = grant_new(txn, &grant, err);
    return r < 0 ? r
                 : token_put(txn, RECORD_ACCESS, &access_token_shape, &token, glass->until_ms,
                             &glass->token, err);
}

/* ---- the Task ---- */

void glass_who(struct sb *out, const struct identity *who)
{
    sb_char(out, '{');
    if (who->fhir_user.n) {
        sb_lit(out, "\"reference\":");
        sb_json(out, who->fhir_user);
        sb_char(out, ',');
    }
    sb_lit(out, "\"identifier\":{\"system\":\"" GLASS_ACCOUNT_SYSTEM "\",\"value\":");
    sb_json(out, who->subject);
    sb_lit(out, "}}");
}

void glass_task(struct sb *out, const struct identity *as, const struct glass *glass)
{
    char from[CLOCK_INSTANT_MAX], until[CLOCK_INSTANT_MAX];

    clock_format(glass->from_ms, from);
    clock_format(glass->until_ms, until);
    sb_lit(out, "{\"resourceType\":\"Task\",\"id\":");
    sb_json(out, glass->task);
    sb_lit(out, ",\"status\":\"requested\",\"intent\":\"order\",\"priority\":\"urgent\","
                "\"code\":{\"coding\":[{\"system\":\"" GLASS_SYSTEM "\",\"code\":\"" GLASS_TASK
                "\",\"display\":\"Review of emergency access\"}]},\"for\":{\"reference\":");
    sb_lit(out, "\"Patient/");
    sb_str(out, glass->patient);
    sb_fmt(out,
           "\"},\"authoredOn\":\"%s\",\"executionPeriod\":{\"start\":\"%s\",\"end\":\"%s\"},"
           "\"requester\":",
           from, from, until);
    glass_who(out, as);
    sb_lit(out, ",\"reasonCode\":{\"text\":");
    sb_json(out, glass->reason);
    sb_lit(out, "}}");
}

/* ---- the review ---- */

static bool has_code(yyjson_val *concept, struct str code)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one) {
        if (str_eq(js_get_str(one, "code"), code) &&
            str_eq(js_get_str(one, "system"), STR(GLASS_SYSTEM)))
            return true;
    }
    return false;
}

bool glass_is_task(yyjson_val *root)
{
    return str_eq(js_get_str(root, "resourceType"), STR("Task")) &&
           has_code(js_get(root, "code"), STR(GLASS_TASK));
}

static bool has_outcome(yyjson_val *task)
{
    static const struct str outcomes[] = {STR("justified"), STR("unjustified"), STR("unclear")};
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(task, "output"), i, max, one) {
        for (size_t k = 0; k < ARRAY_LEN(outcomes); k++)
            if (has_code(js_get(one, "type"), STR("outcome")) &&
                str_eq(js_get_str(one, "valueCode"), outcomes[k]))
                return true;
    }
    return false;
}

/* What a review says; all else stays as the node wrote it. */
static bool is_of_review(struct str member)
{
    static const struct str members[] = {STR("meta"),           STR("text"),         STR("status"),
                                         STR("businessStatus"), STR("statusReason"), STR("note"),
                                         STR("owner"),          STR("lastModified"), STR("output")};

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (str_eq(member, members[i]))
            return true;
    return false;
}

/* Whether each member of one that is none of a review's stands in the other as it is. */
static bool keeps(yyjson_val *one, yyjson_val *other)
{
    yyjson_val *k, *v;
    size_t i, max;

    yyjson_obj_foreach(one, i, max, k, v) {
        yyjson_val *there = yyjson_obj_getn(other, yyjson_get_str(k), yyjson_get_len(k));

        if (!is_of_review(js_str(k)) && !yyjson_equals(v, there))
            return false;
    }
    return true;
}

static bool is_closed(yyjson_val *task)
{
    return str_eq(js_get_str(task, "status"), STR("completed"));
}

const char *glass_refuses(yyjson_val *old, yyjson_val *new, struct str account)
{
    static const char *const open[] = {"requested", "received", "accepted", "in-progress",
                                       "on-hold"};
    struct str status, by;
    bool is_open = false;

    if (!old || !new)
        return "a review of emergency access is neither made nor deleted by hand";
    by = js_get_str(js_get(js_get(old, "requester"), "identifier"), "value");
    if (str_eq(by, account))
        return "emergency access is not reviewed by whoever took it";
    if (is_closed(old))
        return "this review is closed";
    if (!keeps(old, new) || !keeps(new, old))
        return "of a review of emergency access only its status, owner, notes and output change";
    status = js_get_str(new, "status");
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        is_open |= str_eq(status, str_c(open[i]));
    if (is_open)
        return NULL;
    if (!is_closed(new))
        return "a review of emergency access ends completed, and no other way";
    if (!has_outcome(new))
        return "a review is closed with an outcome: justified, unjustified or unclear";
    return NULL;
}
