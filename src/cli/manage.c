#include "cli/manage.h"

#include "server/operator.h"
#include "trust/manage.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void manage_text(struct sb *request, const char *name, const char *value)
{
    if (!value)
        return;
    sb_fmt(request, ",\"%s\":", name);
    sb_json(request, str_c(value));
}

void manage_flag(struct sb *request, const char *name, bool value)
{
    if (value)
        sb_fmt(request, ",\"%s\":true", name);
}

int manage_read(const char *path, struct sb *ret, struct err *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *to;
    size_t n;

    if (!f)
        return err_set(err, ERR_VALUE, "\"%s\" cannot be read: %s", path, strerror(errno));
    while ((to = sb_room(ret, KIB(4))) && (n = fread(to, 1, KIB(4), f)) > 0)
        sb_add(ret, n);
    if (f != stdin)
        fclose(f);
    return ret->failed
               ? err_set(err, ERR_VALUE, "\"%s\" is longer than %zu bytes", path, MANAGE_FILE_MAX)
               : 0;
}

int manage_send(const struct cli_args *args, struct sb *request, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    _cleanup_(sb_done) struct sb answer = sb_make(MANAGE_ANSWER_MAX);
    int r;

    sb_char(request, '}');
    r = sb_ok(request, err);
    if (r >= 0)
        r = operator_manage(&config, sb_view(request), &answer, err);
    if (r < 0)
        return r;
    r = cli_write(STDOUT_FILENO, sb_view(&answer), err);
    explicit_bzero(answer.p, answer.n);
    return MIN(r, 0);
}
