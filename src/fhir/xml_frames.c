#include "fhir/xml_frames.h"

#define FRAME_EXTRAS_MAX XML_BYTES_MAX

void frames_done(struct frames *f)
{
    for (size_t i = 0; i < ARRAY_LEN(f->v); i++)
        sb_done(&f->v[i].extras);
}

static void place_of(const struct frames *f, size_t n, const struct xml_place *up, char *to)
{
    struct xml_place here = {up, f->at, -1};

    if (n < f->n) {
        here.name = f->v[n].name;
        here.index = f->v[n].index;
        /* What holds a resource and the resource are one place. */
        if (n && f->v[n - 1].kind == FRAME_HOLDER)
            here = *up;
        place_of(f, n + 1, &here, to);
    } else {
        xml_place_text(f->at.n || !up ? &here : up, to);
    }
}

void frames_place(const struct frames *f, char to[static XML_PLACE_MAX])
{
    place_of(f, 0, NULL, to);
}

/* ---- members ---- */

static void begin_member(struct frame *f, const char *prefix, struct str name)
{
    sb_str(f->to, f->has_members ? STR(",\"") : STR("\""));
    f->has_members = true;
    sb_str(f->to, str_c(prefix));
    sb_str(f->to, name);
    sb_lit(f->to, "\":");
}

/* The '{' of a primitive's extensions is written into the parent's extras when the first is there.
 */
static void open_object(struct frames *fs, struct frame *f)
{
    struct frame *parent;
    struct frame_run *run;

    if (f->is_open)
        return;
    f->is_open = true;
    if (f->kind == FRAME_PRIMITIVE) {
        parent = &fs->v[fs->n - 2];
        assert(f == parent + 1);
        run = &parent->run;
        for (; run->n_extras + 1 < run->n; run->n_extras++)
            sb_str(f->to, run->n_extras ? STR(",null") : STR("null"));
        if (run->n_extras++)
            sb_char(f->to, ',');
    }
    sb_char(f->to, '{');
}

static bool repeats(const struct frame_run *run)
{
    return run->e->max > 1;
}

/* The run's array ends, and the "_" member follows. A primitive without any value leaves nothing
 * but that. */
static void end_run(struct frame *f)
{
    struct frame_run *run = &f->run;

    if (!run->e)
        return;
    if (run->type->kind == DEF_PRIMITIVE && !run->has_value) {
        if (!f->to->failed)
            f->to->n = run->begin;
        f->has_members = !run->was_first;
    } else if (repeats(run)) {
        sb_char(f->to, ']');
    }
    if (run->n_extras) {
        begin_member(f, "_", run->name);
        if (repeats(run))
            sb_char(f->to, '[');
        sb_str(f->to, sb_view(&f->extras));
        for (; repeats(run) && run->n_extras < run->n; run->n_extras++)
            sb_lit(f->to, ",null");
        if (repeats(run))
            sb_char(f->to, ']');
    }
    f->to->failed |= f->extras.failed;
    sb_reset(&f->extras);
}

/* ---- values ---- */

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static size_t skip_digits(struct str s, size_t i)
{
    while (is_digit(s, i))
        i++;
    return i;
}

/* JSON's grammar, which is that of a FHIR decimal. */
static bool is_number(struct str s)
{
    size_t i = s.n && s.p[0] == '-';

    if (!is_digit(s, i))
        return false;
    i = s.p[i] == '0' ? i + 1 : skip_digits(s, i);
    if (i < s.n && s.p[i] == '.') {
        if (!is_digit(s, i + 1))
            return false;
        i = skip_digits(s, i + 1);
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
        if (!is_digit(s, i))
            return false;
        i = skip_digits(s, i);
    }
    return i == s.n;
}

/* XML's grammar of whole numbers has a '+' that JSON has not. */
static struct str without_plus(struct str value)
{
    return value.n > 1 && value.p[0] == '+' && value.p[1] != '-' ? str_from(value, 1) : value;
}

static const char *write_number(struct sb *to, struct str value)
{
    if (!is_number(value))
        return "is not a number";
    sb_str(to, value);
    return NULL;
}

static const char *write_value(struct sb *to, const struct def_type *t, struct str value)
{
    switch (t->which) {
    case TYPE_BOOLEAN:
        if (!str_eq(value, STR("true")) && !str_eq(value, STR("false")))
            return "is neither true nor false";
        sb_str(to, value);
        return NULL;
    case TYPE_INTEGER:
    case TYPE_POSITIVEINT:
    case TYPE_UNSIGNEDINT: return write_number(to, without_plus(value));
    case TYPE_DECIMAL: return write_number(to, value);
    default: sb_json(to, value); return NULL;
    }
}

/* ---- opening ---- */

static struct frame *push(struct frames *fs, enum frame_kind kind, const struct def_type *t,
                          struct str name, ptrdiff_t index, struct sb *to)
{
    struct frame *f = &fs->v[fs->n++];
    struct sb extras = f->extras; /* keeps its memory from frame to frame */

    if (!extras.max)
        extras = sb_make(FRAME_EXTRAS_MAX);
    sb_reset(&extras);
    *f = (struct frame){
        .kind = kind, .type = t, .name = name, .index = index, .to = to, .extras = extras};
    return f;
}

