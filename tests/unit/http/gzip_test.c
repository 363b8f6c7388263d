#include "../test.h"

#include "http/http_int.h"

/* RFC 9110, 12.5.3. */
static void accept_encoding(void **state)
{
    static const struct {
        const char *value;
        bool accepted;
    } table[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"deflate, gzip", true},
        {"deflate", false},
        {"gzip;q=0", false},
        {"gzip;q=0.0", false},
        {"gzip;q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzip ; q=0.5", true},
        {"gzip;q=1", true},
        {"gzip;Q=0", false},
        {"gzip;q=x", false},
        {"gzip;q=0.x", false},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*;q=0, gzip", true},
        {"identity;q=0", false},
        {"gzipped", false},
        {",,gzip,,", true},
        {";;;,;q,=", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (gzip_accepted(str_c(table[i].value)) != table[i].accepted)
            fail_msg("%s", table[i].value);
    }
}

static void types(void **state)
{
    (void)state;
    assert_true(gzip_suits("application/fhir+json"));
    assert_true(gzip_suits("application/fhir+ndjson"));
    assert_true(gzip_suits("application/fhir+xml; charset=utf-8"));
    assert_true(gzip_suits("text/html"));
    assert_false(gzip_suits("image/png"));
    assert_false(gzip_suits("application/octet-stream"));
    assert_false(gzip_suits(NULL));
}

/* What compression would make longer is left as it is. */
static void noise_is_not_compressed(void **state)
{
    char noise[5000];
    uint64_t v = 1;
    struct sb out;

    (void)state;
    for (size_t i = 0; i < sizeof noise; i++) {
        v = v * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (char)(v >> 56);
    }
    assert_false(gzip_deflate(str_n(noise, sizeof noise), &out));
    memset(noise, 'x', sizeof noise);
    assert_true(gzip_deflate(str_n(noise, sizeof noise), &out));
    assert_true(out.n < 100);
    sb_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_encoding),
        cmocka_unit_test(types),
        cmocka_unit_test(noise_is_not_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
