#include "api/bundle_out.h"

#include "base/clock.h"
#include "base/rng.h"

void bundle_begin(struct bundle_out *b, struct call *c, const char *type, int64_t total)
{
    char id[UUID_TEXT_LEN + 1], now[CLOCK_INSTANT_MAX];

    *b = (struct bundle_out){.call = c};
    uuid7(id);
    clock_format(clock_now_ms(), now);
    sb_lit(&c->out, "{\"resourceType\":\"Bundle\",\"id\":\"");
    sb_str(&c->out, str_c(id));
    sb_lit(&c->out, "\",\"meta\":{\"lastUpdated\":\"");
    sb_str(&c->out, str_c(now));
    sb_lit(&c->out, "\"},\"type\":\"");
    sb_str(&c->out, str_c(type));
    sb_char(&c->out, '"');
    if (total >= 0) {
        sb_lit(&c->out, ",\"total\":");
        sb_i64(&c->out, total);
    }
    sb_lit(&c->out, ",\"link\":[");
}

void bundle_link(struct bundle_out *b, const char *relation, struct str path, struct str query,
                 struct str cursor)
{
    struct sb *out = &b->call->out;
    _cleanup_(sb_done) struct sb url = sb_make(HTTP_URI_MAX * 4);

    sb_str(&url, b->call->base);
    if (path.n) {
        sb_char(&url, '/');
        sb_str(&url, path);
    }
    if (query.n || cursor.n)
        sb_char(&url, '?');
    sb_str(&url, query);
    if (cursor.n) {
        sb_str(&url, query.n ? STR("&_cursor=") : STR("_cursor="));
        sb_uri(&url, cursor);
    }
    out->failed |= url.failed;
    if (b->has_entry)
        sb_char(out, ',');
    b->has_entry = true;
    sb_lit(out, "{\"relation\":\"");
    sb_str(out, str_c(relation));
    sb_lit(out, "\",\"url\":");
    sb_json(out, sb_view(&url));
    sb_char(out, '}');
}

void bundle_entries(struct bundle_out *b)
{
    sb_char(&b->call->out, ']');
    b->has_entry = false;
}

void bundle_entry(struct bundle_out *b, int type, struct str id)
{
    struct sb *out = &b->call->out;

    if (b->has_entry)
        sb_char(out, ',');
    else
        sb_lit(out, ",\"entry\":[");
    b->has_entry = true;
    sb_lit(out, "{\"fullUrl\":\"");
    sb_str(out, b->call->base);
    sb_char(out, '/');
    sb_str(out, def_resource_name(type));
    sb_char(out, '/');
    sb_str(out, id);
    sb_char(out, '"');
}

void bundle_end(struct bundle_out *b)
{
    if (b->has_entry)
        sb_char(&b->call->out, ']');
    sb_char(&b->call->out, '}');
}
