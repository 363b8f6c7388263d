#include "trust/trust.h"

struct access trust_open(void)
{
    return (struct access){.kind = ACCESS_OPEN, .agent = STR("open"), .may_write = true};
}

struct access trust_system(void)
{
    return (struct access){.kind = ACCESS_SYSTEM, .agent = STR("system"), .may_write = true};
}

struct access trust_job(struct str name)
{
    return (struct access){.kind = ACCESS_JOB, .agent = name, .may_write = true};
}
