/* address.c - which addresses are the open Internet's. */
#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/*    prefix, bits: what IANA's registry of special-purpose IPv4 addresses does not call global */
#define SPECIAL_V4(X)                                                                              \
    X(0x00000000, 8)  /* this network */                                                           \
    X(0x0a000000, 8)  /* private */                                                                \
    X(0x64400000, 10) /* shared, of carriers */                                                    \
    X(0x7f000000, 8)  /* loopback */                                                               \
    X(0xa9fe0000, 16) /* link-local, where clouds tell secrets */                                  \
    X(0xac100000, 12) /* private */                                                                \
    X(0xc0000000, 24) /* protocol assignments */                                                   \
    X(0xc0000200, 24) /* documentation */                                                          \
    X(0xc0586300, 24) /* 6to4 relays, given up */                                                  \
    X(0xc0a80000, 16) /* private */                                                                \
    X(0xc6120000, 15) /* benchmarks */                                                             \
    X(0xc6336400, 24) /* documentation */                                                          \
    X(0xcb007100, 24) /* documentation */                                                          \
    X(0xe0000000, 4)  /* multicast */                                                              \
    X(0xf0000000, 4)  /* reserved, broadcast */

static bool is_public_v4(uint32_t address)
{
    static const struct {
        uint32_t prefix, mask;
    } special[] = {
#define X(prefix, bits) {prefix, UINT32_MAX << (32 - (bits))},
        SPECIAL_V4(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(special); i++)
        if ((address & special[i].mask) == special[i].prefix)
            return false;
    return true;
}

static uint32_t v4_at(const unsigned char *bytes)
{
    uint32_t n;

    memcpy(&n, bytes, sizeof n);
    return ntohl(n);
}

/* Global unicast is 2000::/3; of it documentation (2001:db8::/32, 3fff::/20) and the protocol
 * assignments of 2001::/23 are not, and 6to4 (2002::/16) and NAT64 (64:ff9b::/96) hide an IPv4
 * address. */
static bool is_public_v6(const unsigned char *b)
{
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (memcmp(b, nat64, sizeof nat64) == 0)
        return is_public_v4(v4_at(b + 12));
    if ((b[0] & 0xe0) != 0x20 || (b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10))
        return false;
    if (b[0] == 0x20 && b[1] == 0x01 && (b[2] < 2 || (b[2] == 0x0d && b[3] == 0xb8)))
        return false;
    return b[0] != 0x20 || b[1] != 0x02 || is_public_v4(v4_at(b + 2));
}

bool http_address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof v6);
    return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? is_public_v4(v4_at(v6.sin6_addr.s6_addr + 12))
                                               : is_public_v6(v6.sin6_addr.s6_addr);
}
