#include "api/graphql_int.h"

int gq_step(struct gq_run *run)
{
    if (++run->steps > GRAPHQL_STEPS_MAX)
        return gq_err(run, run->place, ERR_COSTLY, "the answer has more than %d fields and values",
                      GRAPHQL_STEPS_MAX);
    return 0;
}

struct gq_field *gq_field(struct gq_run *run, struct gq_object *in, struct str name, bool is_list,
                          bool is_single)
{
    struct gq_field *f = in->first;

    while (f && !str_eq(f->name, name))
        f = f->next;
    if (f) {
        /* What is flattened into one name is a list unless it says that it is not. */
        f->is_list |= !f->is_single;
        return f;
    }
    f = ARENA_NEW(run->c->a, struct gq_field);
    if (!f) {
        err_no_memory(&run->c->err);
        return NULL;
    }
    *f = (struct gq_field){.name = name, .is_list = is_list, .is_single = is_single};
    if (in->last)
        in->last->next = f;
    else
        in->first = f;
    in->last = f;
    return f;
}

int gq_add(struct gq_run *run, struct gq_field *to, struct gq_value value)
{
    struct gq_value *copy;
    int r = gq_step(run);

    if (r < 0)
        return r;
    copy = ARENA_NEW(run->c->a, struct gq_value);
    if (!copy)
        return err_no_memory(&run->c->err);
    *copy = value;
    copy->next = NULL;
    if (to->last)
        to->last->next = copy;
    else
        to->first = copy;
    to->last = copy;
    return 0;
}

int gq_add_object(struct gq_run *run, struct gq_field *to, struct gq_object **ret)
{
    struct gq_object *object = ARENA_NEW(run->c->a, struct gq_object);
    int r =
        object ? gq_add(run, to, (struct gq_value){.object = object}) : err_no_memory(&run->c->err);

    if (r >= 0)
        *ret = object;
    return r;
}

static int write_value(struct gq_run *run, struct sb *out, const struct gq_value *v)
{
    if (v->object)
        return gq_write(run, out, v->object);
    if (v->v)
        js_write(out, v->v);
    else
        sb_str(out, v->json);
    return 0;
}

static int write_field(struct gq_run *run, struct sb *out, const struct gq_field *f)
{
    bool as_list = f->is_list && !f->is_single;
    int r = 0;

    if (!as_list && f->first->next)
        return gq_err(run, run->place, ERR_PROCESSING,
                      "\"%.*s\" is asked for as a single value and has several", STR_ARG(f->name));
    sb_json(out, f->name);
    sb_str(out, as_list ? STR(":[") : STR(":"));
    for (const struct gq_value *v = f->first; v && r >= 0; v = v->next) {
        if (v != f->first)
            sb_char(out, ',');
        r = write_value(run, out, v);
    }
    if (as_list)
        sb_char(out, ']');
    return r;
}

/* What has no value is left out, as FHIR's own JSON does. */
int gq_write(struct gq_run *run, struct sb *out, const struct gq_object *object)
{
    bool first = true;
    int r = 0;

    sb_char(out, '{');
    for (const struct gq_field *f = object->first; f && r >= 0; f = f->next) {
        if (!f->first)
            continue;
        if (!first)
            sb_char(out, ',');
        first = false;
        r = write_field(run, out, f);
    }
    sb_char(out, '}');
    return r < 0 ? r : sb_ok(out, &run->c->err);
}
