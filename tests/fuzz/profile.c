/* profile.c - any definitions compiled, and any resource held against them. An input is lines of
 * JSON: definitions, and last the resource. The first definition is what it is held against. It
 * ends, and what it says has a place.
 */
#include "fhir/profile.h"
#include "fhir/shelf.h"
#include "fhir/validate.h"
#include "fuzz.h"

#define ARENA_MAX MIB(256)
#define LINES_MAX 8

struct input {
    struct arena a;
    yyjson_val *roots[LINES_MAX];
    size_t n;
    const struct world *base;
};

/* Those of the input come before R4's own. */
static int canonical(void *ctx, struct arena *a, int type, struct str url, yyjson_val **ret,
                     struct err *err)
{
    struct input *in = ctx;

    for (size_t i = 0; i + 1 < in->n; i++)
        if (str_eq(js_get_str(in->roots[i], "url"), url)) {
            *ret = in->roots[i];
            return 0;
        }
    return in->base->canonical(in->base->ctx, a, type, url, ret, err);
}

static int member_of(void *ctx, struct arena *a, struct str value_set, const struct coding *coding,
                     enum terms_answer *ret, struct err *err)
{
    struct input *in = ctx;

    return in->base->member_of(in->base->ctx, a, value_set, coding, ret, err);
}

static void hold(struct input *in)
{
    struct world world = {.ctx = in, .canonical = canonical, .member_of = member_of};
    struct str url = in->n > 1 ? js_get_str(in->roots[0], "url") : STR_NULL;
    struct conform_options options = {.world = &world, .asked = &url, .n_asked = url.n > 0};
    yyjson_val *root = in->roots[in->n - 1];
    struct issues issues;
    struct err err = {0};
    int r;

    options.profiles = profiles_new(&world);
    issues_init(&issues, &in->a);
    r = fhir_validate(root, &issues, &err);
    if (options.profiles && r > 0) {
        r = conform_check(root, &options, &issues, &err);
        FUZZ_HOLDS(r == 0 || r == ERR_NO_MEMORY);
        for (const struct issue *i = issues.first; i; i = i->next)
            FUZZ_HOLDS(i->text.n > 0 && i->where.n > 0);
    }
    profiles_unref(options.profiles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct shelf *shelf;
    struct str rest = str_n((const char *)data, n), line;
    struct input in = {.n = 0};

    if (!shelf && shelf_new(&shelf, NULL) < 0)
        return 0;
    in.base = shelf_world(shelf, NULL);
    arena_init(&in.a, ARENA_MAX);
    while (rest.n && in.n < LINES_MAX && str_split(&rest, '\n', &line))
        if (line.n && js_parse(&in.a, line, &in.roots[in.n], NULL) == 0)
            in.n++;
    if (in.n)
        hold(&in);
    arena_done(&in.a);
    return 0;
}
