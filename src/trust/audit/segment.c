#include "trust/audit/segment.h"

#include "trust/audit/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC "carnet-audit-1\n"
#define MAGIC_SEALED "carnet-audit-2\n"
#define KIND_BATCH "batc"
#define KIND_INDEX "indx"
#define LEAF_PLAIN 0
#define LEAF_ERASED 1
#define WINDOW_BYTES KIB(64)
#define TAG_PATIENT 64 /* of an entry's last member (docs/formats/audit.md) */

_Static_assert(sizeof MAGIC == 16, "the magic with its NUL is 16 bytes");

static struct str view(const struct merkle_hash *h, size_t n)
{
    return str_n((const char *)h->b, n);
}

static void put_be(unsigned char *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const void *from, size_t bytes)
{
    const unsigned char *p = from;
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

/* ---- leaves ---- */

void leaf_hash(const struct stored_leaf *leaf, struct merkle_hash *ret)
{
    struct merkle_hash commitment;

    if (leaf->is_erased) {
        merkle_leaf(leaf->commitment, ret);
        return;
    }
    merkle_digest((const struct str[]){leaf->salt, leaf->head, leaf->tail}, 3, &commitment);
    merkle_leaf(view(&commitment, MERKLE_BYTES), ret);
}

uint64_t patient_key(struct str tail)
{
    struct merkle_hash h;
    uint64_t key;

    merkle_digest(&tail, 1, &h);
    key = get_be(h.b, 8);
    return key ? key : 1;
}

uint64_t leaf_patient(const struct stored_leaf *leaf)
{
    return !leaf->is_erased && leaf->tail.n && leaf->tail.p[0] == TAG_PATIENT
               ? patient_key(leaf->tail)
               : 0;
}

/* ---- batches, written ---- */

static void put_length(struct sb *out, uint64_t n)
{
    for (; n >= 128; n >>= 7)
        sb_char(out, (char)((n & 127) | 128));
    sb_char(out, (char)n);
}

void batch_begin(struct sb *out)
{
    sb_reset(out);
    if (sb_room(out, BATCH_HEAD_BYTES))
        sb_add(out, BATCH_HEAD_BYTES);
}

void batch_record(struct sb *out, size_t n, struct str head)
{
    put_length(out, n);
    put_length(out, head.n);
    sb_str(out, head);
}

void batch_leaf(struct sb *out, struct str salt, struct str tail)
{
    sb_char(out, LEAF_PLAIN);
    sb_str(out, salt);
    put_length(out, tail.n);
    sb_str(out, tail);
}

void batch_erased(struct sb *out, struct str commitment)
{
    sb_char(out, LEAF_ERASED);
    sb_str(out, commitment);
}

static int end_sealed(struct sb *out, struct cipher *c, struct err *err)
{
    unsigned char mark[XAES_MARK_BYTES];
    int r = cipher_seal(c, KIND_BATCH, out->p, out->p + BATCH_HEAD_BYTES, out->n - BATCH_HEAD_BYTES,
                        mark, err);

    sb_put(out, mark, sizeof mark);
    return r < 0 ? r : sb_ok(out, err);
}

int batch_end(struct sb *out, uint64_t first, size_t n, struct cipher *c, struct err *err)
{
    struct merkle_hash check;
    struct str all = sb_view(out);
    int r = sb_ok(out, err);

    if (r < 0)
        return r;
    put_be((unsigned char *)out->p, out->n - BATCH_HEAD_BYTES, 4);
    put_be((unsigned char *)out->p + 4, n, 4);
    put_be((unsigned char *)out->p + 8, first, 8);
    if (cipher_is_on(c))
        return end_sealed(out, c, err);
    merkle_digest(&all, 1, &check);
    sb_str(out, view(&check, BATCH_CHECK_BYTES));
    return sb_ok(out, err);
}

/* ---- and read ---- */

size_t batch_bytes(struct str head, const struct cipher *c)
{
    uint64_t n, leaves;

    if (head.n < BATCH_HEAD_BYTES)
        return 0;
    n = get_be(head.p, 4);
    leaves = get_be(head.p + 4, 4);
    if (!n || n > BATCH_BYTES_MAX || !leaves || leaves > BATCH_LEAVES_MAX)
        return 0;
    return BATCH_HEAD_BYTES + (size_t)n + (cipher_is_on(c) ? XAES_MARK_BYTES : BATCH_CHECK_BYTES);
}

/* The records of a batch whose head says `n` bytes in all. */
static int open_records(struct str bytes, size_t n, struct cipher *c, struct sb *plain,
                        struct str *ret, struct err *err)
{
    size_t records = n - BATCH_HEAD_BYTES - XAES_MARK_BYTES;
    const char *from = bytes.p + BATCH_HEAD_BYTES;
    char *to;
    int r;

    sb_reset(plain);
    to = sb_room(plain, records);
    if (!to)
        return err_no_memory(err);
    r = cipher_open(c, KIND_BATCH, bytes.p, from, records, to,
                    (const unsigned char *)from + records, err);
    sb_add(plain, records);
    *ret = sb_view(plain);
    return r;
}

int batch_open(struct str bytes, struct cipher *c, struct sb *plain, struct batch *ret,
               struct err *err)
{
    size_t n = batch_bytes(bytes, c);
    struct merkle_hash check;
    struct str covered, records;
    int r = 1;

    if (!n || n > bytes.n)
        return 0;
    if (cipher_is_on(c)) {
        r = open_records(bytes, n, c, plain, &records, err);
    } else {
        covered = str_head(bytes, n - BATCH_CHECK_BYTES);
        merkle_digest(&covered, 1, &check);
        r = memcmp(check.b, covered.p + covered.n, BATCH_CHECK_BYTES) == 0;
        records = str_from(covered, BATCH_HEAD_BYTES);
    }
    if (r > 0)
        *ret = (struct batch){.first = get_be(bytes.p + 8, 8),
                              .n = (uint32_t)get_be(bytes.p + 4, 4),
                              .rest = records};
    return r;
}

static bool take_length(struct str *rest, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; rest->n && shift <= 28; shift += 7) {
        unsigned char c = (unsigned char)rest->p[0];

        *rest = str_from(*rest, 1);
        v |= (uint64_t)(c & 127) << shift;
        if (!(c & 128)) {
            *ret = v;
            return v <= max;
        }
    }
    return false;
}

