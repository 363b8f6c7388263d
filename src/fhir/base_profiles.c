/* base_profiles.c - R4's own profiles and extensions, which the tables hold as JSON. */
#include "fhir/base_int.h"

enum { PROFILE_ID, PROFILE_JSON };

void base_profiles(struct base_out *out)
{
    struct base_table t = base_table(base_text_profiles);

    while (out->result >= 0 && base_row(&t))
        out->result = out->emit(out->ctx, t.cells[PROFILE_JSON], out->err);
}
