#include "fhir/path_int.h"

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int at(const struct path_lex *lex, size_t i)
{
    return i < lex->text.n ? (unsigned char)lex->text.p[i] : -1;
}

static int wrong(const struct path_lex *lex, const char *what, struct err *err)
{
    return err_set(err, ERR_VALUE, "the FHIRPath expression has %s at character %zu", what,
                   lex->start + 1);
}

static int skip_blanks(struct path_lex *lex, struct err *err)
{
    for (;;) {
        int c = at(lex, lex->at);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            lex->at++;
        } else if (c == '/' && at(lex, lex->at + 1) == '/') {
            while (at(lex, lex->at) >= 0 && at(lex, lex->at) != '\n')
                lex->at++;
        } else if (c == '/' && at(lex, lex->at + 1) == '*') {
            lex->start = lex->at;
            for (lex->at += 2; at(lex, lex->at) != '*' || at(lex, lex->at + 1) != '/'; lex->at++)
                if (at(lex, lex->at) < 0)
                    return wrong(lex, "a comment without an end", err);
            lex->at += 2;
        } else {
            return 0;
        }
    }
}

/* What stands behind a backslash. */
static int escape(struct path_lex *lex, char *text, size_t *n, struct err *err)
{
    static const char from[] = "'\"`\\/rntf", to[] = "'\"`\\/\r\n\t\f";
    int c = at(lex, lex->at);
    const char *e = c > 0 ? strchr(from, c) : NULL;
    size_t taken, bytes = 0;

    if (c == 'u') {
        taken = str_unicode_escape(str_from(lex->text, lex->at), text + *n, &bytes);
        lex->at += taken;
        *n += bytes;
        return taken ? 0 : wrong(lex, "a \\u escape without a character", err);
    }
    if (!e)
        return wrong(lex, "an unknown escape", err);
    lex->at++;
    text[(*n)++] = to[e - from];
    return 0;
}

/* Text up to `quote`, escapes resolved; lex->at is behind the opening quote. */
static int quoted(struct path_lex *lex, int quote, struct err *err)
{
    size_t n = 0, end = lex->at;
    char *text;
    int r;

    /* An escape is never shorter than what it stands for. */
    while (at(lex, end) >= 0 && at(lex, end) != quote)
        end += at(lex, end) == '\\' ? 2 : 1;
    text = arena_alloc(lex->a, end - lex->at + 1);
    if (!text)
        return err_no_memory(err);
    for (;;) {
        int c = at(lex, lex->at++);
        if (c < 0)
            return wrong(lex, "a quote without an end", err);
        if (c == quote)
            break;
        if (c != '\\') {
            text[n++] = (char)c;
            continue;
        }
        r = escape(lex, text, &n, err);
        if (r < 0)
            return r;
    }
    lex->value = str_n(text, n);
    return 0;
}

static void name(struct path_lex *lex)
{
    size_t from = lex->at;

    while (is_name_start(at(lex, lex->at)) || is_digit(at(lex, lex->at)))
        lex->at++;
    lex->value = str_n(lex->text.p + from, lex->at - from);
}

static int number(struct path_lex *lex)
{
    while (is_digit(at(lex, lex->at)))
        lex->at++;
    if (at(lex, lex->at) == '.' && is_digit(at(lex, lex->at + 1)))
        for (lex->at++; is_digit(at(lex, lex->at));)
            lex->at++;
    lex->value = str_n(lex->text.p + lex->start, lex->at - lex->start);
    lex->token = TOK_NUMBER;
    return 0;
}

/* Passes over n digits, if there are so many. */
static bool digits(struct path_lex *lex, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_digit(at(lex, lex->at + i)))
            return false;
    lex->at += n;
    return true;
}

/* `mark` and n digits behind it, or nothing. */
static bool part(struct path_lex *lex, int mark, size_t n)
{
    if (at(lex, lex->at) != mark)
        return false;
    lex->at++;
    if (digits(lex, n))
        return true;
    lex->at--;
    return false;
}