static bool take_bytes(struct str *rest, size_t n, struct str *ret)
{
    if (rest->n < n)
        return false;
    *ret = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return true;
}

static bool next_leaf(struct batch *b, struct stored_leaf *ret)
{
    uint64_t n;

    if (!b->in_record &&
        (!take_length(&b->rest, BATCH_LEAVES_MAX, &b->in_record) || !b->in_record ||
         !take_length(&b->rest, AUDIT_ENTRY_MAX, &n) || !take_bytes(&b->rest, n, &b->head)))
        return false;
    b->in_record--;
    if (!b->rest.n)
        return false;
    *ret = (struct stored_leaf){.is_erased = b->rest.p[0] == LEAF_ERASED, .head = b->head};
    if (b->rest.p[0] != LEAF_PLAIN && !ret->is_erased)
        return false;
    b->rest = str_from(b->rest, 1);
    if (ret->is_erased)
        return take_bytes(&b->rest, MERKLE_BYTES, &ret->commitment);
    return take_bytes(&b->rest, AUDIT_SALT_BYTES, &ret->salt) &&
           take_length(&b->rest, AUDIT_ENTRY_MAX, &n) && take_bytes(&b->rest, n, &ret->tail);
}

int batch_next(struct batch *b, struct stored_leaf *ret, struct err *err)
{
    if (!b->n && !b->rest.n && !b->in_record)
        return 0;
    if (!b->n || !next_leaf(b, ret))
        return err_set(err, ERR_NO_STORE, "a batch of the audit log is damaged");
    b->n--;
    return 1;
}

/* ---- segments ---- */

void segment_name(uint64_t number, const char *ending, char ret[SEGMENT_NAME_BYTES])
{
    snprintf(ret, SEGMENT_NAME_BYTES, "%08llx.%s", (unsigned long long)number, ending);
}

void segment_head(uint64_t number, const struct cipher *c, unsigned char *ret)
{
    struct str covered = str_n((const char *)ret, SEGMENT_HEAD_BYTES - BATCH_CHECK_BYTES);
    struct merkle_hash check;

    assert(c);
    memcpy(ret, cipher_is_on(c) ? MAGIC_SEALED : MAGIC, 16);
    put_be(ret + 16, number, 8);
    memcpy(ret + 24, c->log.b, MERKLE_BYTES);
    merkle_digest(&covered, 1, &check);
    memcpy(ret + covered.n, check.b, BATCH_CHECK_BYTES);
}

bool segment_is_head(struct str bytes, uint64_t number, const struct cipher *c)
{
    unsigned char right[SEGMENT_HEAD_BYTES];

    segment_head(number, c, right);
    return bytes.n >= sizeof right && memcmp(bytes.p, right, sizeof right) == 0;
}

