#include "api/call_world.h"

#include "api/conformance.h"

int call_world_init(struct call_world *w, struct call *c)
{
    w->profiles = conformance_profiles(c->api->conformance, c->api->world);
    if (!w->profiles)
        return err_no_memory(&c->err);
    world_over(&w->terminology, c->api->world);
    w->terminology.world.reference = NULL;
    profile_world(&w->all, w->profiles, &w->terminology.world);
    return 0;
}

void call_world_done(struct call_world *w)
{
    profiles_unref(w->profiles);
}
