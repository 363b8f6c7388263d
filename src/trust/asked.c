/* asked.c - an authorisation request: read, checked, cut down to what the client may have. */
#include "trust/oauth_int.h"

#include "trust/allow.h"

#define STATE_MAX 2048
#define CHALLENGE_LENGTH 43 /* of SHA-256 in base64url */

static const struct field asked_fields[] = {
    {"client", FIELD_STR, offsetof(struct asked, client)},
    {"redirect", FIELD_STR, offsetof(struct asked, redirect)},
    {"state", FIELD_STR, offsetof(struct asked, state)},
    {"scope", FIELD_STR, offsetof(struct asked, scope)},
    {"challenge", FIELD_STR, offsetof(struct asked, challenge)},
    {"nonce", FIELD_STR, offsetof(struct asked, nonce)},
    {"launch", FIELD_STR, offsetof(struct asked, launch)},
    {"prompt", FIELD_STR, offsetof(struct asked, prompt)},
    {"locale", FIELD_STR, offsetof(struct asked, locale)},
    {"jkt", FIELD_STR, offsetof(struct asked, jkt)},
    {"patient", FIELD_STR, offsetof(struct asked, patient)},
    {"encounter", FIELD_STR, offsetof(struct asked, encounter)},
    {"account", FIELD_STR, offsetof(struct asked, account)},
    {"waiting", FIELD_STR, offsetof(struct asked, waiting)},
    {"browser", FIELD_STR, offsetof(struct asked, browser)},
    {"eid", FIELD_STR, offsetof(struct asked, eid)},
    {"passkey", FIELD_STR, offsetof(struct asked, passkey)},
    {"signedIn", FIELD_I64, offsetof(struct asked, signed_in_ms)},
    {"assurance", FIELD_I64, offsetof(struct asked, assurance)},
    {"maxAge", FIELD_I64, offsetof(struct asked, max_age)},
};
const struct shape asked_shape = SHAPE(asked);

static const struct field code_fields[] = {
    {"grant", FIELD_STR, offsetof(struct code, grant)},
    {"client", FIELD_STR, offsetof(struct code, client)},
    {"redirect", FIELD_STR, offsetof(struct code, redirect)},
    {"challenge", FIELD_STR, offsetof(struct code, challenge)},
    {"nonce", FIELD_STR, offsetof(struct code, nonce)},
    {"jkt", FIELD_STR, offsetof(struct code, jkt)},
    {"used", FIELD_BOOL, offsetof(struct code, used)},
};
const struct shape code_shape = SHAPE(code);

static int wrong(struct oauth *o, const char *code, const char *text)
{
    return err_at(&o->err, ERR_VALUE, code, "%s", text);
}

static int check_response(struct oauth *o, const struct form *f)
{
    struct str type = form_get(f, "response_type"), mode = form_get(f, "response_mode");

    if (!type.p)
        return wrong(o, "invalid_request", "response_type is missing");
    if (!str_eq(type, STR("code")))
        return wrong(o, "unsupported_response_type", "response_type is code");
    if (mode.p && !str_eq(mode, STR("query")))
        return wrong(o, "invalid_request", "response_mode is query");
    if (form_get(f, "request").p)
        return wrong(o, "request_not_supported", "request objects are not taken; push the request");
    return 0;
}

/* PKCE with S256 alone (SMART; RFC 9700, 2.1.1). */
static int check_challenge(struct oauth *o, const struct form *f)
{
    struct str challenge = form_get(f, "code_challenge");

    if (!challenge.p)
        return wrong(o, "invalid_request", "code_challenge is missing: PKCE is required");
    if (!str_eq(form_get(f, "code_challenge_method"), STR("S256")))
        return wrong(o, "invalid_request", "code_challenge_method is S256");
    if (challenge.n != CHALLENGE_LENGTH)
        return wrong(o, "invalid_request", "code_challenge is no SHA-256 in base64url");
    return 0;
}

/* SMART: `aud` says which FHIR server the client means, so that none can be led to ask for tokens
 * for another. */
static int check_audience(struct oauth *o, const struct form *f, const struct smart_scopes *scopes)
{
    struct str aud = form_get(f, "aud");

    if (!aud.p)
        return scopes->n ? wrong(o, "invalid_request", "aud is missing: the FHIR base URL") : 0;
    if (aud.p[aud.n - 1] == '/')
        aud.n--;
    return str_eq(aud, o->t->fhir) ? 0 : wrong(o, "invalid_request", "aud is another FHIR server");
}

static int read_scope(struct oauth *o, const struct form *f, const struct client *client,
                      struct asked *ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(SMART_TEXT_MAX);
    struct str given = form_get(f, "scope");
    struct smart_scopes asked, most, both;
    int r;

    if (!given.p)
        return wrong(o, "invalid_scope", "scope is missing");
    if ((r = smart_parse(o->a, given, &asked, &o->err)) < 0 ||
        (r = smart_parse(o->a, client->scope, &most, &o->err)) < 0)
        return r;
    if ((r = check_audience(o, f, &asked)) < 0)
        return r;
    smart_drop(&asked, SMART_SYSTEM);
    if ((r = smart_both(o->a, &asked, &most, &both, &o->err)) < 0)
        return r;
    if (allow_check_scopes(o->t->store, o->a, &both, &o->err) < 0)
        return err_at(&o->err, ERR_VALUE, "invalid_scope", "%.*s", (int)strlen(o->err.text),
                      o->err.text);
    if (!both.n && !both.words)
        return wrong(o, "invalid_scope", "the client is registered for none of these scopes");
    smart_write(&text, &both);
    ret->scope = arena_dup(o->a, sb_view(&text));
    return text.failed || !ret->scope.p ? err_no_memory(&o->err) : 0;
}

static struct str text_of(const struct form *f, const char *name)
{
    struct str s = form_get(f, name);

    return s.p ? s : STR("");
}

static int read_rest(struct oauth *o, const struct form *f, struct asked *ret)
{
    struct str age = form_get(f, "max_age");
    uint64_t seconds = 0;

    ret->challenge = text_of(f, "code_challenge");
    ret->nonce = text_of(f, "nonce");
    ret->launch = text_of(f, "launch");
    ret->prompt = text_of(f, "prompt");
    ret->locale = text_of(f, "ui_locales");
    ret->jkt = text_of(f, "dpop_jkt");
    if (age.p && !str_to_u64(age, INT32_MAX, &seconds))
        return wrong(o, "invalid_request", "max_age is a number of seconds");
    ret->max_age = age.p ? (int64_t)seconds + 1 : 0;
    if (ret->state.n > STATE_MAX || ret->nonce.n > STATE_MAX)
        return wrong(o, "invalid_request", "state or nonce is longer than 2048 bytes");
    return 0;
}

int asked_read(struct oauth *o, const struct form *form, const struct client *client,
               struct asked *ret)
{
    struct asked asked = {.client = client->id,
                          .redirect = text_of(form, "redirect_uri"),
                          .state = text_of(form, "state")};
    int r;

    /* First of all, because every later error is told there. */
    if (!asked.redirect.n || !client_redirects_to(client, asked.redirect))
        return wrong(o, "", "redirect_uri is missing, or is none that the client registered");
    *ret = asked;
    if ((r = check_response(o, form)) < 0 || (r = check_challenge(o, form)) < 0 ||
        (r = read_scope(o, form, client, &asked)) < 0 || (r = read_rest(o, form, &asked)) < 0)
        return r;
    *ret = asked;
    return 0;
}
