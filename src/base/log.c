#include "base/log.h"

#include "base/clock.h"
#include "base/sb.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_LINE_MAX 4096

static const char *const names[] = {
#define X(id, name, what) name,
    LOG_EVENTS(X)
#undef X
};
static const char *const levels[] = {"debug", "info", "warn", "error"};
static atomic_int level_min = LOG_INFO;

void log_set_level(enum log_level min)
{
    atomic_store(&level_min, (int)min);
}

bool log_is_on(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&level_min, memory_order_relaxed);
}

bool log_level_parse(struct str name, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_eq(name, str_c(levels[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    return false;
}

static void head(struct sb *line, enum log_level level, enum log_event event)
{
    char now[CLOCK_INSTANT_MAX];

    clock_format(clock_now_ms(), now);
    sb_fmt(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", now, levels[level],
           names[event]);
}

static void tail(struct sb *line)
{
    sb_lit(line, "}\n");
    if (!line->failed && write(STDERR_FILENO, line->p, line->n) < 0) {
        /* Nowhere left to say it. */
    }
}

void log_event(enum log_level level, enum log_event event, const char *fmt, ...)
{
    _cleanup_(sb_done) struct sb line = sb_make(LOG_LINE_MAX);
    char text[1024];
    struct str rest, pair;
    va_list ap;

    if (!log_is_on(level))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    head(&line, level, event);
    rest = str_c(text);
    while (str_split(&rest, ' ', &pair)) {
        ptrdiff_t eq = str_find(pair, '=');
        if (eq <= 0)
            continue;
        sb_char(&line, ',');
        sb_json(&line, str_head(pair, (size_t)eq));
        sb_char(&line, ':');
        sb_json(&line, str_from(pair, (size_t)eq + 1));
    }
    tail(&line);
}

void log_err(enum log_level level, enum log_event event, const struct err *err)
{
    _cleanup_(sb_done) struct sb line = sb_make(LOG_LINE_MAX);

    if (!log_is_on(level))
        return;
    head(&line, level, event);
    sb_fmt(&line, ",\"code\":\"%s\",\"text\":", err_name(err->code));
    sb_json(&line, str_c(err->text));
    if (err->detail[0]) {
        sb_lit(&line, ",\"detail\":");
        sb_json(&line, str_c(err->detail));
    }
    tail(&line);
}
