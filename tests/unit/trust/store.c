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
