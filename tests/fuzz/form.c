/* form.c - forms and scopes of strangers: what is read can be written and read again, the same. */
#include "fuzz.h"
#include "trust/client.h"
#include "trust/form.h"
#include "trust/smart.h"

#define ARENA_MAX MIB(8)

static void again(struct arena *a, const struct form *f)
{
    struct sb out = sb_make(MIB(1));
    bool first = true;
    struct form back = {.n = 0};
    struct err err;

    for (size_t i = 0; i < f->n; i++) {
        struct str name = arena_dup(a, f->v[i].name);

        FUZZ_HOLDS(name.p);
        form_write(&out, &first, name.p, f->v[i].value);
    }
    if (!out.failed && out.n <= FORM_BYTES_MAX) {
        FUZZ_HOLDS(form_parse(a, sb_view(&out), &back, &err) == 0 && back.n == f->n);
        for (size_t i = 0; i < f->n; i++)
            FUZZ_HOLDS(str_eq(f->v[i].name, back.v[i].name) &&
                       str_eq(f->v[i].value, back.v[i].value));
    }
    sb_done(&out);
}

static void scopes(struct arena *a, struct str text)
{
    struct sb out = sb_make(MIB(1)), twice = sb_make(MIB(1));
    struct smart_scopes s, back, both;
    struct err err;

    if (smart_parse(a, text, &s, &err) >= 0) {
        smart_write(&out, &s);
        FUZZ_HOLDS(!out.failed);
        if (out.n <= SMART_TEXT_MAX) {
            FUZZ_HOLDS(smart_parse(a, sb_view(&out), &back, &err) == 0);
            smart_write(&twice, &back);
            FUZZ_HOLDS(str_eq(sb_view(&out), sb_view(&twice)));
        }
        /* Nothing is gained by asking for what one has. */
        if (smart_both(a, &s, &s, &both, &err) >= 0)
            for (size_t i = 0; i < both.n; i++)
                FUZZ_HOLDS(both.v[i].rights);
    }
    sb_done(&out);
    sb_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_n((const char *)data, n);
    struct form f = {.n = 0};
    struct err err = {0};
    struct arena a;

    arena_init(&a, ARENA_MAX);
    if (form_parse(&a, text, &f, &err) < 0)
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
    else
        again(&a, &f);
    scopes(&a, text);
    client_check_redirect(text, &err);
    arena_done(&a);
    return 0;
}
