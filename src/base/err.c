#define ERR_DEFINES
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int status;
    const char *issue;
} table[] = {
#define X(code, status, issue) {#code, status, issue},
    ERR_TABLE(X)
#undef X
};

static size_t row(int code)
{
    if (code <= ERR_FIRST || code >= ERR_END)
        code = ERR_INTERNAL;
    return (size_t)(code - ERR_FIRST - 1);
}

int err_http_status(int code)
{
    return table[row(code)].status;
}

const char *err_issue_type(int code)
{
    return table[row(code)].issue;
}

const char *err_name(int code)
{
    return table[row(code)].name;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    assert(code < 0);
    if (!err)
        return code;
    err->code = code;
    err->where[0] = '\0';
    err->detail[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_at(struct err *err, int code, const char *where, const char *fmt, ...)
{
    va_list ap;

    assert(code < 0);
    if (!err)
        return code;
    err->code = code;
    err->detail[0] = '\0';
    snprintf(err->where, sizeof err->where, "%s", where);
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_detail(struct err *err, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return ERR_INTERNAL;
    va_start(ap, fmt);
    vsnprintf(err->detail, sizeof err->detail, fmt, ap);
    va_end(ap);
    return err->code;
}

int err_no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "the request needs more memory than it may use");
}