bool segment_add(struct segment *s, uint32_t at, const struct merkle_hash *leaf, uint64_t patient,
                 struct merkle_hash *ret_tile)
{
    unsigned n = atomic_load_explicit(&s->n, memory_order_relaxed);
    struct tile *tile = &s->tiles[n / TILE_LEAVES];
    bool is_full;

    if (n % TILE_LEAVES == 0)
        tile->at = at;
    s->patients[n] = patient;
    merkle_add(&s->tile, leaf);
    is_full = s->tile.n == TILE_LEAVES;
    if (is_full) {
        merkle_root(&s->tile, &tile->root);
        *ret_tile = tile->root;
        s->tile.n = 0;
    }
    atomic_store_explicit(&s->n, n + 1, memory_order_release);
    return is_full;
}

/* ---- walking ---- */

/* Bytes of a file around a place, read in pieces. */
struct window {
    int fd;
    struct sb bytes;
    uint64_t at;
};

/* *ret: the bytes at `at`, at least `n` unless `end` comes first. */
static int window_get(struct window *w, uint64_t at, size_t n, uint64_t end, struct str *ret,
                      struct err *err)
{
    size_t want = (size_t)MIN((uint64_t)MAX(n, WINDOW_BYTES), end - at), got;
    char *to;
    int r;

    if (at >= w->at && at + MIN((uint64_t)n, end - at) <= w->at + w->bytes.n) {
        *ret = str_from(sb_view(&w->bytes), (size_t)(at - w->at));
        return 0;
    }
    sb_reset(&w->bytes);
    to = sb_room(&w->bytes, want);
    if (!to)
        return err_no_memory(err);
    r = file_read(w->fd, to, want, at, &got, err);
    if (r < 0)
        return r;
    sb_add(&w->bytes, got);
    w->at = at;
    *ret = sb_view(&w->bytes);
    return 0;
}

static int visit_batch(struct batch *b, uint64_t at, uint64_t from, uint64_t to,
                       segment_visit *visit, void *ctx, struct err *err)
{
    struct stored_leaf leaf;
    uint64_t number = b->first;
    int r;

    while ((r = batch_next(b, &leaf, err)) > 0) {
        if (number >= from && number < to)
            r = visit(ctx, number, (uint32_t)at, &leaf, err);
        if (r < 0)
            return r;
        number++;
    }
    return r;
}

int segment_walk(int fd, struct cipher *c, uint64_t at, uint64_t end, uint64_t from, uint64_t to,
                 segment_visit *visit, void *ctx, uint64_t *ret_at, struct err *err)
{
    struct window w = {.fd = fd, .bytes = sb_make(BATCH_BYTES_MAX * 2)};
    struct sb plain = sb_make(BATCH_BYTES_MAX);
    struct str bytes;
    struct batch b;
    int r = 0;

    while (at < end) {
        size_t n;

        r = window_get(&w, at, BATCH_HEAD_BYTES, end, &bytes, err);
        if (r < 0 || !(n = batch_bytes(bytes, c)))
            break;
        r = window_get(&w, at, n, end, &bytes, err);
        if (r >= 0)
            r = batch_open(bytes, c, &plain, &b, err);
        if (r <= 0 || b.first >= to)
            break;
        if (b.first + b.n > from && (r = visit_batch(&b, at, from, to, visit, ctx, err)) < 0)
            break;
        at += n;
    }
    sb_done(&w.bytes);
    sb_done(&plain);
    if (ret_at)
        *ret_at = at;
    return MIN(r, 0);
}

/* ---- sealed segments ---- */

#define INDEX_MAGIC "carnet-auditidx"
#define INDEX_HEAD_BYTES 24 /* magic, number of entries, 4 of nothing */
#define INDEX_TILE_BYTES (4 + MERKLE_BYTES)
#define INDEX_TILES_END (INDEX_HEAD_BYTES + SEGMENT_TILES * INDEX_TILE_BYTES)
#define BLOCK_BYTES KIB(4) /* of a sealed index: as much as is read at once, with its mark */
#define BLOCK_DATA_BYTES (BLOCK_BYTES - XAES_MARK_BYTES)
#define INDEX_ENTRY_BYTES 10 /* key of the patient, place in the segment */
#define INDEX_MAX (INDEX_TILES_END + SEGMENT_LEAVES * INDEX_ENTRY_BYTES)

