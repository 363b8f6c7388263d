/* conform_values.c - what R4 says of its data types in words, where no invariant says it: addresses
 * that are absolute, UUIDs and OIDs that are such, units that UCUM knows, sizes that are right.
 *
 * The structural validator lets these pass, because a store has to take what the world sends; who
 * asks whether a resource is right is told. Source: http://hl7.org/fhir/R4/datatypes.html,
 * references.html, narrative.html.
 */
#include "fhir/profile_int.h"

#include "base/b64.h"
#include "fhir/decimal.h"
#include "fhir/ucum.h"

#include <ctype.h>
#include <openssl/evp.h>

#define LANGUAGES STR("http://hl7.org/fhir/ValueSet/languages")
#define URIS STR("urn:ietf:rfc:3986") /* the system of identifiers that are URIs */
#define SUBTAG_MAX 8
#define SHA_BYTES 20
#define YEAR_LEAST "1800"
#define YEAR_MOST "2200"

struct value_check {
    struct conform *c;
    const struct item *item;
    const struct scope *scope;
    const struct place *at;
};

static void say(const struct value_check *k, enum issue_severity severity, const char *type,
                const char *member, const char *rule, const char *text)
{
    struct place below = {k->at, str_c(member), -1};

    conform_say(k->c, severity, type, *member ? &below : k->at, NULL, str_c(rule), "%s", text);
}

/* ---- addresses ---- */

