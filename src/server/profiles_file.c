#include "server/profiles_file.h"

#include "api/conformance.h"

#include <errno.h>
#include <stdio.h>

int profiles_file_read(struct api *api, const char *path, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(CONFORMANCE_POLICY_MAX);
    FILE *f = fopen(path, "re");
    char *to;
    size_t n;

    if (!f)
        return err_set(err, ERR_VALUE, "\"%s\" cannot be read: %s", path, strerror(errno));
    while ((to = sb_room(&text, KIB(4))) && (n = fread(to, 1, KIB(4), f)) > 0)
        sb_add(&text, n);
    fclose(f);
    if (text.failed)
        return err_set(err, ERR_VALUE, "\"%s\" is longer than %zu bytes", path,
                       CONFORMANCE_POLICY_MAX);
    return api_profiles(api, sb_view(&text), err);
}