_Static_assert(sizeof INDEX_MAGIC == 16, "the magic with its NUL is 16 bytes");

static int compare_entries(const void *a, const void *b)
{
    return memcmp(a, b, INDEX_ENTRY_BYTES);
}

static void write_tiles(const struct segment *s, struct sb *out)
{
    for (size_t i = 0; i < SEGMENT_TILES; i++) {
        unsigned char at[4];

        put_be(at, s->tiles[i].at, 4);
        sb_put(out, at, 4);
        sb_str(out, view(&s->tiles[i].root, MERKLE_BYTES));
    }
}

/* Where a block of an index stands. */
static void block_place(uint64_t number, uint64_t block, unsigned char ret[CIPHER_PLACE_BYTES])
{
    put_be(ret, number, 8);
    put_be(ret + 8, block, 8);
}

/* The index in blocks, each sealed by itself, so that a little of it can be read. */
static int seal_blocks(struct cipher *c, uint64_t number, struct str index, struct sb *out,
                       struct err *err)
{
    unsigned char place[CIPHER_PLACE_BYTES], block[BLOCK_DATA_BYTES], mark[XAES_MARK_BYTES];
    int r = 0;

    for (uint64_t i = 0; index.n && r >= 0; i++) {
        size_t n = MIN(index.n, sizeof block);

        block_place(number, i, place);
        memcpy(block, index.p, n);
        r = cipher_seal(c, KIND_INDEX, place, block, n, mark, err);
        sb_put(out, block, n);
        sb_put(out, mark, sizeof mark);
        index = str_from(index, n);
    }
    return r < 0 ? r : sb_ok(out, err);
}

int segment_seal(int dir_fd, struct cipher *c, const struct segment *s, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(INDEX_MAX), blocks = sb_make(2 * INDEX_MAX);
    char name[SEGMENT_NAME_BYTES];
    size_t n = 0;
    int r;

    sb_put(&out, INDEX_MAGIC, 16);
    sb_put(&out, "\0\0\0\0\0\0\0", 8);
    write_tiles(s, &out);
    for (uint32_t i = 0; i < SEGMENT_LEAVES; i++) {
        unsigned char entry[INDEX_ENTRY_BYTES];

        if (!s->patients[i])
            continue;
        put_be(entry, s->patients[i], 8);
        put_be(entry + 8, i, 2);
        sb_put(&out, entry, sizeof entry);
        n++;
    }
    r = sb_ok(&out, err);
    if (r < 0)
        return r;
    put_be((unsigned char *)out.p + 16, n, 4);
    qsort(out.p + INDEX_TILES_END, n, INDEX_ENTRY_BYTES, compare_entries);
    segment_name(s->number, "idx", name);
    if (!cipher_is_on(c))
        return file_replace(dir_fd, name, sb_view(&out), err);
    r = seal_blocks(c, s->number, sb_view(&out), &blocks, err);
    return r < 0 ? r : file_replace(dir_fd, name, sb_view(&blocks), err);
}

static int damaged(struct err *err, const char *name)
{
    return err_set(err, ERR_NO_STORE, "the audit log's file %s is damaged", name);
}

/* An index that is being read. */
struct index_file {
    int fd;
    struct cipher *c;
    uint64_t number;
    char name[SEGMENT_NAME_BYTES];
    uint64_t block; /* of a sealed one, the block at hand; UINT64_MAX: none */
    size_t n;
    unsigned char bytes[BLOCK_BYTES];
};

static int index_open(struct index_file *f, int dir_fd, struct cipher *c, uint64_t number,
                      struct err *err)
{
    f->c = c;
    f->number = number;
    f->block = UINT64_MAX;
    segment_name(number, "idx", f->name);
    return file_open(dir_fd, f->name, false, false, &f->fd, err);
}

static int load_block(struct index_file *f, uint64_t block, struct err *err)
{
    unsigned char place[CIPHER_PLACE_BYTES];
    size_t got;
    int r = file_read(f->fd, f->bytes, BLOCK_BYTES, block * BLOCK_BYTES, &got, err);

    f->block = UINT64_MAX;
    if (r < 0)
        return r;
    if (got < XAES_MARK_BYTES)
        return damaged(err, f->name);
    f->n = got - XAES_MARK_BYTES;
    block_place(f->number, block, place);
    r = cipher_open(f->c, KIND_INDEX, place, f->bytes, f->n, f->bytes, f->bytes + f->n, err);
    if (r <= 0)
        return r < 0 ? r : damaged(err, f->name);
    f->block = block;
    return 0;
}

