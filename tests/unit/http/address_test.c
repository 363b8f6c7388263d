#include "http/client.h"

#include "../test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return http_address_is_public((const struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return http_address_is_public((const struct sockaddr *)&v6);
}

/* IANA's registries of special-purpose addresses: the first, the last, and what stands beside. */
static void special_addresses_are_not_public(void **state)
{
    static const char *const special[] = {"0.0.0.0",
                                          "0.255.255.255",
                                          "10.0.0.0",
                                          "10.255.255.255",
                                          "100.64.0.0",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.255.255.254",
                                          "169.254.169.254",
                                          "172.16.0.0",
                                          "172.31.255.255",
                                          "192.0.0.8",
                                          "192.0.2.1",
                                          "192.168.0.1",
                                          "192.168.255.255",
                                          "198.18.0.0",
                                          "198.19.255.255",
                                          "198.51.100.7",
                                          "203.0.113.7",
                                          "224.0.0.1",
                                          "239.255.255.255",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.1.2.3",
                                          "fc00::1",
                                          "fd12:3456::1",
                                          "fe80::1",
                                          "ff02::1",
                                          "2001:db8::1",
                                          "2001::1",
                                          "64:ff9b::a00:1",
                                          "2002:7f00:1::",
                                          "2002:c0a8:101::",
                                          "100::1",
                                          "3fff:fff::1"};
    static const char *const open[] = {"1.1.1.1",        "9.255.255.255",
                                       "11.0.0.0",       "100.63.255.255",
                                       "100.128.0.0",    "126.0.0.1",
                                       "128.0.0.1",      "169.253.1.1",
                                       "172.15.255.255", "172.32.0.0",
                                       "192.0.1.1",      "192.167.0.1",
                                       "192.169.0.1",    "198.17.0.1",
                                       "198.20.0.1",     "223.255.0.1",
                                       "2606:4700::1",   "2a00:1450::1",
                                       "::ffff:1.1.1.1", "64:ff9b::101:101",
                                       "2002:101:101::", "2001:4860:4860::8888",
                                       "3fff:1000::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(special); i++)
        if (is_public(special[i]))
            fail_msg("%s is no public address", special[i]);
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (!is_public(open[i]))
            fail_msg("%s is a public address", open[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_addresses_are_not_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
