/* xhtml.c - any text as a narrative: what passes has nothing in it that a browser could run. */
#include "fhir/xhtml.h"
#include "fuzz.h"

static bool has(struct str s, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= s.n; i++)
        if (str_eq_nocase(str_n(s.p + i, strlen(text)), str_c(text)))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const refused[] = {"<script", "<svg",  "<iframe",   "<style", "<object",
                                          "<embed",  "<math", "<![CDATA[", "<?",     "<!DOCTYPE"};
    struct str s = str_n((const char *)data, n);
    size_t at = 0;

    if (xhtml_problem(s, &at)) {
        FUZZ_HOLDS(at <= n);
        return 0;
    }
    FUZZ_HOLDS(has(s, "http://www.w3.org/1999/xhtml"));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        FUZZ_HOLDS(!has(s, refused[i]));
    return 0;
}
