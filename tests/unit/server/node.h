/* node.h - a seeded store in a folder of its own, with its world, without sockets. */
#ifndef NODE_H
#define NODE_H

#include "../test.h"

#include "server/server.h"
#include "server/world.h"

struct node {
    char dir[64];
    struct store *store;
    struct api *api;
    struct server_world *terms;
    const struct world *world;
    struct arena a;
};

void node_open(struct node *n);
void node_close(struct node *n);
/* Stores a resource that has an id; fails the test when it is refused. */
void node_keep(struct node *n, const char *json);
/* Until what was put before is durable, so that what is compiled of it is kept. */
void node_settle(struct node *n);

#endif
