/* Regular expressions of matches(), matchesFull() and replaceMatches(), by PCRE2.
 *
 * A pattern belongs to a stranger: matching is bounded by PCRE2's own limits, and because these are
 * for one match alone, the processor time that a match takes is charged to the evaluation's steps
 * as well. A match of a short text is first tried with so few of PCRE2's calls that its time need
 * not be taken.
 */
#include "fhir/path_int.h"

#include "base/clock.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define PATTERN_MAX 4096       /* bytes of a pattern */
#define MATCH_LIMIT 200000     /* internal match() calls of one match */
#define HEAP_LIMIT_KIB 8192    /* of one match */
#define STEPS_A_MICROSECOND 10 /* what a microsecond of matching costs */
#define QUICK_TEXT_MAX 64      /* so short a text is tried first with */
#define QUICK_LIMIT 10         /* so few calls that their time need not be taken */
#define GROUP_NAME_MAX 32      /* bytes of a group's name, as PCRE2 has it */

struct path_regex {
    pcre2_code *code; /* in the arena */
};

static void *arena_malloc(PCRE2_SIZE n, void *a)
{
    return arena_alloc(a, n);
}

static void arena_free(void *p, void *a)
{
    (void)p;
    (void)a;
}

int path_regex_compile(struct arena *a, struct str pattern, const struct path_regex **ret,
                       struct err *err)
{
    struct path_regex *re = ARENA_NEW(a, struct path_regex);
    pcre2_general_context *general = pcre2_general_context_create(arena_malloc, arena_free, a);
    pcre2_compile_context *cc = general ? pcre2_compile_context_create(general) : NULL;
    PCRE2_SIZE at = 0;
    char why[120];
    int code;

    if (!re || !cc)
        return err_no_memory(err);
    if (pattern.n > PATTERN_MAX)
        return err_set(err, ERR_COSTLY, "a regular expression is longer than %d bytes",
                       PATTERN_MAX);
    re->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C |
                                 PCRE2_DUPNAMES,
                             &code, &at, cc);
    if (!re->code) {
        if (code == PCRE2_ERROR_HEAP_FAILED || code == 121)
            return err_no_memory(err);
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return err_set(err, ERR_VALUE, "a regular expression is wrong at its character %zu: %s",
                       at + 1, why);
    }
    *ret = re;
    return 0;
}

/* What matching needs, made once an evaluation. A compiled pattern is shared by threads, so nothing
 * of this may come from where the pattern's own memory came from, which is PCRE2's default. */
struct path_matcher {
    pcre2_general_context *general; /* over the evaluation's arena */
    pcre2_match_context *context;
    pcre2_match_data *data;
    uint32_t pairs; /* groups that `data` has room for */
};

static int make_matcher(struct path_env *env, struct err *err)
{
    struct path_matcher *m = ARENA_NEW(env->a, struct path_matcher);

    if (!m)
        return err_no_memory(err);
    m->general = pcre2_general_context_create(arena_malloc, arena_free, env->a);
    m->context = m->general ? pcre2_match_context_create(m->general) : NULL;
    if (!m->context)
        return err_no_memory(err);
    pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
    env->matcher = m;
    return 0;
}

#define PAIRS_FIRST 8

/* env->matcher with room for the pattern's groups. */
static int ready(struct path_env *env, const struct path_regex *re, struct err *err)
{
    uint32_t groups = 0;
    int r = env->matcher ? 0 : make_matcher(env, err);

    if (r < 0)
        return r;
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (env->matcher->data && groups < env->matcher->pairs)
        return 0;
    env->matcher->pairs = MAX(groups + 1, PAIRS_FIRST);
    env->matcher->data = pcre2_match_data_create(env->matcher->pairs, env->matcher->general);
    return env->matcher->data ? 0 : err_no_memory(err);
}

/* What pcre2_match says with at most `limit` of its own calls. */
static int try_match(struct path_env *env, const struct path_regex *re, struct str text,
                     size_t from, uint32_t options, uint32_t limit)
{
    struct path_matcher *m = env->matcher;

    pcre2_set_match_limit(m->context, limit);
    return pcre2_match(re->code, (PCRE2_SPTR)text.p, text.n, from, options, m->data, m->context);
}