/* hh[:mm[:ss[.f…]]] */
static void time(struct path_lex *lex)
{
    if (!digits(lex, 2) || !part(lex, ':', 2) || !part(lex, ':', 2) || !part(lex, '.', 1))
        return;
    while (is_digit(at(lex, lex->at)))
        lex->at++;
}

static void zone(struct path_lex *lex)
{
    size_t from = lex->at;

    if (at(lex, from) == 'Z') {
        lex->at++;
        return;
    }
    if ((!part(lex, '+', 2) && !part(lex, '-', 2)) || !part(lex, ':', 2))
        lex->at = from;
}

/* Behind '@': a date, a dateTime (with 'T') or a time (that begins with 'T'). Whether it is one
 * that exists is asked when its literal is made. */
static int date(struct path_lex *lex, struct err *err)
{
    size_t from = lex->at;

    lex->token = TOK_DATE;
    if (at(lex, from) == 'T') {
        lex->token = TOK_TIME;
        from = ++lex->at;
        time(lex);
    } else {
        if (digits(lex, 4) && part(lex, '-', 2))
            part(lex, '-', 2);
        if (lex->at > from && at(lex, lex->at) == 'T') {
            size_t begin = ++lex->at;
            lex->token = TOK_DATETIME;
            time(lex);
            if (lex->at > begin)
                zone(lex);
        }
    }
    lex->value = str_n(lex->text.p + from, lex->at - from);
    return lex->value.n ? 0 : wrong(lex, "\"@\" without a date or a time", err);
}

static int external(struct path_lex *lex, struct err *err)
{
    int c = at(lex, lex->at);

    lex->token = TOK_EXTERNAL;
    if (c == '\'' || c == '`' || c == '"') {
        lex->at++;
        return quoted(lex, c, err);
    }
    if (!is_name_start(c))
        return wrong(lex, "\"%\" without a name", err);
    name(lex);
    return 0;
}

static int special(struct path_lex *lex, struct err *err)
{
    name(lex);
    if (str_eq(lex->value, STR("this")))
        lex->token = TOK_THIS;
    else if (str_eq(lex->value, STR("index")))
        lex->token = TOK_INDEX;
    else if (str_eq(lex->value, STR("total")))
        lex->token = TOK_TOTAL;
    else
        return wrong(lex, "\"$\" without this, index or total", err);
    return 0;
}

static int symbol(struct path_lex *lex, struct err *err)
{
    static const char *const two[] = {"<=", ">=", "!=", "!~"};
    struct str rest = str_from(lex->text, lex->at);

    lex->token = TOK_SYMBOL;
    for (size_t i = 0; i < ARRAY_LEN(two); i++) {
        if (str_starts(rest, str_c(two[i]))) {
            lex->value = str_head(rest, 2);
            lex->at += 2;
            return 0;
        }
    }
    if (!rest.p[0] || !strchr(".,()[]{}+-*/&|<>=~", rest.p[0]))
        return wrong(lex, "a character that means nothing", err);
    lex->value = str_head(rest, 1);
    lex->at++;
    return 0;
}

int path_lex_next(struct path_lex *lex, struct err *err)
{
    int c, r = skip_blanks(lex, err);

    if (r < 0)
        return r;
    lex->start = lex->at;
    c = at(lex, lex->at);
    if (c < 0) {
        lex->token = TOK_END;
        lex->value = STR("");
        return 0;
    }
    if (is_name_start(c)) {
        lex->token = TOK_NAME;
        name(lex);
        return 0;
    }
    if (is_digit(c))
        return number(lex);
    if (c != '\'' && c != '"' && c != '`' && c != '@' && c != '%' && c != '$')
        return symbol(lex, err);
    lex->at++;
    if (c == '@')
        return date(lex, err);
    if (c == '%')
        return external(lex, err);
    if (c == '$')
        return special(lex, err);
    lex->token = c == '\'' ? TOK_STRING : TOK_QUOTED_NAME;
    return quoted(lex, c, err);
}