static const char *open_resource(struct frames *fs, struct str name,
                                 const struct frame_attributes *given, struct sb *to)
{
    int type = def_resource(name);
    struct frame *f;

    fs->at = name;
    if (!type)
        return "is not a resource of R4";
    if (given->id.p || given->url.p || given->value.p)
        return "is a resource, and those have no attributes";
    fs->at = STR("");
    f = push(fs, FRAME_OBJECT, def_resource_type(type), name, -1, to);
    f->is_open = true;
    sb_lit(to, "{\"resourceType\":\"");
    sb_str(to, name);
    sb_char(to, '"');
    f->has_members = true;
    return NULL;
}

/* Whether a child may follow what stands before it in its parent, and then the run it belongs to.
 */
static const char *begin_child(struct frame *f, struct str name)
{
    struct frame_run *run = &f->run;
    const struct def_type *type;
    const struct def_element *e = def_member(f->type, name, &type);

    if (!e)
        return "is not an element of R4";
    if (xml_is_attribute(f->type, e))
        return "is an attribute in XML, not an element";
    if (run->e == e && run->type != type)
        return "is a second value where one type is allowed";
    if (run->e == e && !repeats(run))
        return "stands twice, but does not repeat";
    if (run->e && e < run->e)
        return "stands behind an element that it belongs in front of";
    if (run->e == e) {
        sb_char(f->to, ',');
    } else {
        end_run(f);
        *run = (struct frame_run){
            .e = e, .type = type, .name = name, .begin = f->to->n, .was_first = !f->has_members};
        begin_member(f, "", name);
        if (repeats(run))
            sb_char(f->to, '[');
    }
    run->n++;
    return NULL;
}

static const char *open_primitive(struct frames *fs, struct frame *parent, ptrdiff_t index,
                                  const struct frame_attributes *given)
{
    struct frame_run *run = &parent->run;
    struct frame *f = push(fs, FRAME_PRIMITIVE, run->type, run->e->name, index, &parent->extras);
    const char *problem = NULL;

    if (given->value.p && !given->value.n)
        return "has an empty value";
    if (given->value.p)
        problem = write_value(parent->to, run->type, given->value);
    else if (repeats(run))
        sb_lit(parent->to, "null");
    f->has_value = given->value.p != NULL;
    run->has_value |= f->has_value;
    return problem;
}

/* Attributes that are members in JSON. */
static const char *take_attributes(struct frames *fs, struct frame *f,
                                   const struct frame_attributes *given)
{
    if ((given->id.p && !given->id.n) || (given->url.p && !given->url.n))
        return "has an empty attribute";
    if (given->id.p) {
        open_object(fs, f);
        begin_member(f, "", STR("id"));
        sb_json(f->to, given->id);
    }
    if (!given->url.p)
        return NULL;
    if (f->type->which != TYPE_EXTENSION)
        return "has a url, which is an attribute of extensions only";
    begin_member(f, "", STR("url"));
    sb_json(f->to, given->url);
    return NULL;
}

const char *frames_open(struct frames *fs, struct str name, const struct frame_attributes *given,
                        bool *ret_narrative)
{
    struct frame *parent = fs->n ? &fs->v[fs->n - 1] : NULL, *f;
    struct frame_run *run;
    const char *problem;
    ptrdiff_t index;

    *ret_narrative = false;
    fs->at = name;
    if (fs->n == XML_DEPTH_MAX)
        return "is nested too deep";
    if (!parent)
        return open_resource(fs, name, given, fs->out);
    if (parent->kind == FRAME_HOLDER && parent->has_members)
        return "is a second resource where one is allowed";
    if (parent->kind == FRAME_HOLDER) {
        parent->has_members = true;
        return open_resource(fs, name, given, parent->to);
    }
    open_object(fs, parent);
    problem = begin_child(parent, name);
    if (problem)
        return problem;
    run = &parent->run;
    index = repeats(run) ? (ptrdiff_t)run->n - 1 : -1;
    if (run->type->which == TYPE_XHTML) {
        *ret_narrative = true;
        return NULL;
    }
    fs->at = STR("");
    if (run->type->kind == DEF_PRIMITIVE) {
        problem = open_primitive(fs, parent, index, given);
        f = &fs->v[fs->n - 1];
    } else {
        bool is_holder = run->type->kind == DEF_RESOURCE;
        f = push(fs, is_holder ? FRAME_HOLDER : FRAME_OBJECT, run->type, run->e->name, index,
                 parent->to);
        if (given->value.p || (is_holder && (given->id.p || given->url.p)))
            return "has an attribute that is not allowed";
        if (!is_holder)
            open_object(fs, f);
    }
    return problem ? problem : take_attributes(fs, f, given);
}

const char *frames_close(struct frames *fs)
{
    struct frame *f = &fs->v[fs->n - 1];

    fs->at = STR("");
    if (f->kind == FRAME_HOLDER && !f->has_members)
        return "holds no resource";
    if (f->kind == FRAME_PRIMITIVE && !f->has_value && !f->is_open)
        return "has neither a value nor extensions";
    end_run(f);
    if (f->is_open)
        sb_char(f->to, '}');
    fs->n--;
    return NULL;
}

void frames_narrative(struct frames *fs, struct str text)
{
    struct frame *f = &fs->v[fs->n - 1];

    f->run.has_value = true;
    sb_json(f->to, text);
}
