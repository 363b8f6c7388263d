#include "server/erased.h"

#include "base/b64.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/rng.h"
#include "fhir/validate.h"
#include "trust/secret.h"
#include "trust/trust.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USE "carnet erased"
#define META_DONE "erased" /* entries of the ledger that the store has done */
#define SALT_BYTES 16
#define LINE_MAX_BYTES KIB(16)
#define PATH_BYTES 4096

static int path_of(const char *dir, const char *suffix, char ret[PATH_BYTES], struct err *err)
{
    int n = snprintf(ret, PATH_BYTES, "%s/" ERASED_FILE_NAME "%s", dir, suffix);

    return n > 0 && n < PATH_BYTES ? 0 : err_set(err, ERR_VALUE, "the folder's name is too long");
}

static int failed(const char *what, struct err *err)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_NO_STORE,
                   "the ledger of who was erased cannot be %s: %s", what, strerror(errno));
}

/* ---- lines ---- */

/* What seals the lines of a folder; NULL where it is not encrypted. */
static int sealer_of(const char *dir, const char *key_file, struct xaes **ret, struct err *err)
{
    _cleanup_(vault_freep) struct vault *vault = NULL;
    int r = vault_open(dir, vault_exists(dir) ? key_file : VAULT_NO_KEY, &vault, err);

    *ret = NULL;
    return r < 0 || !vault ? r : vault_sealer(vault, USE, ret, err);
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_NO_STORE,
                   "the ledger of who was erased (" ERASED_FILE_NAME
                   ") is damaged, or sealed with another key");
}

static int parse(struct arena *a, struct str text, struct erased_entry *ret, struct err *err)
{
    yyjson_val *root;
    int r = js_parse(a, arena_dup(a, text), &root, err);

    if (r == ERR_NO_MEMORY)
        return r;
    if (r < 0)
        return damaged(err);
    *ret = (struct erased_entry){.text = text,
                                 .who = js_get_str(root, "who"),
                                 .salt = js_get_str(root, "salt"),
                                 .with_shared = yyjson_is_true(js_get(root, "shared"))};
    return ret->who.n && ret->salt.n ? 0 : damaged(err);
}

static int open_line(struct arena *a, struct xaes *x, struct str line, struct str *ret,
                     struct err *err)
{
    struct str bytes;
    char *to;
    int r;

    if (!x) {
        *ret = line;
        return 0;
    }
    bytes = b64_decode(a, line);
    if (!bytes.p || bytes.n < XAES_MARK_BYTES)
        return damaged(err);
    to = arena_alloc(a, bytes.n);
    if (!to)
        return err_no_memory(err);
    r = xaes_open(x, STR(USE), bytes.p + XAES_MARK_BYTES, bytes.n - XAES_MARK_BYTES, to,
                  (const unsigned char *)bytes.p, err);
    if (r < 0)
        return r == ERR_INVALID ? damaged(err) : r;
    *ret = str_n(to, bytes.n - XAES_MARK_BYTES);
    return 0;
}

static int put_line(struct sb *out, struct xaes *x, struct str text, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(LINE_MAX_BYTES);
    unsigned char mark[XAES_MARK_BYTES];
    char *to;
    int r = 0;

    if (!x) {
        sb_str(out, text);
    } else {
        sb_str(&bytes, str_n("0123456789abcdef0123456789abcdef", XAES_MARK_BYTES));
        to = sb_room(&bytes, text.n);
        r = to ? xaes_seal(x, STR(USE), text.p, text.n, to, mark, err) : err_no_memory(err);
        if (r < 0)
            return r;
        memcpy(bytes.p, mark, sizeof mark);
        sb_add(&bytes, text.n);
        b64_encode(out, sb_view(&bytes));
    }
    sb_char(out, '\n');
    return sb_ok(out, err);
}

/* ---- the file ---- */

static int load(const char *path, struct sb *ret, struct err *err)
{
    ssize_t n = 1;
    int fd;

    errno = EIO; /* of a fault: what was before might say that there is no such file */
    fd = fault_point("io") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : failed("read", err);
    while (n > 0) {
        char *to = sb_room(ret, KIB(16));

        n = !to || fault_point("io") ? -1 : read(fd, to, KIB(16));
        if (n > 0)
            sb_add(ret, (size_t)n);
    }
    close(fd);
    return n < 0 ? failed("read", err) : sb_ok(ret, err);
}

bool erased_exists(const char *dir)
{
    char path[PATH_BYTES];

    return path_of(dir, "", path, NULL) >= 0 && access(path, F_OK) == 0;
}