static int read_sealed(struct index_file *f, unsigned char *to, size_t n, uint64_t at,
                       struct err *err)
{
    while (n) {
        uint64_t block = at / BLOCK_DATA_BYTES;
        size_t from = (size_t)(at % BLOCK_DATA_BYTES), some;
        int r = block == f->block ? 0 : load_block(f, block, err);

        if (r < 0)
            return r;
        if (from >= f->n)
            return damaged(err, f->name);
        some = MIN(n, f->n - from);
        memcpy(to, f->bytes + from, some);
        to += some;
        at += some;
        n -= some;
    }
    return 0;
}

static int read_exactly(struct index_file *f, void *to, size_t n, uint64_t at, struct err *err)
{
    size_t got;
    int r;

    if (cipher_is_on(f->c))
        return read_sealed(f, to, n, at, err);
    r = file_read(f->fd, to, n, at, &got, err);
    return r < 0 ? r : got < n ? damaged(err, f->name) : 0;
}

int sealed_tiles(int dir_fd, struct cipher *c, uint64_t number, unsigned from, unsigned n,
                 struct tile *ret, struct err *err)
{
    unsigned char bytes[SEGMENT_TILES * INDEX_TILE_BYTES];
    struct index_file f;
    int r;

    assert(from + n <= SEGMENT_TILES);
    r = index_open(&f, dir_fd, c, number, err);
    if (r < 0)
        return r;
    r = read_exactly(&f, bytes, n * INDEX_TILE_BYTES,
                     INDEX_HEAD_BYTES + (uint64_t)from * INDEX_TILE_BYTES, err);
    close(f.fd);
    for (unsigned i = 0; i < n && r >= 0; i++) {
        const unsigned char *p = bytes + i * INDEX_TILE_BYTES;

        ret[i].at = (uint32_t)get_be(p, 4);
        memcpy(ret[i].root.b, p + 4, MERKLE_BYTES);
    }
    return r;
}

/* The first entry that is not below (key, place). */
static int bisect(struct index_file *f, size_t n, const unsigned char *entry, size_t *ret,
                  struct err *err)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        unsigned char there[INDEX_ENTRY_BYTES];
        int r =
            read_exactly(f, there, sizeof there, INDEX_TILES_END + mid * INDEX_ENTRY_BYTES, err);

        if (r < 0)
            return r;
        if (memcmp(there, entry, sizeof there) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret = lo;
    return 0;
}

static int find_in(struct index_file *f, uint64_t patient, uint32_t before, uint16_t *ret,
                   size_t max, size_t *ret_n, struct err *err)
{
    unsigned char head[INDEX_HEAD_BYTES], entry[INDEX_ENTRY_BYTES];
    size_t at, n;
    int r = read_exactly(f, head, sizeof head, 0, err);

    if (r < 0)
        return r;
    n = (size_t)get_be(head + 16, 4);
    if (memcmp(head, INDEX_MAGIC, 16) != 0 || n > SEGMENT_LEAVES)
        return damaged(err, f->name);
    put_be(entry, patient, 8);
    put_be(entry + 8, MIN(before, SEGMENT_LEAVES - 1), 2);
    r = bisect(f, n, entry, &at, err);
    /* `before` past the last place: that place itself counts as well */
    if (r >= 0 && before >= SEGMENT_LEAVES && at < n) {
        unsigned char there[INDEX_ENTRY_BYTES];

        r = read_exactly(f, there, sizeof there, INDEX_TILES_END + at * INDEX_ENTRY_BYTES, err);
        at += r >= 0 && memcmp(there, entry, sizeof there) == 0;
    }
    *ret_n = 0;
    while (r >= 0 && at > 0 && *ret_n < max) {
        r = read_exactly(f, entry, sizeof entry, INDEX_TILES_END + --at * INDEX_ENTRY_BYTES, err);
        if (r < 0 || get_be(entry, 8) != patient)
            break;
        ret[(*ret_n)++] = (uint16_t)get_be(entry + 8, 2);
    }
    return MIN(r, 0);
}

int sealed_find(int dir_fd, struct cipher *c, uint64_t number, uint64_t patient, uint32_t before,
                uint16_t *ret, size_t max, size_t *ret_n, struct err *err)
{
    struct index_file f;
    int r = index_open(&f, dir_fd, c, number, err);

    if (r < 0)
        return r;
    r = find_in(&f, patient, before, ret, max, ret_n, err);
    close(f.fd);
    return r;
}
