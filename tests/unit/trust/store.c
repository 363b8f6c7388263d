#include "store.h"

#include <dirent.h>
#include <unistd.h>

void own_store_open(struct own_store *s)
{
    const char *tmp = getenv("TMPDIR");
    struct store_config config = {.create = true};
    struct err err = {0};

    snprintf(s->dir, sizeof s->dir, "%.40s/carnet-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->dir));
    config.dir = s->dir;
    if (store_open(&config, &s->store, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
}

void own_store_close(struct own_store *s)
{
    struct dirent *e;
    DIR *d;

    store_close(s->store);
    d = opendir(s->dir);
    while (d && (e = readdir(d))) {
        char path[400];

        snprintf(path, sizeof path, "%s/%s", s->dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(s->dir);
}

struct write {
    struct store_job job;
    struct store *store;
    struct str text;
    bool is_deletion;
};

static int write_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct write *w = (const struct write *)job;
    struct params *params = store_params(w->store);
    struct sb sealed = sb_make(MIB(32));
    struct put put = {.method = w->is_deletion ? METHOD_DELETE : METHOD_UPDATE};
    struct version version;
    struct index index;
    struct arena a;
    yyjson_val *root;
    int r;

    arena_init(&a, MIB(256));
    if (js_parse(&a, w->text, &root, err) < 0)
        fail_msg("%s", err->text);
    put.type = def_resource(js_get_str(root, "resourceType"));
    put.id = js_get_str(root, "id");
    if (!w->is_deletion) {
        r = index_extract(&a, params, store_index_options(w->store), put.type, root, &index, err);
        assert_int_equal(r, 0);
        assert_int_equal(store_seal(w->store, root, &sealed, err), 0);
        put.sealed = sb_view(&sealed);
        put.index = &index;
    }
    r = store_put(txn, &put, &version, err);
    sb_done(&sealed);
    params_unref(params);
    arena_done(&a);
    return r;
}

void own_store_write(struct own_store *s, const struct access *who, struct str text,
                     bool is_deletion)
{
    struct write w = {.job = {.run = write_run, .who = who},
                      .store = s->store,
                      .text = text,
                      .is_deletion = is_deletion};
    struct err err = {0};

    if (store_write(s->store, &w.job, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
}
