/* read.c - read and vread, with their conditions (http.html#read, #cread). */
#include "api/audit_read.h"
#include "api/trail.h"

#include "base/clock.h"

/* Whether one of the entity tags in If-None-Match is this version's (weak comparison). */
bool etag_matches(struct str header, const struct version *v)
{
    char vid[STORE_VERSION_ID_MAX];
    struct str tag;

    version_format(v, vid);
    while (header.n && str_split(&header, ',', &tag)) {
        tag = str_trim(tag);
        if (str_eq(tag, STR("*")))
            return true;
        if (str_starts(tag, STR("W/")))
            tag = str_from(tag, 2);
        if (tag.n >= 2 && tag.p[0] == '"' && tag.p[tag.n - 1] == '"')
            tag = str_n(tag.p + 1, tag.n - 2);
        if (str_eq(tag, str_c(vid)))
            return true;
    }
    return false;
}

static bool not_modified(struct call *c, const struct row *row)
{
    int64_t since;

    if (c->if_none_match.n)
        return etag_matches(c->if_none_match, &row->version);
    if (c->if_modified_since.n && clock_parse_http(c->if_modified_since, &since))
        return hlc_ms(row->version.hlc) / 1000 <= since / 1000;
    return false;
}

static int answer(struct call *c, const struct row *row)
{
    c->version = row->version;
    if (row->method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(row->type)), STR_ARG(row->id));
    if (not_modified(c, row)) {
        trail_saw_row(c, row);
        c->status = 304;
        return 0;
    }
    if (c->budget && row->sealed.n > API_INLINE_SEALED_MAX)
        return err_set(&c->err, ERR_BUSY, "the resource is too long for an event loop");
    c->status = 200;
    return call_reply_resource(c, row);
}

int api_read(struct call *c, struct store_txn *txn)
{
    struct row row;
    int r;

    if (audit_serves(c))
        return audit_read(c);
    store_brief(txn);
    r = store_get(txn, c->type, c->id, &row, &c->err);
    return r < 0 ? r : answer(c, &row);
}

int api_vread(struct call *c, struct store_txn *txn)
{
    struct version v;
    struct row row;
    int r;

    if (!version_parse(c->version_id, &v))
        return err_set(&c->err, ERR_NOT_FOUND, "there is no such version of %.*s/%.*s",
                       STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    r = store_get_version(txn, c->type, c->id, &v, &row, &c->err);
    return r < 0 ? r : answer(c, &row);
}
