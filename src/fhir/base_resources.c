#include "fhir/base_resources.h"

#include "fhir/base_int.h"

bool base_row(struct base_table *t)
{
    struct str line, cell;
    size_t n = 0;

    if (!t->rest.n || !str_split(&t->rest, '\n', &line))
        return false;
    while (n < BASE_CELLS_MAX && str_split(&line, '\t', &cell))
        t->cells[n++] = cell;
    while (n < BASE_CELLS_MAX)
        t->cells[n++] = STR("");
    return true;
}

void base_name(struct sb *b, const char *name)
{
    bool is_first = b->n && (b->p[b->n - 1] == '{' || b->p[b->n - 1] == '[');

    sb_fmt(b, "%s\"%s\":", is_first ? "" : ",", name);
}

void base_text_member(struct sb *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    base_name(b, name);
    sb_json(b, value);
}

void base_bool_member(struct sb *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    base_name(b, name);
    sb_str(b, str_eq(value, STR("1")) ? STR("true") : STR("false"));
}

void base_list_member(struct sb *b, const char *name, struct str list, char sep, const char *prefix)
{
    struct str item;
    bool is_first = true;

    if (!list.n)
        return;
    base_name(b, name);
    sb_char(b, '[');
    while (str_split(&list, sep, &item)) {
        sb_fmt(b, "%s\"%s", is_first ? "" : ",", str_find(item, ':') < 0 ? prefix : "");
        sb_str(b, item);
        sb_char(b, '"');
        is_first = false;
    }
    sb_char(b, ']');
}

void base_head(struct sb *b, struct str url, struct str version, struct str name, struct str title,
               struct str status, struct str experimental)
{
    base_text_member(b, "url", url);
    base_text_member(b, "version", version);
    base_text_member(b, "name", name);
    base_text_member(b, "title", title);
    base_text_member(b, "status", status);
    base_bool_member(b, "experimental", experimental);
}

void base_open(struct base_out *out, const char *type, struct str id)
{
    sb_reset(&out->sb);
    sb_fmt(&out->sb, "{\"resourceType\":\"%s\"", type);
    base_text_member(&out->sb, "id", id);
}

bool base_close(struct base_out *out)
{
    if (out->result < 0)
        return false;
    sb_char(&out->sb, '}');
    out->result = sb_ok(&out->sb, out->err);
    if (out->result == 0)
        out->result = out->emit(out->ctx, sb_view(&out->sb), out->err);
    return out->result >= 0;
}

int base_resources(int (*emit)(void *ctx, struct str json, struct err *err), void *ctx,
                   struct err *err)
{
    struct base_out out = {.emit = emit, .ctx = ctx, .err = err, .sb = sb_make(BASE_JSON_MAX)};

    base_structures(&out, STR_NULL);
    base_profiles(&out);
    base_searches(&out);
    base_terms(&out);
    sb_done(&out.sb);
    return MIN(out.result, 0);
}

int base_resource_of_type(struct str type, int (*emit)(void *ctx, struct str json, struct err *err),
                          void *ctx, struct err *err)
{
    struct base_out out = {.emit = emit, .ctx = ctx, .err = err, .sb = sb_make(BASE_JSON_MAX)};

    base_structures(&out, type);
    sb_done(&out.sb);
    return MIN(out.result, 0);
}
