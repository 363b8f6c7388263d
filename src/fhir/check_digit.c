#include "fhir/check_digit.h"

#define LOINC "http://loinc.org"
#define SNOMED_CT "http://snomed.info/sct"
#define SCTID_MIN 6
#define SCTID_MAX 18
#define LOINC_DIGITS_MAX 12

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

/* The digit that follows digits: every other one counts twice, from the last on, and of what comes
 * of that the digits are added up (Luhn's sum, which LOINC calls Mod 10). */
static int mod_10(struct str digits)
{
    int sum = 0;

    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[digits.n - 1 - i] - '0';
        if (i % 2 == 0)
            digit = digit * 2 / 10 + digit * 2 % 10;
        sum += digit;
    }
    return (10 - sum % 10) % 10;
}

/* "8310-5". Parts, answers and lists ("LP7819-8") have letters, which are not looked at. */
static const char *loinc_problem(struct str code)
{
    struct str digits;

    if (code.n && code.p[0] == 'L')
        return NULL;
    if (code.n < 3 || code.p[code.n - 2] != '-' || code.n > LOINC_DIGITS_MAX + 2)
        return "is not of the form of a LOINC code";
    digits = str_head(code, code.n - 2);
    if (!are_digits(digits) || !is_digit(code.p[code.n - 1]))
        return "is not of the form of a LOINC code";
    return mod_10(digits) == code.p[code.n - 1] - '0' ? NULL : "has a wrong check digit";
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