/* `x` NULL: they are in the clear. */
static int parse_lines(struct arena *a, struct xaes *x, struct str lines, struct erased *ret,
                       struct err *err)
{
    struct erased ledger = {.n = 0};
    struct str rest = arena_dup(a, lines);
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < lines.n; i++)
        n += lines.p[i] == '\n';
    ledger.entries = ARENA_ARRAY(a, struct erased_entry, n + 1);
    if (!rest.p || !ledger.entries)
        return err_no_memory(err);
    while (rest.n && r >= 0) {
        ptrdiff_t end = str_find(rest, '\n');
        struct str text;

        if (end < 0)
            return damaged(err);
        r = open_line(a, x, str_head(rest, (size_t)end), &text, err);
        if (r >= 0)
            r = parse(a, text, &ledger.entries[ledger.n++], err);
        rest = str_from(rest, (size_t)end + 1);
    }
    if (r >= 0)
        *ret = ledger;
    return r;
}

int erased_parse(struct arena *a, struct str lines, struct erased *ret, struct err *err)
{
    return parse_lines(a, NULL, lines, ret, err);
}

int erased_read(const char *dir, const char *key_file, struct arena *a, struct erased *ret,
                struct err *err)
{
    _cleanup_(xaes_freep) struct xaes *x = NULL;
    _cleanup_(sb_done) struct sb file = sb_make(ERASED_FILE_MAX);
    char path[PATH_BYTES];
    int r = path_of(dir, "", path, err);

    if (r < 0 || (r = load(path, &file, err)) < 0)
        return r;
    *ret = (struct erased){.n = 0};
    if (!file.n || (r = sealer_of(dir, key_file, &x, err)) < 0)
        return r;
    return parse_lines(a, x, sb_view(&file), ret, err);
}

static int save(const char *dir, struct str text, struct err *err)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    int r = path_of(dir, "", path, err), fd;
    bool ok;

    if (r < 0 || (r = path_of(dir, ".new", fresh, err)) < 0)
        return r;
    fd = fault_point("io") ? -1 : open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed("written", err);
    ok = !fault_point("io") && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(fresh, path) == 0;
    if (!ok) {
        r = failed("written", err);
        unlink(fresh);
        return r;
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? 0 : failed("written", err);
}

int erased_write(const char *dir, const char *key_file, const struct erased *ledger,
                 struct err *err)
{
    _cleanup_(xaes_freep) struct xaes *x = NULL;
    _cleanup_(sb_done) struct sb file = sb_make(ERASED_FILE_MAX);
    int r = sealer_of(dir, key_file, &x, err);

    for (size_t i = 0; i < ledger->n && r >= 0; i++)
        r = put_line(&file, x, ledger->entries[i].text, err);
    return r < 0 || !ledger->n ? r : save(dir, sb_view(&file), err);
}

int erased_copy(const char *dir, const char *to_dir, struct err *err)
{
    _cleanup_(sb_done) struct sb file = sb_make(ERASED_FILE_MAX);
    char path[PATH_BYTES];
    int r = path_of(dir, "", path, err);

    if (r >= 0)
        r = load(path, &file, err);
    return r < 0 || !file.n ? r : save(to_dir, sb_view(&file), err);
}

/* ---- entries ---- */

static void hash(struct str salt, struct str patient, char ret[2 * SHA256_BYTES + 1])
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(1));

    sb_str(&text, salt);
    sb_lit(&text, " Patient/");
    sb_str(&text, str_head(patient, MIN(patient.n, (size_t)FHIR_ID_MAX)));
    sha256_hex(sb_view(&text), ret);
}

const struct erased_entry *erased_find(const struct erased *ledger, struct str patient)
{
    char hex[2 * SHA256_BYTES + 1];

    for (size_t i = 0; i < ledger->n; i++) {
        hash(ledger->entries[i].salt, patient, hex);
        if (str_eq(ledger->entries[i].who, str_c(hex)))
            return &ledger->entries[i];
    }
    return NULL;
}

static int push(struct arena *a, struct erased *to, const struct erased_entry *entry,
                struct err *err)
{
    struct erased_entry *more =
        arena_grow(a, to->entries, to->n * sizeof *more, (to->n + 1) * sizeof *more);

    if (!more)
        return err_no_memory(err);
    to->entries = more;
    to->entries[to->n++] = *entry;
    return 0;
}

