/* bundle.c - any JSON as a batch or transaction, run on a real store: a transaction that fails
 * changes nothing, and whatever was asked, the store can be read. */
#include "api/api.h"
#include "fuzz.h"

#include "../fault/folder.h"

#define ARENA_MAX MIB(64)

static struct {
    char dir[FOLDER_BYTES];
    struct store *store;
    struct api *api;
} node;

static void node_close(void)
{
    api_free(node.api);
    store_close(node.store);
    folder_remove(node.dir);
}

static void node_open(void)
{
    static const struct api_config config = {.allow_expunge = true};
    struct store_config store = {.dir = node.dir, .create = true};
    struct err err = {0};

    folder_new(node.dir);
    FUZZ_HOLDS(store_open(&store, &node.store, &err) >= 0);
    node.api = api_new(&config, node.store);
    FUZZ_HOLDS(node.api);
    atexit(node_close);
}

static uint64_t position(void)
{
    struct access who = trust_system();
    struct store_txn *txn;
    struct err err = {0};
    uint64_t at;

    FUZZ_HOLDS(store_begin(node.store, &who, &txn, &err) >= 0);
    at = store_position(txn);
    store_end(txn);
    return at;
}

static bool is_batch(struct arena *a, struct str text)
{
    yyjson_val *root;
    struct err err = {0};

    return js_parse(a, text, &root, &err) == 0 && str_eq(js_get_str(root, "type"), STR("batch"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_n((const char *)data, n);
    struct err err = {0};
    struct arena a;
    uint64_t before;
    size_t failed = 0;
    int r;

    if (!node.api)
        node_open();
    arena_init(&a, ARENA_MAX);
    before = position();
    r = api_bundle(node.api, &a, trust_job(STR("fuzz")), text, NULL, NULL, &failed, NULL, &err);
    FUZZ_HOLDS(r >= 0 || err.text[0]);
    FUZZ_HOLDS(position() >= before);
    if (r < 0 && !is_batch(&a, text))
        FUZZ_HOLDS(position() == before);
    arena_done(&a);
    return 0;
}
