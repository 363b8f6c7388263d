/* sign.c - keys and signatures of notes (note.h), by OpenSSL. */
#include "trust/audit/note.h"

#include "base/b64.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DASH "\xe2\x80\x94 "
#define SIGNATURE_BYTES 64
#define STAMPED_BYTES (8 + SIGNATURE_BYTES)
#define MESSAGE_MAX (NOTE_BYTES_MAX + 64)

struct note_signer {
    struct note_key key;
    EVP_PKEY *pkey;
};

/* ---- public keys ---- */

static void key_id(struct note_key *key)
{
    const char kind = (char)key->kind;
    struct merkle_hash h;

    merkle_digest((const struct str[]){str_c(key->name), STR("\n"), str_n(&kind, 1),
                                       str_n((const char *)key->pub, NOTE_KEY_BYTES)},
                  4, &h);
    memcpy(key->id, h.b, sizeof key->id);
}

static bool is_name(struct str s)
{
    if (!s.n || s.n > NOTE_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '+' || s.p[i] == 127)
            return false;
    return true;
}

static int key_name(struct str name, struct note_key *ret, struct err *err)
{
    if (!is_name(name))
        return err_set(err, ERR_VALUE, "a key's name is 1 to %d bytes without blanks and +",
                       NOTE_NAME_MAX);
    memset(ret->name, 0, sizeof ret->name);
    memcpy(ret->name, name.p, name.n);
    return 0;
}

int note_key_parse(struct str text, struct note_key *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(KIB(1));
    struct str rest = text, name, id;
    char hex[9];
    struct note_key key;
    int r;

    if (text.n > KIB(1) || !text.n || !str_split(&rest, '+', &name) ||
        !str_split(&rest, '+', &id) || !rest.p || !note_b64(&bytes, rest) ||
        bytes.n != 1 + NOTE_KEY_BYTES)
        return err_set(err, ERR_VALUE, "a key is written name+id+base64, of 33 bytes");
    key.kind = (enum note_kind)bytes.p[0];
    if (key.kind != NOTE_ED25519 && key.kind != NOTE_COSIGNATURE)
        return err_set(err, ERR_VALUE,
                       "the key is of type %d; only 1 (Ed25519) and 4 (its "
                       "cosignatures) are known",
                       (int)key.kind);
    r = key_name(name, &key, err);
    if (r < 0)
        return r;
    memcpy(key.pub, bytes.p + 1, NOTE_KEY_BYTES);
    key_id(&key);
    snprintf(hex, sizeof hex, "%02x%02x%02x%02x", key.id[0], key.id[1], key.id[2], key.id[3]);
    if (!str_eq_nocase(id, str_c(hex)))
        return err_set(err, ERR_VALUE, "the key's id is not that of its name and bytes");
    *ret = key;
    return 0;
}

void note_key_write(struct sb *out, const struct note_key *key)
{
    char bytes[1 + NOTE_KEY_BYTES];

    bytes[0] = (char)key->kind;
    memcpy(bytes + 1, key->pub, NOTE_KEY_BYTES);
    sb_fmt(out, "%s+%02x%02x%02x%02x+", key->name, key->id[0], key->id[1], key->id[2], key->id[3]);
    b64_encode(out, str_n(bytes, sizeof bytes));
}

/* ---- private keys ---- */

static int crypto_failed(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "the cryptographic library failed");
}

static int signer_new(EVP_PKEY *pkey, struct str name, enum note_kind kind,
                      struct note_signer **ret, struct err *err)
{
    struct note_signer *s = fault_point("signer") ? NULL : calloc(1, sizeof *s);
    size_t n = NOTE_KEY_BYTES;
    int r;

    if (!s) {
        EVP_PKEY_free(pkey);
        return err_no_memory(err);
    }
    s->pkey = pkey;
    s->key.kind = kind;
    r = key_name(name, &s->key, err);
    if (r >= 0 && (EVP_PKEY_get_raw_public_key(pkey, s->key.pub, &n) != 1 || n != NOTE_KEY_BYTES))
        r = crypto_failed(err);
    if (r < 0) {
        note_signer_free(s);
        return r;
    }
    key_id(&s->key);
    *ret = s;
    return 0;
}

int note_signer_make(struct str name, enum note_kind kind, struct note_signer **ret,
                     struct err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    return pkey ? signer_new(pkey, name, kind, ret, err) : crypto_failed(err);
}

/* Where OpenSSL asks for a passphrase; without one it would ask on the terminal. */
static int give_pass(char *to, int max, int is_writing, void *pass)
{
    size_t n = pass ? strlen(pass) : 0;

    (void)is_writing;
    if (!n || n > (size_t)max)
        return -1;
    memcpy(to, pass, n);
    return (int)n;
}

int note_signer_load(const char *path, const char *pass, struct str name, enum note_kind kind,
                     struct note_signer **ret, struct err *err)
{
    FILE *f = fault_point("signer-file") ? NULL : fopen(path, "re");
    EVP_PKEY *pkey;

    if (!f)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_NO_STORE,
                       "the key %s cannot be read: %s", path, strerror(errno));
    pkey = PEM_read_PrivateKey(f, NULL, give_pass, (void *)(uintptr_t)pass);
    fclose(f);
    if (!pkey || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        return err_set(err, ERR_VALUE, "%s holds no Ed25519 private key in PEM that can be read",
                       path);
    }
    return signer_new(pkey, name, kind, ret, err);
}

int note_signer_save(const struct note_signer *s, const char *path, const char *pass,
                     struct err *err)
{
    int fd = fault_point("signer-file")
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok;