int erased_add(const char *dir, const char *key_file, struct arena *a, struct erased *ledger,
               struct str patient, bool with_shared, struct str basis, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(LINE_MAX_BYTES);
    char who[2 * SHA256_BYTES + 1], salt[2 * SALT_BYTES + 1], now[CLOCK_INSTANT_MAX];
    unsigned char random[SALT_BYTES];
    struct erased_entry entry;
    int r;

    if (!basis.n || basis.n > ERASED_BASIS_MAX)
        return err_set(err, ERR_VALUE, "the legal ground has 1 to %d bytes", ERASED_BASIS_MAX);
    rng_secure(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(salt + 2 * i, 3, "%02x", random[i]);
    hash(str_c(salt), patient, who);
    clock_format(clock_now_ms(), now);
    sb_fmt(&text, "{\"when\":\"%s\",\"by\":%u,\"salt\":\"%s\",\"who\":\"%s\",\"shared\":%s", now,
           (unsigned)getuid(), salt, who, with_shared ? "true" : "false");
    sb_lit(&text, ",\"basis\":");
    sb_json(&text, basis);
    sb_char(&text, '}');
    if ((r = sb_ok(&text, err)) < 0 ||
        (r = parse(a, arena_dup(a, sb_view(&text)), &entry, err)) < 0 ||
        (r = push(a, ledger, &entry, err)) < 0)
        return r;
    return erased_write(dir, key_file, ledger, err);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int erased_merge(struct arena *arena, const struct erased *a, const struct erased *b,
                 struct erased *ret, struct err *err)
{
    struct str *texts = ARENA_ARRAY(arena, struct str, a->n + 1);
    struct erased both = {.entries = ARENA_ARRAY(arena, struct erased_entry, a->n + b->n + 1)};

    if (!texts || !both.entries)
        return err_no_memory(err);
    for (size_t i = 0; i < a->n; i++) {
        texts[i] = a->entries[i].text;
        both.entries[both.n++] = a->entries[i];
    }
    qsort(texts, a->n, sizeof *texts, by_text);
    for (size_t i = 0; i < b->n; i++)
        if (!bsearch(&b->entries[i].text, texts, a->n, sizeof *texts, by_text))
            both.entries[both.n++] = b->entries[i];
    *ret = both;
    return 0;
}

/* ---- what the store has done ---- */

struct done_job {
    struct store_job job;
    const struct erased *ledger;
    bool is_shared;
};

static int done_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct done_job *d = (struct done_job *)job;
    char text[24];

    if (d->is_shared)
        return erased_share(txn, d->ledger, err);
    snprintf(text, sizeof text, "%zu", d->ledger->n);
    return store_meta_set(txn, META_DONE, str_c(text), err);
}

int erased_done(struct store *store, const struct erased *ledger, struct err *err)
{
    struct access who = trust_system();
    struct done_job d = {.job = {.run = done_run, .who = &who},
                         .ledger = ledger,
                         .is_shared = store_is_shared(store)};

    return store_write(store, &d.job, err);
}

static int done_of(struct store *store, struct arena *a, uint64_t *ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct str text = STR_NULL;
    int r = store_begin(store, &who, &txn, err);

    if (r >= 0)
        r = store_meta_get(txn, META_DONE, a, &text, err);
    *ret = 0;
    if (r >= 0 && text.p && !str_to_u64(text, UINT64_MAX, ret))
        return err_set(err, ERR_NO_STORE, "the store's count of who was erased is damaged");
    return r;
}

/* How many the store has done, of how many. */
static int count(const struct server_config *config, struct store *store, size_t *ret_done,
                 size_t *ret_all, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct erased ledger = {.n = 0};
    uint64_t done = 0;
    int r;

    arena_init(&a, ERASED_ARENA_MAX);
    r = erased_read(config->data_dir, config->key_file, &a, &ledger, err);
    if (r >= 0 && ledger.n)
        r = done_of(store, &a, &done, err);
    *ret_done = (size_t)done;
    *ret_all = ledger.n;
    return r;
}

int erased_check(const struct server_config *config, struct store *store, struct err *err)
{
    size_t done, all;
    int r;

    if (config->for_restore || config->for_erase)
        return 0;
    r = config->store_uri ? erased_meet(config, store, &done, &all, err)
                          : count(config, store, &done, &all, err);
    if (r >= 0 && done < all)
        return err_set(err, ERR_CONFLICT,
                       "the folder's ledger tells of %zu people who were erased, and the store of "
                       "%zu: an erasing was stopped, or an old store was put here; "
                       "carnet erase --again does what is left",
                       all, done);
    return r;
}
