#include "taken.h"

static char *copy(struct str s)
{
    char *p = malloc(s.n + 1);

    assert_non_null(p);
    memcpy(p, s.p, s.n);
    return p;
}

static int take(void *ctx, const struct load_result *result, struct err *err)
{
    struct taken *t = ctx;
    int r;

    snprintf(t->resource, sizeof t->resource, "%.*s", STR_ARG(result->resource));
    if (str_eq(str_c(result->type), STR("CodeSystem"))) {
        assert_true(t->n_systems < TAKEN_MAX);
        r = cs_open(copy(result->image), result->image.n, &t->systems[t->n_systems], err);
        t->n_systems += r >= 0;
        return r;
    }
    assert_true(t->n_maps < TAKEN_MAX);
    r = map_open(copy(result->image), result->image.n, &t->maps[t->n_maps], err);
    t->n_maps += r >= 0;
    return r;
}

static int take_resource(void *ctx, struct str json, struct err *err)
{
    (void)json;
    (void)err;
    ((struct taken *)ctx)->n_resources++;
    return 0;
}

static struct load *begin(struct taken *t, struct load_sink *sink)
{
    *t = (struct taken){.n_systems = 0};
    *sink = (struct load_sink){.ctx = t, .take = take, .resource = take_resource};
    return load_new(sink);
}

int taken_load(struct taken *t, const char *const *files, struct err *err)
{
    struct load_sink sink;
    struct load *l = begin(t, &sink);
    int r = l ? 0 : ERR_NO_MEMORY;

    for (; r >= 0 && *files; files += 2)
        r = load_read_memory(l, files[0], str_c(files[1]), err);
    if (r >= 0)
        r = load_finish(l, err);
    load_free(l);
    return r;
}

int taken_load_file(struct taken *t, const char *path, struct err *err)
{
    struct load_sink sink;
    struct load *l = begin(t, &sink);
    int r = l ? load_read(l, path, err) : ERR_NO_MEMORY;

    if (r >= 0)
        r = load_finish(l, err);
    load_free(l);
    return r;
}

void taken_done(struct taken *t)
{
    for (size_t i = 0; i < t->n_systems; i++)
        cs_unref(t->systems[i]);
    for (size_t i = 0; i < t->n_maps; i++)
        map_unref(t->maps[i]);
}

uint32_t code_of(const struct cs *cs, const char *code)
{
    uint32_t i = cs_find(cs, str_c(code));

    if (i == CS_NONE)
        fail_msg("there is no %s", code);
    return i;
}

struct str property_of(const struct cs *cs, uint32_t i, const char *name)
{
    int def = cs_property_find(cs, str_c(name));
    size_t n;
    const struct cs_property *p = cs_properties(cs, i, &n);

    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == def)
            return cs_text(cs, p[k].value);
    return STR_NULL;
}
