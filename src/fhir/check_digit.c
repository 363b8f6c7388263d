#include "fhir/check_digit.h"

#define LOINC "http://loinc.org"
#define SNOMED_CT "http://snomed.info/sct"
#define SCTID_MIN 6
#define SCTID_MAX 18
#define LOINC_DIGITS_MAX 12

/* Codes that LOINC gave out with a wrong digit, and keeps. */
static const struct str known_wrong[] = {
    STR("11491-6"), STR("11501-6"), STR("5895-7"), STR("5896-5"), STR("5897-3"),
    STR("5928-1"),  STR("6028-3"),  STR("6415-5"), STR("6580-7"), STR("6645-7"),
    STR("6646-5"),  STR("6647-3"),  STR("6648-1"), STR("6649-9"),
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool are_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* The digit that follows: every other one counts twice, from the last on, and of what comes of that
 * the digits are added up (Luhn's sum, which LOINC calls Mod 10). A capital letter counts as what
 * it is behind '0' in ASCII, and twice of it is less 9 for each whole 5: of a digit that is the
 * same. */
static int mod_10(struct str s)
{
    int sum = 0;

    for (size_t i = 0; i < s.n; i++) {
        int value = s.p[s.n - 1 - i] - '0';
        if (i % 2 == 0)
            value = value * 2 - value / 5 * 9;
        sum += value;
    }
    return (10 - sum % 10) % 10;
}

static bool is_known_wrong(struct str code)
{
    for (size_t i = 0; i < ARRAY_LEN(known_wrong); i++)
        if (str_eq(code, known_wrong[i]))
            return true;
    return false;
}

/* "8310-5"; a part, "LP7839-6", and an answer, "LA33-6". Lists and groups ("LL715-4", "LG100-4")
 * have letters, too, and nothing is told of their digits. */
static const char *loinc_problem(struct str code)
{
    bool has_letters = str_starts(code, STR("LP")) || str_starts(code, STR("LA"));
    struct str stem;

    if (code.n && code.p[0] == 'L' && !has_letters)
        return NULL;
    if (code.n < 3 || code.p[code.n - 2] != '-' || code.n > LOINC_DIGITS_MAX + 2)
        return "is not of the form of a LOINC code";
    stem = str_head(code, code.n - 2);
    if (!are_digits(str_from(stem, has_letters ? 2 : 0)) || !is_digit(code.p[code.n - 1]))
        return "is not of the form of a LOINC code";
    return mod_10(stem) == code.p[code.n - 1] - '0' || is_known_wrong(code)
               ? NULL
               : "has a wrong check digit";
}

/* Verhoeff: a permutation of each digit by its place, multiplied in the dihedral group D5. */
static bool is_verhoeff(struct str digits)
{
    static const unsigned char times[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static const unsigned char permuted[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    unsigned c = 0;

    for (size_t i = 0; i < digits.n; i++)
        c = times[c][permuted[i % 8][digits.p[digits.n - 1 - i] - '0']];
    return c == 0;
}

/* A code of SNOMED CT that is no number is an expression, for its own grammar to judge. */
static const char *sctid_problem(struct str code)
{
    if (!are_digits(code))
        return NULL;
    if (code.n < SCTID_MIN || code.n > SCTID_MAX || code.p[0] == '0')
        return "is not of the form of a SNOMED CT identifier";
    return is_verhoeff(code) ? NULL : "has a wrong check digit";
}

const char *check_digit_problem(struct str system, struct str code)
{
    return str_eq(system, STR(LOINC))       ? loinc_problem(code)
           : str_eq(system, STR(SNOMED_CT)) ? sctid_problem(code)
                                            : NULL;
}
