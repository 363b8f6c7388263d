#include "trust/own.h"

#include "base/clock.h"
#include "trust/trust_int.h"

#define OWN_NAME "Carnet"
#define OWN_ARENA_MAX KIB(128)
#define OWN_SCOPE                                                                                  \
    "openid fhirUser profile launch/patient patient/*.rs patient/Consent.cu user/*.cruds"

struct own {
    struct arena *a;
    struct str root;
};

static bool is_current(const struct client *c, struct str root)
{
    return c->own && str_eq(c->scope, STR(OWN_SCOPE)) && c->redirects.n == 1 &&
           str_eq(c->redirects.v[0], root);
}

static int put(void *ctx, struct store_txn *txn, struct err *err)
{
    struct own *own = ctx;
    struct client client = {.created_ms = clock_now_ms(), .approved = true};
    int r = client_get(txn, STR(OWN_CLIENT), own->a, &client, err);

    if ((r < 0 && r != ERR_NOT_FOUND) || (r >= 0 && is_current(&client, own->root)))
        return r;
    client.id = STR(OWN_CLIENT);
    client.name = STR(OWN_NAME);
    client.scope = STR(OWN_SCOPE);
    client.redirects = (struct str_list){.v = &own->root, .n = 1};
    client.own = true;
    return client_put(txn, &client, err);
}

int own_client_put(struct trust *t, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct own own = {.a = &a};
    struct err why;

    arena_init(&a, OWN_ARENA_MAX);
    own.root = arena_join(&a, (const struct str[]){t->root, STR("/")}, 2);
    if (!own.root.p)
        return err_no_memory(err);
    if (client_check_redirect(own.root, &why) < 0)
        return 0;
    return record_commit(t->store, put, &own, err);
}
