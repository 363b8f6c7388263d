/* graphql_lex.c - the tokens of GraphQL (June 2018, section 2.1). */
#include "fhir/graphql_int.h"

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The byte `ahead` of the current one; a blank behind the end. */
static char peek(const struct graphql_lex *lex, size_t ahead)
{
    return lex->at + ahead < lex->text.n ? lex->text.p[lex->at + ahead] : ' ';
}

static bool at_end(const struct graphql_lex *lex)
{
    return lex->at >= lex->text.n;
}

static void new_line(struct graphql_lex *lex)
{
    lex->line++;
    lex->line_start = lex->at;
}

/* Blanks, commas and comments mean nothing. */
static void skip_ignored(struct graphql_lex *lex)
{
    while (!at_end(lex)) {
        char c = lex->text.p[lex->at];

        if (c == '\n' || c == '\r') {
            lex->at += c == '\r' && peek(lex, 1) == '\n' ? 2 : 1;
            new_line(lex);
        } else if (c == ' ' || c == '\t' || c == ',') {
            lex->at++;
        } else if (c == '#') {
            while (!at_end(lex) && lex->text.p[lex->at] != '\n' && lex->text.p[lex->at] != '\r')
                lex->at++;
        } else if (lex->at == 0 && str_starts(lex->text, STR("\xef\xbb\xbf"))) {
            lex->at = 3;
            lex->line_start = 3;
        } else {
            return;
        }
    }
}

/* ---- numbers ---- */

static int bad_number(struct graphql_lex *lex, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "a number of the query is malformed, line %u column %u",
                   lex->place.line, lex->place.column);
}

static bool skip_digits(struct graphql_lex *lex)
{
    size_t from = lex->at;

    while (!at_end(lex) && is_digit(lex->text.p[lex->at]))
        lex->at++;
    return lex->at > from;
}

static int read_number(struct graphql_lex *lex, struct err *err)
{
    size_t from = lex->at;
    bool is_float = false;

    lex->at += peek(lex, 0) == '-';
    if (peek(lex, 0) == '0' && is_digit(peek(lex, 1)))
        return bad_number(lex, err);
    if (!skip_digits(lex))
        return bad_number(lex, err);
    if (peek(lex, 0) == '.' && is_digit(peek(lex, 1))) {
        lex->at++;
        skip_digits(lex);
        is_float = true;
    }
    if (peek(lex, 0) == 'e' || peek(lex, 0) == 'E') {
        lex->at++;
        lex->at += peek(lex, 0) == '-' || peek(lex, 0) == '+';
        if (!skip_digits(lex))
            return bad_number(lex, err);
        is_float = true;
    }
    if (is_name_start(peek(lex, 0)) || peek(lex, 0) == '.')
        return bad_number(lex, err);
    lex->token = is_float ? GRAPHQL_FLOAT_TOKEN : GRAPHQL_INT_TOKEN;
    lex->value = str_n(lex->text.p + from, lex->at - from);
    return 0;
}

/* ---- strings ---- */

static int bad_string(struct graphql_lex *lex, const char *what, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "a string of the query %s, line %u column %u", what,
                   lex->place.line, lex->place.column);
}

static int read_escape(struct graphql_lex *lex, char *to, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", as[] = "\"\\/\b\f\n\r\t";
    char c = peek(lex, 0);
    const char *found = at_end(lex) ? NULL : strchr(from, c);
    size_t taken, bytes = 0;

    if (c == 'u') {
        taken = str_unicode_escape(str_from(lex->text, lex->at), to + *n, &bytes);
        lex->at += taken;
        *n += bytes;
        return taken ? 0 : -1;
    }
    lex->at++;
    if (!found || !c)
        return -1;
    to[(*n)++] = as[found - from];
    return 0;
}

/* Room for the string that begins here: up to its closing quote, because an escape is never shorter
 * than what it stands for. */
static char *string_room(const struct graphql_lex *lex)
{
    size_t n = 1;

    while (lex->at + n < lex->text.n && peek(lex, n) != '"')
        n += peek(lex, n) == '\\' ? 2 : 1;
    return arena_alloc(lex->a, n + 1);
}

static int read_string(struct graphql_lex *lex, struct err *err)
{
    char *to = string_room(lex);
    size_t n = 0;

    if (!to)
        return err_no_memory(err);
    lex->at++;
    for (;;) {
        char c = peek(lex, 0);
        if (at_end(lex) || c == '\n' || c == '\r')
            return bad_string(lex, "has no end", err);
        lex->at++;
        if (c == '"')
            break;
        if ((unsigned char)c < 0x20 && c != '\t')
            return bad_string(lex, "holds a control character", err);
        if (c != '\\')
            to[n++] = c;
        else if (read_escape(lex, to, &n) < 0)
            return bad_string(lex, "holds an unknown escape", err);
    }
    lex->token = GRAPHQL_STRING_TOKEN;
    lex->value = str_n(to, n);
    return 0;
}