/* 1, 0 or an error. */
static int match(struct path_env *env, const struct path_regex *re, struct str text, size_t from,
                 uint32_t options, struct err *err)
{
    size_t cost = 1 + text.n;
    int r = PCRE2_ERROR_MATCHLIMIT;

    if (text.n <= QUICK_TEXT_MAX)
        r = try_match(env, re, text, from, options, QUICK_LIMIT);
    if (r == PCRE2_ERROR_MATCHLIMIT) {
        int64_t began = clock_spent_us(), took;
        r = try_match(env, re, text, from, options, MATCH_LIMIT);
        took = clock_spent_us() - began;
        cost = 1 + (size_t)MAX(took, 0) * STEPS_A_MICROSECOND;
    }
    if (path_spend(env, cost, err) < 0)
        return ERR_COSTLY;
    if (r >= 0)
        return 1;
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    if (r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_HEAPLIMIT || r == PCRE2_ERROR_DEPTHLIMIT)
        return err_set(err, ERR_COSTLY, "a regular expression takes too long to match");
    if (r == PCRE2_ERROR_NOMEMORY)
        return err_no_memory(err);
    return err_set(err, ERR_VALUE, "a regular expression cannot be matched against the text");
}

int path_regex_match(struct path_env *env, const struct path_regex *re, struct str text, bool whole,
                     struct err *err)
{
    int r = ready(env, re, err);

    return r < 0 ? r : match(env, re, text, 0, whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0, err);
}

/* Behind '$' in a substitution: a group's number, or {number or name}; -1 where it is neither.
 * *at moves past it. */
static int group_at(const struct path_regex *re, struct str by, size_t *at)
{
    bool braced = *at < by.n && by.p[*at] == '{';
    size_t from = *at + braced, to = from;
    char name[GROUP_NAME_MAX + 1];
    uint64_t n;

    while (to < by.n && ((by.p[to] >= '0' && by.p[to] <= '9') ||
                         (braced && by.p[to] != '}' && to - from < GROUP_NAME_MAX)))
        to++;
    if (to == from || (braced && (to == by.n || by.p[to] != '}')))
        return -1;
    *at = to + braced;
    if (str_to_u64(str_n(by.p + from, to - from), 99, &n))
        return (int)n;
    memcpy(name, by.p + from, to - from);
    name[to - from] = '\0';
    return pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name);
}

/* The substitution of one match: $1, ${1} and ${name} are its groups, $$ is a dollar. */
static int put_substitution(const struct path_regex *re, const PCRE2_SIZE *found, struct str text,
                            struct str by, struct sb *out, struct err *err)
{
    uint32_t groups = 0;

    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    for (size_t i = 0; i < by.n;) {
        int group;
        if (by.p[i] != '$') {
            sb_char(out, by.p[i++]);
            continue;
        }
        i++;
        if (i < by.n && by.p[i] == '$') {
            sb_char(out, by.p[i++]);
            continue;
        }
        group = group_at(re, by, &i);
        if (group < 0 || group > (int)groups)
            return err_set(
                err, ERR_VALUE,
                "a substitution names a group that the regular expression does not have");
        if (found[2 * group] != PCRE2_UNSET)
            sb_put(out, text.p + found[2 * group], found[2 * group + 1] - found[2 * group]);
    }
    return 0;
}

static size_t char_length(struct str text, size_t at)
{
    size_t n = 1;

    while (at + n < text.n && ((unsigned char)text.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

static int replace_all(struct path_env *env, const struct path_regex *re, struct str text,
                       struct str by, struct sb *out, struct err *err)
{
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(env->matcher->data);
    size_t at = 0, copied = 0;
    int r;

    while (at <= text.n && (r = match(env, re, text, at, 0, err)) != 0) {
        if (r < 0)
            return r;
        sb_put(out, text.p + copied, found[0] - copied);
        r = put_substitution(re, found, text, by, out, err);
        if (r < 0)
            return r;
        copied = found[1];
        at = found[1];
        /* An empty match is not found again: the next character is passed over. */
        if (found[0] == found[1])
            at += at < text.n ? char_length(text, at) : 1;
    }
    if (copied < text.n)
        sb_put(out, text.p + copied, text.n - copied);
    return 0;
}

int path_regex_replace(struct path_env *env, const struct path_regex *re, struct str text,
                       struct str by, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(PATH_STRING_MAX);
    int r = ready(env, re, err);

    if (r >= 0)
        r = replace_all(env, re, text, by, &out, err);
    if (r >= 0)
        r = sb_ok(&out, err);
    if (r < 0)
        return r;
    *ret = arena_dup(env->a, out.n ? sb_view(&out) : STR(""));
    return ret->p ? 0 : err_no_memory(err);
}