    if (!f) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_NO_STORE, "the key %s cannot be written: %s", path,
                       strerror(errno));
    }
    ok = PEM_write_PrivateKey(f, s->pkey, pass ? EVP_aes_256_cbc() : NULL, NULL, 0, give_pass,
                              (void *)(uintptr_t)pass) == 1;
    ok = fflush(f) == 0 && ok;
    ok = !fault_point("signer-sync") && fsync(fd) == 0 && ok;
    ok = fclose(f) == 0 && ok;
    if (ok)
        return 0;
    unlink(path);
    return err_set(err, ERR_NO_STORE, "the key %s cannot be written", path);
}

void note_signer_free(struct note_signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->pkey);
    free(s);
}

const struct note_key *note_signer_key(const struct note_signer *s)
{
    return &s->key;
}

/* ---- signatures ---- */

static void put_u64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(v >> (56 - 8 * i));
}

/* What a key of this kind signs of a note's text. */
static void message(struct sb *out, enum note_kind kind, struct str text, uint64_t when_s)
{
    if (kind == NOTE_COSIGNATURE)
        sb_fmt(out, "cosignature/v1\ntime %llu\n", (unsigned long long)when_s);
    sb_str(out, text);
}

static bool sign_bytes(EVP_PKEY *pkey, struct str text, unsigned char *ret)
{
    EVP_MD_CTX *c = fault_point("sign") ? NULL : EVP_MD_CTX_new();
    size_t n = SIGNATURE_BYTES;
    bool ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestSign(c, ret, &n, (const unsigned char *)text.p, text.n) == 1 &&
              n == SIGNATURE_BYTES;

    EVP_MD_CTX_free(c);
    return ok;
}

int note_sign(const struct note_signer *s, struct str text, int64_t now_s, struct sb *out,
              struct err *err)
{
    _cleanup_(sb_done) struct sb m = sb_make(MESSAGE_MAX);
    bool stamped = s->key.kind == NOTE_COSIGNATURE;
    unsigned char bytes[4 + STAMPED_BYTES], *at = bytes + 4;
    int r;

    message(&m, s->key.kind, text, (uint64_t)now_s);
    r = sb_ok(&m, err);
    if (r < 0)
        return r;
    memcpy(bytes, s->key.id, 4);
    if (stamped) {
        put_u64(at, (uint64_t)now_s);
        at += 8;
    }
    if (!sign_bytes(s->pkey, sb_view(&m), at))
        return crypto_failed(err);
    sb_lit(out, DASH);
    sb_str(out, str_c(s->key.name));
    sb_char(out, ' ');
    b64_encode(out, str_n((const char *)bytes, (size_t)(at - bytes) + SIGNATURE_BYTES));
    sb_char(out, '\n');
    return sb_ok(out, err);
}

static bool verify(const struct note_key *key, struct str text, const unsigned char *signature)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->pub, NOTE_KEY_BYTES);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok =
        pkey && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, pkey) == 1 &&
        EVP_DigestVerify(c, signature, SIGNATURE_BYTES, (const unsigned char *)text.p, text.n) == 1;

    EVP_MD_CTX_free(c);
    EVP_PKEY_free(pkey);
    return ok;
}

/* A signature line's name and bytes; false for one that is none. */
static bool read_line(struct str line, struct str *ret_name, struct sb *bytes)
{
    ptrdiff_t blank;

    line = str_from(line, sizeof DASH - 1);
    blank = str_find(line, ' ');
    if (blank < 1)
        return false;
    *ret_name = str_head(line, (size_t)blank);
    return note_b64(bytes, str_from(line, (size_t)blank + 1)) && bytes->n > 4;
}

/* 1: signed by the key, 0: by another, negative: said to be by it, and false. */
static int check_line(struct str line, struct str text, const struct note_key *key,
                      int64_t *ret_when_s)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(NOTE_BYTES_MAX), m = sb_make(MESSAGE_MAX);
    bool stamped = key->kind == NOTE_COSIGNATURE;
    const unsigned char *at;
    uint64_t when = 0;
    struct str name;

    if (!read_line(line, &name, &bytes) || !str_eq(name, str_c(key->name)) ||
        memcmp(bytes.p, key->id, 4) != 0)
        return 0;
    if (bytes.n != 4 + (stamped ? STAMPED_BYTES : SIGNATURE_BYTES))
        return -1;
    at = (const unsigned char *)bytes.p + 4;
    for (int i = 0; stamped && i < 8; i++)
        when = when << 8 | *at++;
    if (when > INT64_MAX)
        return -1;
    message(&m, key->kind, text, when);
    if (m.failed || !verify(key, sb_view(&m), at))
        return -1;
    *ret_when_s = (int64_t)when;
    return 1;
}

int note_check(const struct note *note, const struct note_key *key, int64_t *ret_when_s,
               struct err *err)
{
    struct str rest = note->signatures, line;
    int64_t when;
    bool found = false;

    while (rest.n && str_split(&rest, '\n', &line)) {
        int r = line.n ? check_line(line, note->text, key, &when) : 0;

        if (r < 0)
            return err_set(err, ERR_FORBIDDEN, "the signature of %s does not hold", key->name);
        if (r > 0 && !found && ret_when_s)
            *ret_when_s = when;
        found |= r > 0;
    }
    return found;
}

void note_pick(const struct note *note, const struct note_key *key, struct sb *out)
{
    struct str rest = note->signatures, line;
    int64_t when;

    while (rest.n && str_split(&rest, '\n', &line))
        if (line.n && check_line(line, note->text, key, &when) > 0) {
            sb_str(out, line);
            sb_char(out, '\n');
        }
}