/* A line of a block string; its end (LF, CR or both) is not in it. */
static bool next_line(struct str *rest, struct str *ret)
{
    size_t i = 0;

    if (!rest->p)
        return false;
    while (i < rest->n && rest->p[i] != '\n' && rest->p[i] != '\r')
        i++;
    *ret = str_head(*rest, i);
    if (i == rest->n) {
        *rest = STR_NULL;
        return true;
    }
    i += rest->p[i] == '\r' && i + 1 < rest->n && rest->p[i + 1] == '\n' ? 2 : 1;
    *rest = str_from(*rest, i);
    return true;
}

static size_t indent_of(struct str line)
{
    size_t i = 0;

    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i;
}

/* Takes the indent that all lines but the first share, and blank lines at both ends (2.9.4). */
static struct str block_value(struct arena *a, struct str raw)
{
    char *to = arena_alloc(a, raw.n + 1);
    struct str rest = raw.p ? raw : STR(""), line;
    size_t common = SIZE_MAX, i = 0, n = 0, end = 0;
    bool has_text = false;

    if (!to)
        return STR_NULL;
    for (; next_line(&rest, &line); i++)
        if (i && indent_of(line) < line.n)
            common = MIN(common, indent_of(line));
    rest = raw.p ? raw : STR("");
    for (i = 0; next_line(&rest, &line); i++) {
        bool is_blank = indent_of(line) == line.n;
        if (!has_text && is_blank)
            continue;
        if (has_text)
            to[n++] = '\n';
        has_text = true;
        line = i ? str_from(line, MIN(common, line.n)) : line;
        if (line.n)
            memcpy(to + n, line.p, line.n);
        n += line.n;
        if (!is_blank)
            end = n;
    }
    return str_n(to, end);
}

static char *block_room(const struct graphql_lex *lex)
{
    struct str rest = str_from(lex->text, lex->at + 3);
    size_t n = rest.n;

    while (rest.n && !str_starts(rest, STR("\"\"\"")))
        rest = str_from(rest, str_starts(rest, STR("\\\"\"\"")) ? 4 : 1);
    return arena_alloc(lex->a, n - rest.n + 1);
}

static int read_block(struct graphql_lex *lex, struct err *err)
{
    char *raw = block_room(lex);
    size_t n = 0;

    if (!raw)
        return err_no_memory(err);
    lex->at += 3;
    while (!str_starts(str_from(lex->text, lex->at), STR("\"\"\""))) {
        char c = peek(lex, 0);
        if (at_end(lex))
            return bad_string(lex, "has no end", err);
        if ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return bad_string(lex, "holds a control character", err);
        if (str_starts(str_from(lex->text, lex->at), STR("\\\"\"\""))) {
            memcpy(raw + n, "\"\"\"", 3);
            n += 3;
            lex->at += 4;
            continue;
        }
        raw[n++] = c;
        lex->at++;
        if (c == '\n' || (c == '\r' && peek(lex, 0) != '\n'))
            new_line(lex);
    }
    lex->at += 3;
    lex->token = GRAPHQL_STRING_TOKEN;
    lex->value = block_value(lex->a, str_n(raw, n));
    return lex->value.p ? 0 : err_no_memory(err);
}

/* ---- all ---- */

static int read_name(struct graphql_lex *lex)
{
    size_t from = lex->at;

    while (!at_end(lex) && (is_name_start(peek(lex, 0)) || is_digit(peek(lex, 0))))
        lex->at++;
    lex->token = GRAPHQL_NAME;
    lex->value = str_n(lex->text.p + from, lex->at - from);
    return 0;
}

static int read_symbol(struct graphql_lex *lex, struct err *err)
{
    struct str rest = str_from(lex->text, lex->at);
    size_t n = str_starts(rest, STR("...")) ? 3 : strchr("!$():=@[]{|}&", rest.p[0]) ? 1 : 0;

    if (!n || !rest.p[0])
        return err_set(err, ERR_SYNTAX, "the query holds a stray character, line %u column %u",
                       lex->place.line, lex->place.column);
    lex->token = GRAPHQL_SYMBOL;
    lex->value = str_head(rest, n);
    lex->at += n;
    return 0;
}

int graphql_next(struct graphql_lex *lex, struct err *err)
{
    char c;

    skip_ignored(lex);
    lex->place = (struct graphql_place){lex->line, (unsigned)(lex->at - lex->line_start) + 1};
    if (at_end(lex)) {
        lex->token = GRAPHQL_END;
        lex->value = STR("");
        return 0;
    }
    c = lex->text.p[lex->at];
    if (is_name_start(c))
        return read_name(lex);
    if (is_digit(c) || c == '-')
        return read_number(lex, err);
    if (c == '"')
        return str_starts(str_from(lex->text, lex->at), STR("\"\"\"")) ? read_block(lex, err)
                                                                       : read_string(lex, err);
    return read_symbol(lex, err);
}
