#include "node.h"

#include <dirent.h>
#include <unistd.h>

void node_open(struct node *n)
{
    const char *tmp = getenv("TMPDIR");
    struct server_config config = {0};
    struct err err = {0};

    *n = (struct node){0};
    snprintf(n->dir, sizeof n->dir, "%.40s/carnet-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(n->dir));
    config.data_dir = n->dir;
    if (server_init(&config, NULL, NULL, &err) < 0 ||
        server_open_store(&config, false, &n->store, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
    n->api = api_new(&config.api, n->store);
    assert_non_null(n->api);
    assert_int_equal(server_world_new(n->store, &n->terms, &err), 0);
    n->world = server_world_table(n->terms);
    server_world_follow(n->terms, n->api);
    arena_init(&n->a, MIB(256));
}

void node_close(struct node *n)
{
    struct dirent *e;
    DIR *d;

    arena_done(&n->a);
    api_free(n->api);
    store_close(n->store);
    server_world_free(n->terms);
    d = opendir(n->dir);
    while (d && (e = readdir(d))) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", n->dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(n->dir);
}

void node_keep(struct node *n, const char *json)
{
    struct api_line line = {.text = str_c(json)};
    struct err err = {0};

    if (api_put_lines(n->api, &n->a, trust_system(), &line, 1, NULL, NULL, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
    if (line.result < 0)
        fail_msg("%s (%s)", line.err.text, line.err.where);
}

void node_settle(struct node *n)
{
    node_keep(n, "{\"resourceType\":\"Basic\",\"id\":\"settled\",\"code\":{\"text\":\"settled\"}}");
}
