#include "trust/audit/cipher.h"

#define KIND_BYTES 4

struct about {
    char bytes[KIND_BYTES + MERKLE_BYTES + CIPHER_PLACE_BYTES];
};

static struct about about(const struct cipher *c, const char *kind, const void *place)
{
    struct about a;

    memcpy(a.bytes, kind, KIND_BYTES);
    memcpy(a.bytes + KIND_BYTES, c->log.b, MERKLE_BYTES);
    memcpy(a.bytes + KIND_BYTES + MERKLE_BYTES, place, CIPHER_PLACE_BYTES);
    return a;
}

int cipher_init(struct cipher *c, const unsigned char *key, const struct merkle_hash *log,
                struct err *err)
{
    *c = (struct cipher){.log = *log};
    return key ? xaes_new(key, &c->x, err) : 0;
}

void cipher_done(struct cipher *c)
{
    xaes_free(c->x);
    c->x = NULL;
}

int cipher_seal(struct cipher *c, const char *kind, const void *place, void *bytes, size_t n,
                unsigned char ret_mark[XAES_MARK_BYTES], struct err *err)
{
    struct about a = about(c, kind, place);

    return xaes_seal(c->x, str_n(a.bytes, sizeof a.bytes), bytes, n, bytes, ret_mark, err);
}

int cipher_open(struct cipher *c, const char *kind, const void *place, const void *bytes, size_t n,
                void *to, const unsigned char mark[XAES_MARK_BYTES], struct err *err)
{
    struct about a = about(c, kind, place);
    int r = xaes_open(c->x, str_n(a.bytes, sizeof a.bytes), bytes, n, to, mark, err);

    return r == ERR_INVALID ? 0 : r < 0 ? r : 1;
}
