#include "api/sdc_call.h"

#include "base/clock.h"
#include "fhir/outcome.h"

static int ask_search(struct sdc_call *s, int type, struct str query, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct call *c = s->c;
    struct page page;
    int r = op_search(c, s->txn, type, query, 1, &page);

    if (r < 0)
        return r;
    sb_lit(&text, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[");
    for (size_t i = 0; i < page.n; i++) {
        struct row row;
        sb_str(&text, i ? STR(",{\"resource\":") : STR("{\"resource\":"));
        if ((r = store_get_row(s->txn, page.rows[i], &row, &c->err)) < 0 ||
            (r = call_write_whole(c, &row, &text)) < 0)
            return r;
        sb_char(&text, '}');
    }
    sb_lit(&text, "]}");
    if ((r = sb_ok(&text, &c->err)) < 0)
        return r;
    return js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

/* "Patient/1" or "Observation?code=1"; of a search, its first page. */
static int ask(void *ctx, struct arena *a, struct str query, yyjson_val **ret, struct err *err)
{
    struct sdc_call *s = ctx;
    struct call *c = s->c;
    ptrdiff_t mark = str_find(query, '?');
    struct str id, text;
    int type, r;

    *ret = NULL;
    if (mark < 0 && op_local(c, query, &type, &id)) {
        r = op_resource(c, s->txn, type, id, ret);
    } else {
        type = mark < 0 ? 0 : def_resource(str_head(query, (size_t)mark));
        text = arena_dup(a, str_from(query, (size_t)(mark + 1)));
        r = !type    ? err_set(&c->err, ERR_VALUE, "\"%.*s\" is no query of this node",
                               (int)MIN(query.n, (size_t)100), query.p)
            : text.p ? ask_search(s, type, text, ret)
                     : err_no_memory(&c->err);
    }
    if (r < 0) {
        *err = c->err;
        c->err = (struct err){0};
    }
    return r == ERR_DELETED || r == ERR_NOT_FOUND ? 0 : r;
}

void sdc_call_init(struct sdc_call *s, struct call *c, struct store_txn *txn)
{
    *s = (struct sdc_call){.c = c, .txn = txn};
    call_sight_init(&s->sight, c, txn);
    s->sight.is_shown = true;
    issues_init(&c->issues, c->a);
    s->sdc = (struct sdc){.a = c->a,
                          .issues = &c->issues,
                          .world = &s->sight.over.world,
                          .ask = ask,
                          .ask_ctx = s,
                          .now_ms = clock_now_ms(),
                          .tz_minutes = store_index_options(c->api->store)->tz_minutes};
}

void sdc_call_done(struct sdc_call *s)
{
    call_sight_done(&s->sight);
}

int sdc_call_form(struct call *c, struct store_txn *txn, struct str of, const char *name,
                  yyjson_val **ret)
{
    int type = def_resource(STR("Questionnaire")), found;
    struct str id;

    if (op_local(c, of, &found, &id) && found == type)
        return op_resource(c, txn, type, id, ret);
    return op_by_url(c, txn, type, of, name, ret);
}

int sdc_call_reply(struct call *c, const char *name, struct str resource)
{
    sb_fmt(&c->out,
           "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"%s\",\"resource\":", name);
    sb_str(&c->out, resource);
    sb_char(&c->out, '}');
    if (c->issues.n) {
        sb_lit(&c->out, ",{\"name\":\"issues\",\"resource\":");
        outcome_issues(&c->out, &c->issues);
        sb_char(&c->out, '}');
    }
    sb_lit(&c->out, "]}");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
