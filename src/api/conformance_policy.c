/* conformance_policy.c - what records are held to, as text (conformance.h says how it looks). */
#include "api/conformance_int.h"

#include "base/fault.h"

#include <stdlib.h>

static int bad_line(struct err *err, size_t number, const char *what, struct str word)
{
    return err_set(err, ERR_VALUE, "line %zu of the profiles: \"%.*s\" %s", number,
                   (int)MIN(word.n, 100u), word.n ? word.p : "", what);
}

/* The next word of a line, empty at its end. */
static struct str next_word(struct str *line)
{
    struct str word;
    size_t i = 0;

    *line = str_trim(*line);
    while (i < line->n && line->p[i] != ' ' && line->p[i] != '\t')
        i++;
    word = str_head(*line, i);
    *line = str_from(*line, i);
    return word;
}

static int read_line(struct policy *p, struct str line, size_t number, struct err *err)
{
    struct str name = next_word(&line), mode = next_word(&line), profile = next_word(&line);
    int type = def_resource(name);
    unsigned char m = str_eq(mode, STR("reject")) ? CONFORMANCE_REJECT : CONFORMANCE_WARN;

    if (!type && !str_eq(name, STR("*")))
        return bad_line(err, number, "is neither a resource type nor *", name);
    if (m == CONFORMANCE_WARN && !str_eq(mode, STR("warn")))
        return bad_line(err, number, "is neither warn nor reject", mode);
    if (type && !profile.n)
        return bad_line(err, number, "has no profile behind it", name);
    if (!type && profile.n)
        return bad_line(err, number, "stands behind *, which is for what resources claim", profile);
    if (str_trim(line).n)
        return bad_line(err, number, "is one word too many", str_trim(line));
    if (p->has_mode[type] && p->modes[type] != m)
        return bad_line(err, number, "is both warn and reject", name);
    p->has_mode[type] = true;
    p->modes[type] = m;
    if (!type)
        return 0;
    if (p->n_lines == CONFORMANCE_LINES_MAX)
        return err_set(err, ERR_COSTLY, "the profiles have more than %d lines",
                       CONFORMANCE_LINES_MAX);
    p->lines[p->n_lines++] = (struct policy_line){type, number, profile};
    return 0;
}

/* A canonical may have a fragment: a comment begins the line, or stands behind a blank. */
static struct str without_comment(struct str line)
{
    ptrdiff_t comment = str_find(line, '#');

    while (comment > 0 && line.p[comment - 1] != ' ' && line.p[comment - 1] != '\t') {
        ptrdiff_t next = str_find(str_from(line, (size_t)comment + 1), '#');
        comment = next < 0 ? -1 : comment + 1 + next;
    }
    return str_trim(comment < 0 ? line : str_head(line, (size_t)comment));
}

int policy_read(struct policy *p, struct str text, struct err *err)
{
    struct str rest, line;
    size_t number = 0;
    char *own = fault_point("malloc") ? NULL : malloc(text.n + 1);

    if (!own)
        return err_no_memory(err);
    if (text.n)
        memcpy(own, text.p, text.n);
    p->text = rest = str_n(own, text.n);
    while (rest.n && str_split(&rest, '\n', &line)) {
        int r;
        number++;
        line = without_comment(line);
        r = line.n ? read_line(p, line, number, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

void policy_done(struct policy *p)
{
    free((char *)(uintptr_t)p->text.p);
}

enum conformance_mode policy_mode_of(const struct policy *p, int type)
{
    return p->has_mode[type] ? p->modes[type] : p->modes[0];
}
