/* train_dict - makes a compression dictionary of resources: NDJSON (resources or bundles) on
 * standard input, the dictionary on standard output. Synthetic data only: see defs/dict/README.md.
 *
 *   train_dict [KEEP_EVERY] < resources.ndjson > defs/dict/NNNN.bin
 *
 * The samples are the stored form (docs/formats/store.md); the same input gives the same bytes.
 */
#include "store/store_int.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <zdict.h>

#define DICT_BYTES 112640
#define SAMPLES_MAX 200000
#define SAMPLE_BYTES_MAX 32768   /* longer ones say little about the others */

struct training {
    struct sb bytes;
    size_t sizes[SAMPLES_MAX];
    unsigned n;
    size_t seen, keep_every;
};

static void add(struct training *t, yyjson_val *resource)
{
    size_t at = t->bytes.n;

    if (t->seen++ % t->keep_every || t->n == SAMPLES_MAX)
        return;
    body_text(&t->bytes, resource);
    if (t->bytes.n - at > SAMPLE_BYTES_MAX)
        t->bytes.n = at;
    else
        t->sizes[t->n++] = t->bytes.n - at;
}

static void add_line(struct training *t, yyjson_val *root)
{
    yyjson_val *entries = js_get(root, "entry"), *entry;
    size_t i, max;

    if (!str_eq(js_get_str(root, "resourceType"), STR("Bundle")) || !entries) {
        add(t, root);
        return;
    }
    yyjson_arr_foreach(entries, i, max, entry)
        if (js_get(entry, "resource"))
            add(t, js_get(entry, "resource"));
}

/* The trainer holds its guess against the last samples: they must be like the others. */
static void shuffle(struct training *t)
{
    static size_t at[SAMPLES_MAX], sizes[SAMPLES_MAX];
    struct sb bytes = sb_make(t->bytes.max);
    struct rng rng;

    rng_seed(&rng, 1);
    for (size_t i = 0, sum = 0; i < t->n; sum += t->sizes[i++])
        at[i] = sum;
    for (size_t left = t->n, i = 0; left; left--, i++) {
        size_t pick = rng_below(&rng, left);

        sb_put(&bytes, t->bytes.p + at[pick], t->sizes[pick]);
        sizes[i] = t->sizes[pick];
        at[pick] = at[left - 1];
        t->sizes[pick] = t->sizes[left - 1];
    }
    memcpy(t->sizes, sizes, sizeof sizes);
    sb_done(&t->bytes);
    t->bytes = bytes;
}

int main(int argc, char **argv)
{
    static struct training t;
    static char dict[DICT_BYTES];
    struct arena a;
    char *line = NULL;
    size_t cap = 0, n;
    ssize_t len;

    t.bytes = sb_make(MIB(1024));
    t.keep_every = argc > 1 ? MAX(strtoul(argv[1], NULL, 10), 1ul) : 1;
    arena_init(&a, MIB(512));
    while ((len = getline(&line, &cap, stdin)) > 0) {
        yyjson_val *root;
        struct err err;

        arena_reset(&a);
        if (js_parse(&a, str_n(line, (size_t)len), &root, &err) < 0) {
            fprintf(stderr, "train_dict: %s\n", err.text);
            return 1;
        }
        add_line(&t, root);
    }
    shuffle(&t);
    n = ZDICT_trainFromBuffer(dict, sizeof dict, t.bytes.p, t.sizes, t.n);
    if (t.bytes.failed || ZDICT_isError(n)) {
        fprintf(stderr, "train_dict: %s\n", t.bytes.failed ? "too much" : ZDICT_getErrorName(n));
        return 1;
    }
    fprintf(stderr, "train_dict: %u samples, %zu bytes\n", t.n, n);
    free(line);
    arena_done(&a);
    sb_done(&t.bytes);
    return fwrite(dict, 1, n, stdout) == n ? 0 : 1;
}
