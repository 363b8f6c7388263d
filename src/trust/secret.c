#include "trust/secret.h"

#include "base/b64.h"
#include "base/rng.h"

#include <argon2.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <semaphore.h>

#define SALT_BYTES 16
#define HASH_BYTES 32

void sha256(struct str bytes, unsigned char ret[SHA256_BYTES])
{
    SHA256((const unsigned char *)bytes.p, bytes.n, ret);
}

void sha256_hex(struct str bytes, char ret[2 * SHA256_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_BYTES];

    sha256(bytes, hash);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        ret[2 * i] = digits[hash[i] >> 4];
        ret[2 * i + 1] = digits[hash[i] & 15];
    }
    ret[2 * SHA256_BYTES] = '\0';
}

/* 32 bytes are 43 characters. */
static void text_of(const unsigned char bytes[SHA256_BYTES], char ret[SECRET_TEXT_MAX])
{
    _cleanup_(sb_done) struct sb out = sb_make(64);

    b64url_encode(&out, str_n((const char *)bytes, SHA256_BYTES));
    assert(out.failed || out.n == SECRET_TEXT_MAX - 1);
    /* Without memory for 64 bytes: a text that equals no other. */
    memset(ret, '!', SECRET_TEXT_MAX - 1);
    if (!out.failed)
        memcpy(ret, out.p, out.n);
    ret[SECRET_TEXT_MAX - 1] = '\0';
}

void sha256_b64url(struct str bytes, char ret[SECRET_TEXT_MAX])
{
    unsigned char hash[SHA256_BYTES];

    sha256(bytes, hash);
    text_of(hash, ret);
}

bool secret_eq(struct str a, struct str b)
{
    return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}

void secret_new(char ret[SECRET_TEXT_MAX])
{
    unsigned char bytes[SECRET_BYTES];

    rng_secure(bytes, sizeof bytes);
    text_of(bytes, ret);
    explicit_bzero(bytes, sizeof bytes);
}

/* ---- passwords ---- */

static sem_t turns;
static pthread_once_t turns_once = PTHREAD_ONCE_INIT;

static void turns_init(void)
{
    sem_init(&turns, 0, PASSWORD_AT_ONCE);
}

static void turn_begin(void)
{
    pthread_once(&turns_once, turns_init);
    while (sem_wait(&turns) != 0)
        ;
}

int password_check(struct str password, struct err *err)
{
    size_t characters = 0;

    for (size_t i = 0; i < password.n; i++)
        characters += ((unsigned char)password.p[i] & 0xc0) != 0x80;
    if (characters < PASSWORD_MIN)
        return err_set(err, ERR_VALUE, "a password has at least %d characters; several words do",
                       PASSWORD_MIN);
    if (password.n > PASSWORD_MAX)
        return err_set(err, ERR_VALUE, "a password has at most %d bytes", PASSWORD_MAX);
    return 0;
}

int password_hash(struct str password, char ret[PASSWORD_HASH_MAX], struct err *err)
{
    unsigned char salt[SALT_BYTES];
    int r;

    rng_secure(salt, sizeof salt);
    turn_begin();
    r = argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, 1, password.p, password.n, salt,
                              sizeof salt, HASH_BYTES, ret, PASSWORD_HASH_MAX);
    sem_post(&turns);
    return r == ARGON2_OK ? 0 : err_no_memory(err);
}

bool password_verify(struct str hash, struct str password)
{
    /* Of no password that anybody has: 32 zero bytes are the hash of nothing known. */
    static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    char encoded[PASSWORD_HASH_MAX];
    int r;

    if (password.n > PASSWORD_MAX || hash.n >= sizeof encoded)
        return false;
    if (hash.n)
        memcpy(encoded, hash.p, hash.n);
    encoded[hash.n] = '\0';
    turn_begin();
    r = argon2id_verify(hash.n ? encoded : nobody, password.p, password.n);
    sem_post(&turns);
    return r == ARGON2_OK && hash.n;
}

/* ---- one-time codes ---- */

uint32_t totp_code(struct str key, uint64_t counter, unsigned digits)
{
    unsigned char message[8], mac[EVP_MAX_MD_SIZE];
    uint32_t code, modulus = 1;
    unsigned n = 0, at;

    for (int i = 7; i >= 0; i--, counter >>= 8)
        message[i] = (unsigned char)counter;
    if (!HMAC(EVP_sha1(), key.p, (int)key.n, message, sizeof message, mac, &n) || n < 20)
        return UINT32_MAX;
    at = mac[n - 1] & 15;
    code = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
           (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    for (unsigned i = 0; i < digits; i++)
        modulus *= 10;
    return code % modulus;
}

uint64_t totp_match(struct str key, struct str typed, int64_t now_ms, uint64_t last)
{
    uint64_t now = (uint64_t)now_ms / 1000 / TOTP_STEP_SECONDS, code, found = 0;
    char digits[8];
    size_t n = 0;

    for (size_t i = 0; i < typed.n; i++) {
        if (typed.p[i] == ' ')
            continue;
        if (n == 6)
            return 0;
        digits[n++] = typed.p[i];
    }
    if (n != 6 || !str_to_u64(str_n(digits, n), 999999, &code))
        return 0;
    for (uint64_t c = now - TOTP_DRIFT_STEPS; c <= now + TOTP_DRIFT_STEPS; c++)
        if (c > last && totp_code(key, c, 6) == code)
            found = c;
    return found;
}

static const char alphabet32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void base32_encode(struct sb *out, struct str bytes)
{
    uint32_t bits = 0;
    unsigned n = 0;

    for (size_t i = 0; i < bytes.n; i++) {
        bits = bits << 8 | (unsigned char)bytes.p[i];
        for (n += 8; n >= 5; n -= 5)
            sb_char(out, alphabet32[bits >> (n - 5) & 31]);
    }
    if (n)
        sb_char(out, alphabet32[bits << (5 - n) & 31]);
}

struct str base32_decode(struct arena *a, struct str text)
{
    char *to = arena_alloc(a, text.n * 5 / 8 + 1);
    uint32_t bits = 0;
    unsigned n = 0;
    size_t at = 0;

    for (size_t i = 0; to && i < text.n; i++) {
        const char *found =
            text.p[i] ? strchr(alphabet32, toupper((unsigned char)text.p[i])) : NULL;

        if (!found)
            return STR_NULL;
        bits = bits << 5 | (uint32_t)(found - alphabet32);
        n += 5;
        if (n >= 8) {
            n -= 8;
            to[at++] = (char)(bits >> n);
        }
    }
    return to ? str_n(to, at) : STR_NULL;
}

/* ---- recovery codes ---- */

void recovery_code(char ret[RECOVERY_CODE_MAX])
{
    static const char alphabet[] = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"; /* Crockford, without ILOU */
    unsigned char bytes[12];
    size_t n = 0;

    rng_secure(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i && i % 4 == 0)
            ret[n++] = '-';
        ret[n++] = alphabet[bytes[i] & 31];
    }
    ret[n] = '\0';
}

void recovery_hash(struct str typed, char ret[2 * SHA256_BYTES + 1])
{
    char plain[64];
    size_t n = 0;

    for (size_t i = 0; i < typed.n && n < sizeof plain; i++)
        if (isalnum((unsigned char)typed.p[i]))
            plain[n++] = (char)toupper((unsigned char)typed.p[i]);
    sha256_hex(str_n(plain, n), ret);
}
