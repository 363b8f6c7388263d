/* op_populate.c - Questionnaire/$populate: a form filled from what the node knows of its subject
 * (http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-populate).
 *
 * A launch context is what the call gives under its name; else, unless local=false, the subject
 * where that is of its type, and for "user" whoever asks.
 */
#include "api/sdc_call.h"

struct asked {
    struct op_params params;
    yyjson_val *form;
    struct str subject;
    bool local;
};

static struct str reference_of(const struct op_param *p)
{
    return !p ? STR_NULL : p->value ? js_get_str(p->value, "reference") : p->text;
}

/* One of the ways to name a form. */
static int find_form(struct call *c, struct store_txn *txn, struct asked *ret)
{
    const struct op_param *whole = op_param_find(&ret->params, "questionnaire");
    struct str canonical = op_param_text(&ret->params, "canonical");
    struct str reference = reference_of(op_param_find(&ret->params, "questionnaireRef"));

    if (!whole)
        whole = op_param_find(&ret->params, "resource");
    if (c->id.n)
        return op_resource(c, txn, c->type, c->id, &ret->form);
    if ((whole != NULL) + (canonical.n > 0) + (reference.n > 0) != 1)
        return err_at(&c->err, ERR_REQUIRED, "questionnaire",
                      "give one of questionnaire, questionnaireRef and canonical");
    if (!whole)
        return sdc_call_form(c, txn, canonical.n ? canonical : reference,
                             canonical.n ? "canonical" : "questionnaireRef", &ret->form);
    if (!str_eq(js_get_str(whole->value, "resourceType"), STR("Questionnaire")))
        return err_at(&c->err, ERR_VALUE, "questionnaire", "this is no Questionnaire");
    ret->form = whole->value;
    return 0;
}

static int read_asked(struct call *c, struct store_txn *txn, struct asked *ret)
{
    int r = op_params_read(c, &ret->params);

    if (r >= 0)
        r = op_params_only(c, &ret->params,
                           "questionnaire resource canonical questionnaireRef subject context "
                           "local");
    if (r >= 0)
        r = op_param_bool(c, &ret->params, "local", true, &ret->local);
    if (r >= 0)
        r = find_form(c, txn, ret);
    if (r < 0)
        return r;
    ret->subject = reference_of(op_param_find(&ret->params, "subject"));
    if (!ret->subject.n)
        return err_at(&c->err, ERR_REQUIRED, "subject", "the parameter \"subject\" is missing");
    return 0;
}

/* ---- launch contexts ---- */

static int push(struct call *c, struct path_items *items, yyjson_val *resource)
{
    struct path_item *p =
        arena_grow(c->a, items->p, items->n * sizeof *p, (items->n + 1) * sizeof *p);

    if (!p)
        return err_no_memory(&c->err);
    items->p = p;
    items->p[items->n++] = path_root(resource);
    items->cap = items->n;
    return 0;
}

static int push_reference(struct call *c, struct store_txn *txn, struct path_items *items,
                          struct str reference, const char *name)
{
    yyjson_val *found;
    struct str id;
    int type, r;

    if (!op_local(c, reference, &type, &id))
        return err_at(&c->err, ERR_VALUE, name, "\"%.*s\" is no resource of this node",
                      (int)MIN(reference.n, (size_t)100), reference.n ? reference.p : "");
    r = op_resource(c, txn, type, id, &found);
    return r < 0 ? r : push(c, items, found);
}

/* What the call brings under a name: resources, or references to some. */
static int brought(struct call *c, struct store_txn *txn, const struct asked *asked,
                   struct str name, struct path_items *ret)
{
    int r = 0;

    for (size_t i = 0; i < asked->params.n && r >= 0; i++) {
        struct op_params parts;
        if (!str_eq(asked->params.v[i].name, STR("context")))
            continue;
        if ((r = op_parts_read(c, &asked->params.v[i], &parts)) < 0)
            return r;
        if (!str_eq(op_param_text(&parts, "name"), name))
            continue;
        for (size_t k = 0; k < parts.n && r >= 0; k++) {
            yyjson_val *value = parts.v[k].value;
            if (!str_eq(parts.v[k].name, STR("content")))
                continue;
            r = js_get_str(value, "resourceType").n
                    ? push(c, ret, value)
                    : push_reference(c, txn, ret, js_get_str(value, "reference"), "context");
        }
    }
    return r;
}

static int resolve(struct call *c, struct store_txn *txn, const struct asked *asked,
                   struct str name, yyjson_val *extension, struct path_items *ret)
{
    struct str id, user = c->who.identity ? c->who.identity->fhir_user : STR("");
    int type, r = brought(c, txn, asked, name, ret);

    if (r < 0 || ret->n || !asked->local)
        return r;
    if (str_eq(name, STR("user")) && user.n) {
        r = push_reference(c, txn, ret, user, "user");
        return r == ERR_NOT_FOUND || r == ERR_DELETED ? 0 : r;
    }
    if (op_local(c, asked->subject, &type, &id) &&
        sdc_launch_takes(extension, def_resource_name(type)))
        return push_reference(c, txn, ret, asked->subject, "subject");
    return 0;
}

static int read_contexts(struct call *c, struct store_txn *txn, const struct asked *asked,
                         struct path_variable *ret, size_t *ret_n)
{
    yyjson_val *extension;
    struct str name;
    size_t n = 0;
    int r = 0;

    while (r >= 0 && sdc_launch_context(asked->form, n, &name, &extension)) {
        if (n == SDC_CONTEXTS_MAX)
            return err_at(&c->err, ERR_COSTLY, "questionnaire",
                          "the form has more than %d launch contexts", SDC_CONTEXTS_MAX);
        ret[n] = (struct path_variable){.name = name.p ? name : STR("")};
        r = resolve(c, txn, asked, name, extension, &ret[n].items);
        if (r >= 0 && !ret[n].items.n)
            issues_add(&c->issues, ISSUE_WARNING, "not-found", STR("Questionnaire.extension"),
                       "there is nothing for the launch context \"%.*s\"",
                       (int)MIN(name.n, (size_t)64), name.n ? name.p : "");
        n++;
    }
    *ret_n = n;
    return r < 0 || !c->issues.no_memory ? r : err_no_memory(&c->err);
}

int op_populate(struct call *c, struct store_txn *txn)
{
    _cleanup_(sdc_call_done) struct sdc_call s;
    _cleanup_(sb_done) struct sb text = sb_make(SDC_RESPONSE_MAX);
    struct path_variable contexts[SDC_CONTEXTS_MAX];
    struct asked asked = {0};
    size_t n = 0;
    int r;

    sdc_call_init(&s, c, txn);
    r = read_asked(c, txn, &asked);
    if (r < 0)
        return r;
    if (!asked.local)
        s.sdc.ask = NULL;
    if ((r = read_contexts(c, txn, &asked, contexts, &n)) < 0 ||
        (r = sdc_populate(&s.sdc, asked.form, asked.subject, contexts, n, &text, &c->err)) < 0)
        return r;
    return sdc_call_reply(c, "response", sb_view(&text));
}