static bool is_scheme(struct str s)
{
    if (!s.n || !isalpha((unsigned char)s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr("+-.", s.p[i]))
            return false;
    return true;
}

bool uri_is_absolute(struct str uri)
{
    ptrdiff_t colon = str_find(uri, ':');

    return colon > 0 && is_scheme(str_head(uri, (size_t)colon));
}

static const char *urn_problem(struct str s)
{
    if (str_starts(s, STR("urn:uuid:")) && !text_is_uuid(str_from(s, 9), true))
        return "is no UUID behind urn:uuid:";
    if (str_starts(s, STR("urn:oid:")) && !text_is_oid(str_from(s, 8)))
        return "is no OID behind urn:oid:";
    return NULL;
}

static void check_uri(const struct value_check *k)
{
    struct str uri = js_str(k->item->v);
    const char *problem = urn_problem(uri);

    if (problem)
        say(k, ISSUE_ERROR, "value", "", "uri", problem);
    /* "#id" names something within the resource. */
    if (k->item->type->which == TYPE_CANONICAL && uri.n && uri.p[0] != '#' && !uri_is_absolute(uri))
        say(k, ISSUE_WARNING, "value", "", "canonical", "is no canonical: it is not absolute");
}

static void check_identifier(const struct value_check *k)
{
    struct str system = js_get_str(k->item->v, "system"), value = js_get_str(k->item->v, "value");
    const char *problem;

    if (system.n && !uri_is_absolute(system))
        say(k, ISSUE_ERROR, "value", "system", "Identifier.system", "is not absolute");
    if (!value.n || !str_eq(system, URIS))
        return;
    problem = uri_is_absolute(value) ? urn_problem(value)
                                     : "is no absolute URI, which the system says it is";
    if (problem)
        say(k, ISSUE_ERROR, "value", "value", "Identifier.value", problem);
}

/* ---- codes ---- */

static void check_quantity(const struct value_check *k)
{
    struct str system = js_get_str(k->item->v, "system"), code = js_get_str(k->item->v, "code");
    struct place below = {k->at, STR("code"), -1};
    struct err why;

    if (system.n && !uri_is_absolute(system))
        say(k, ISSUE_ERROR, "value", "system", "Quantity.system", "is not absolute");
    if (code.n && str_eq(system, STR(UCUM_SYSTEM)) && ucum_check(code, &why) < 0)
        conform_say(k->c, ISSUE_ERROR, "code-invalid", &below, NULL, STR("Quantity.code"),
                    "is no unit of UCUM: %s", why.text);
}

/* The shape of BCP 47: a language of two or three letters (longer ones were never registered), or a
 * private tag, and subtags of letters and digits. */
static bool is_language_tag(struct str tag)
{
    struct str part;

    for (bool is_first = true; tag.p && str_split(&tag, '-', &part); is_first = false) {
        bool is_private = is_first && part.n == 1 && strchr("xXiI", part.p[0]);
        if (!part.n || part.n > SUBTAG_MAX)
            return false;
        if (is_first && !is_private && part.n != 2 && part.n != 3)
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (is_first ? !isalpha((unsigned char)part.p[i]) : !isalnum((unsigned char)part.p[i]))
                return false;
    }
    return true;
}

/* The most that elements of languages may have is all of BCP 47. */
static void check_language(const struct value_check *k)
{
    yyjson_val *v;
    size_t i, n;
    bool is_good = true;

    if (k->item->type->which == TYPE_CODE)
        is_good = is_language_tag(js_str(k->item->v));
    yyjson_arr_foreach(js_get(k->item->v, "coding"), i, n, v) {
        if (str_eq(js_get_str(v, "system"), STR("urn:ietf:bcp:47")))
            is_good &= is_language_tag(js_get_str(v, "code"));
    }
    if (!is_good)
        say(k, ISSUE_ERROR, "code-invalid", "", "language", "is no language tag of BCP 47");
}

/* ---- texts and times ---- */

static void check_text(const struct value_check *k)
{
    struct str s = js_str(k->item->v), bare = str_trim(s);

    if (s.n && !bare.n)
        say(k, ISSUE_WARNING, "value", "", "string", "has nothing but blanks");
    else if (bare.n != s.n)
        say(k, ISSUE_WARNING, "value", "", "string", "begins or ends with a blank");
}

/* A year that nobody means: a slip of the pen more often than a date. */
static void check_year(const struct value_check *k)
{
    struct str year = str_head(js_str(k->item->v), 4);

    if (year.n == 4 && (str_cmp(year, STR(YEAR_LEAST)) < 0 || str_cmp(year, STR(YEAR_MOST)) > 0))
        say(k, ISSUE_WARNING, "value", "", "date",
            "is a date before " YEAR_LEAST " or after " YEAR_MOST ", which is likely a mistake");
}

static bool is_sample(struct str s)
{
    struct decimal d;

    return (s.n == 1 && strchr("ELU", s.p[0])) || decimal_parse(s, &d, NULL) == 0;
}

/* Decimals with one blank between; E, L and U stand for an error, and for less and more than could
 * be measured. */
static void check_samples(const struct value_check *k)
{
    struct str data = js_get_str(k->item->v, "data"), one;

    while (data.n && str_split(&data, ' ', &one)) {
        if (is_sample(one))
            continue;
        say(k, ISSUE_ERROR, "value", "data", "SampledData.data",
            "is no series of decimals, E, L and U with one blank between");
        return;
    }
}

/* ---- others ---- */

static bool is_media_type(struct str s)
{
    ptrdiff_t slash = str_find(s, '/');

    return slash > 0 && (size_t)slash + 1 < s.n;
}

static void check_media_type(const struct value_check *k)
{
    struct str type = js_get_str(k->item->v, "contentType");

    if (type.n && !is_media_type(type))
        say(k, ISSUE_ERROR, "code-invalid", "contentType", "contentType",
            "is no media type of BCP 13");
}

static void check_hash(const struct value_check *k, struct str hash, struct str bytes)
{
    _cleanup_(sb_done) struct sb given = sb_make(hash.n + KIB(1));
    unsigned char sha[SHA_BYTES];

    if (!EVP_Digest(bytes.p, bytes.n, sha, NULL, EVP_sha1(), NULL))
        return;
    if (!b64_decode_to(&given, hash) ||
        !str_eq(sb_view(&given), str_n((const char *)sha, sizeof sha)))
        say(k, ISSUE_ERROR, "value", "hash", "Attachment.hash", "is not the SHA-1 of data");
}

static int check_attachment(const struct value_check *k)
{
    struct str data = js_get_str(k->item->v, "data"), hash = js_get_str(k->item->v, "hash");
    yyjson_val *size = js_get(k->item->v, "size");
    _cleanup_(sb_done) struct sb bytes = sb_make(data.n + KIB(1));
    uint64_t n;

    check_media_type(k);
    if (!data.n || (!size && !hash.n))
        return 0;
    if (!b64_decode_to(&bytes, data))
        return bytes.failed ? err_no_memory(k->c->err) : 0;
    if (size && str_to_u64(js_str(size), UINT64_MAX, &n) && n != bytes.n)
        say(k, ISSUE_ERROR, "value", "size", "Attachment.size",
            "is not the number of bytes in data");
    if (hash.n)
        check_hash(k, hash, sb_view(&bytes));
    return 0;
}

/* Variables that a context gives are told when it is evaluated. */
static int check_expression(const struct value_check *k)
{
    struct place below = {k->at, STR("expression"), -1};
    struct str text = js_get_str(k->item->v, "expression");
    const struct path *path;
    struct err why;
    int r = 0;

    if (text.n && str_eq(js_get_str(k->item->v, "language"), STR("text/fhirpath")))
        r = path_compile(k->c->scratch, text, NULL, &path, &why);
    arena_reset(k->c->scratch);
    if (r == ERR_NO_MEMORY)
        return err_no_memory(k->c->err);
    if (r < 0)
        conform_say(k->c, ISSUE_ERROR, "value", &below, NULL, STR("Expression"),
                    "is no FHIRPath: %s", why.text);
    return 0;
}

/* A search in place of an id is a question to whoever executes the Bundle. */
static void check_literal(const struct value_check *k)
{
    struct str reference = js_get_str(k->item->v, "reference");
    const char *problem = urn_problem(reference);
    const struct scope *s = k->scope;

    if (problem)
        say(k, ISSUE_ERROR, "value", "reference", "reference", problem);
    if (str_find(reference, '?') < 0 || uri_is_absolute(reference))
        return;
    for (; s; s = s->up) {
        struct str type = js_get_str(s->resource, "type");
        if (s->entries && (str_eq(type, STR("transaction")) || str_eq(type, STR("batch"))))
            return;
    }
    say(k, ISSUE_ERROR, "value", "reference", "reference",
        "is a search, which only entries of a transaction may have");
}

/* txt-2: something that is not blank, or a picture. */
static void check_narrative(const struct value_check *k)
{
    struct str div = js_get_str(k->item->v, "div");
    bool is_tag = false;

    for (size_t i = 0; i < div.n; i++) {
        if (div.p[i] == '<' && str_starts(str_from(div, i), STR("<img")))
            return;
        is_tag |= div.p[i] == '<';
        if (!is_tag && !isspace((unsigned char)div.p[i]))
            return;
        is_tag &= div.p[i] != '>';
    }
    if (div.n)
        say(k, ISSUE_ERROR, "invariant", "div", "txt-2", "does not hold to txt-2: it says nothing");
}

/* An id names one element of its resource; those of ElementDefinitions name what they define, in
 * snapshot and differential. */
static int check_id(const struct value_check *k)
{
    yyjson_val *obj = item_object(k->item);
    struct str id = js_get_str(obj, "id"), key;

    if (!id.n || k->item->type->kind == DEF_RESOURCE ||
        k->item->type->which == TYPE_ELEMENTDEFINITION)
        return 0;
    key = arena_fmt(k->c->a, "id %p %.*s", (void *)k->scope->resource, (int)MIN(id.n, 256u), id.p);
    if (!key.p)
        return err_no_memory(k->c->err);
    if (k->c->issues && conform_said(k->c, key))
        say(k, ISSUE_ERROR, "structure", "id", "Element.id", "stands twice in the resource");
    return 0;
}

static bool is_quantity(const struct def_type *t)
{
    while (t && t->which != TYPE_QUANTITY)
        t = t->base;
    return t != NULL;
}

int conform_value(struct conform *c, const struct item *item, const struct profile_binding *binding,
                  const struct scope *scope, const struct place *at)
{
    struct value_check k = {c, item, scope, at};
    int r = check_id(&k);

    if (r < 0 || !item->v)
        return r;
    if (binding && str_eq(binding->value_set, LANGUAGES))
        check_language(&k);
    switch (item->type->which) {
    case TYPE_URI:
    case TYPE_URL:
    case TYPE_CANONICAL: check_uri(&k); break;
    case TYPE_STRING: check_text(&k); break;
    case TYPE_DATE:
    case TYPE_DATETIME:
    case TYPE_INSTANT: check_year(&k); break;
    case TYPE_SAMPLEDDATA: check_samples(&k); break;
    case TYPE_IDENTIFIER: check_identifier(&k); break;
    case TYPE_ATTACHMENT: return check_attachment(&k);
    case TYPE_REFERENCE: check_literal(&k); return conform_bundled(c, item, scope, at);
    case TYPE_EXPRESSION: return check_expression(&k);
    case TYPE_NARRATIVE: check_narrative(&k); break;
    default:
        if (str_eq(item->type->name, STR("Binary")))
            check_media_type(&k);
        if (is_quantity(item->type))
            check_quantity(&k);
    }
    return 0;
}
