#define PCRE2_CODE_UNIT_WIDTH 8
#include "terminology/pattern.h"

#include <pcre2.h>
#include <stdlib.h>

#define PATTERN_DEPTH_MAX 1000 /* parentheses and backtracking inside each other */

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    bool costly;
};

int pattern_new(struct str text, struct pattern **ret, struct err *err)
{
    struct pattern *p;
    PCRE2_UCHAR why[120];
    PCRE2_SIZE at;
    int code;

    if (text.n > PATTERN_TEXT_MAX)
        return err_set(err, ERR_VALUE, "a regular expression may have %d bytes", PATTERN_TEXT_MAX);
    p = calloc(1, sizeof *p);
    if (!p)
        return err_no_memory(err);
    p->code = pcre2_compile((PCRE2_SPTR)text.p, text.n,
                            PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL |
                                PCRE2_NEVER_BACKSLASH_C,
                            &code, &at, NULL);
    if (!p->code) {
        pcre2_get_error_message(code, why, sizeof why);
        free(p);
        return err_set(err, ERR_VALUE, "the regular expression is wrong at place %zu: %s", at + 1,
                       (const char *)why);
    }
    p->limits = pcre2_match_context_create(NULL);
    p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
    if (!p->limits || !p->data) {
        pattern_free(p);
        return err_no_memory(err);
    }
    pcre2_set_match_limit(p->limits, PATTERN_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, PATTERN_DEPTH_MAX);
    *ret = p;
    return 0;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

bool pattern_is_costly(const struct pattern *p)
{
    return p->costly;
}

bool pattern_matches(struct pattern *p, struct str text)
{
    int rc;

    if (p->costly)
        return false;
    rc = pcre2_match(p->code, (PCRE2_SPTR)text.p, text.n, 0, 0, p->data, p->limits);
    p->costly = rc < PCRE2_ERROR_PARTIAL && rc != PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}
