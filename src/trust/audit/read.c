/* read.c - entries and nodes of the tree, found again: in sealed segments through what was kept
 * beside them, in the one in hand through memory.
 */
#include "trust/audit/audit_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX_BYTES 4 /* of the log's hash in an AuditEvent's id */

/* ---- tiles ---- */

/* Whole tiles of one segment, from the memory of the one in hand or from the disk. */
static int load_tiles(struct audit_log *log, uint64_t number, unsigned from, unsigned n,
                      struct tile *ret, struct err *err)
{
    _cleanup_(cipher_done) struct cipher c = {.x = NULL};
    bool is_current;
    int r;

    pthread_mutex_lock(&log->lock);
    is_current = number == log->current->number;
    if (is_current)
        memcpy(ret, log->current->tiles + from, n * sizeof *ret);
    pthread_mutex_unlock(&log->lock);
    if (is_current)
        return 0;
    r = log_cipher(log, &c, err);
    return r < 0 ? r : sealed_tiles(log->dir_fd, &c, number, from, n, ret, err);
}

/* Where batches of a segment end, as far as they are durable. */
static int segment_end(struct audit_log *log, uint64_t number, int fd, uint64_t *ret,
                       struct err *err)
{
    bool is_current;

    pthread_mutex_lock(&log->lock);
    is_current = number == log->current->number;
    if (is_current)
        *ret = log->current->end;
    pthread_mutex_unlock(&log->lock);
    return is_current ? 0 : file_size(fd, ret, err);
}

int log_walk(struct audit_log *log, uint64_t from, uint64_t to, segment_visit *visit, void *ctx,
             struct err *err)
{
    _cleanup_(cipher_done) struct cipher c = {.x = NULL};
    uint64_t number = from >> SEGMENT_BITS, end;
    char name[SEGMENT_NAME_BYTES];
    struct tile tile;
    int fd,
        r = load_tiles(log, number, (unsigned)(from % SEGMENT_LEAVES / TILE_LEAVES), 1, &tile, err);

    if (r < 0)
        return r;
    segment_name(number, "seg", name);
    r = file_open(log->dir_fd, name, false, false, &fd, err);
    if (r < 0)
        return r;
    r = segment_end(log, number, fd, &end, err);
    if (r >= 0)
        r = log_cipher(log, &c, err);
    if (r >= 0)
        r = segment_walk(fd, &c, tile.at, end, from, to, visit, ctx, NULL, err);
    close(fd);
    return r;
}

/* ---- nodes ---- */

static int take_hash(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                     struct err *err)
{
    struct log_nodes *s = ctx;

    (void)at;
    if (leaf != s->tile * TILE_LEAVES + s->n)
        return err_set(err, ERR_NO_STORE, "the audit log's entry %llu is missing",
                       (unsigned long long)(s->tile * TILE_LEAVES + s->n));
    leaf_hash(stored, &s->leaves[s->n++]);
    return 0;
}

static int load_leaves(struct log_nodes *s, uint64_t tile, struct err *err)
{
    uint64_t size = audit_size(s->log), from = tile * TILE_LEAVES;

    s->tile = tile;
    s->n = 0;
    return log_walk(s->log, from, MIN(from + TILE_LEAVES, size), take_hash, s, err);
}

static int small_node(struct log_nodes *s, unsigned level, uint64_t index, struct merkle_hash *ret,
                      struct err *err)
{
    size_t n = (size_t)1 << level, at = (size_t)(index << level) % TILE_LEAVES;
    struct merkle_tree t = {.n = 0};
    int r = s->tile == index << level >> TILE_BITS
                ? 0
                : load_leaves(s, index << level >> TILE_BITS, err);

    if (r < 0)
        return r;
    if (at + n > s->n)
        return err_set(err, ERR_NO_STORE, "entries of the audit log are missing behind %llu",
                       (unsigned long long)(s->tile * TILE_LEAVES + s->n));
    for (size_t i = 0; i < n; i++)
        merkle_add(&t, &s->leaves[at + i]);
    merkle_root(&t, ret);
    return 0;
}

static int tile_node(struct log_nodes *s, unsigned level, uint64_t index, struct merkle_hash *ret,
                     struct err *err)
{
    struct tile tiles[SEGMENT_TILES];
    unsigned n = 1u << (level - TILE_BITS);
    uint64_t first = index << level;
    struct merkle_tree t = {.n = 0};
    int r = load_tiles(s->log, first >> SEGMENT_BITS,
                       (unsigned)(first % SEGMENT_LEAVES / TILE_LEAVES), n, tiles, err);

    for (unsigned i = 0; i < n && r >= 0; i++)
        merkle_add(&t, &tiles[i].root);
    if (r >= 0)
        merkle_root(&t, ret);
    return r;
}

static int node(void *ctx, unsigned level, uint64_t index, struct merkle_hash *ret, struct err *err)
{
    struct log_nodes *s = ctx;
    struct merkle_tree t = {.n = 0};

    if (level < TILE_BITS)
        return small_node(s, level, index, ret, err);
    if (level < SEGMENT_BITS)
        return tile_node(s, level, index, ret, err);
    pthread_mutex_lock(&s->log->lock);
    assert((index + 1) << (level - SEGMENT_BITS) <= s->log->n_roots);
    for (uint64_t i = 0; i < UINT64_C(1) << (level - SEGMENT_BITS); i++)
        merkle_add(&t, &s->log->roots[(index << (level - SEGMENT_BITS)) + i]);
    pthread_mutex_unlock(&s->log->lock);
    merkle_root(&t, ret);
    return 0;
}

struct merkle_nodes log_nodes_of(struct audit_log *log, struct log_nodes *state)
{
    state->log = log;
    state->tile = UINT64_MAX;
    return (struct merkle_nodes){.node = node, .ctx = state};
}

int audit_root(struct audit_log *log, uint64_t n, struct merkle_hash *ret, struct err *err)
{
    struct log_nodes state;
    struct merkle_nodes nodes = log_nodes_of(log, &state);

    if (n > audit_size(log))
        return err_set(err, ERR_VALUE, "the log has fewer than %llu entries",
                       (unsigned long long)n);
    return merkle_root_at(&nodes, n, ret, err);
}

int audit_consistency(struct audit_log *log, uint64_t m, uint64_t n, struct merkle_proof *ret,
                      struct err *err)
{
    struct log_nodes state;
    struct merkle_nodes nodes = log_nodes_of(log, &state);

    if (m > n || n > audit_size(log))
        return err_set(err, ERR_VALUE, "the log has no trees of %llu and %llu entries",
                       (unsigned long long)m, (unsigned long long)n);
    return merkle_consistency(&nodes, m, n, ret, err);
}

/* ---- entries ---- */

struct one {
    struct arena *a;
    struct sb *salted; /* salt ‖ entry; or NULL */
    struct audit_row *row;
    bool found;
};

static int take_row(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                    struct err *err)
{
    struct one *one = ctx;
    struct str entry;

    (void)at;
    one->found = true;
    *one->row = (struct audit_row){.leaf = leaf, .is_erased = stored->is_erased};
    if (stored->is_erased)
        return 0;
    if (one->salted) {
        sb_str(one->salted, stored->salt);
        sb_str(one->salted, stored->head);
        sb_str(one->salted, stored->tail);
    }
    entry = arena_join(one->a, (const struct str[]){stored->head, stored->tail}, 2);
    return entry.p ? audit_entry_parse(one->a, entry, &one->row->event, err) : err_no_memory(err);
}

static int get(struct audit_log *log, uint64_t leaf, struct arena *a, struct sb *salted,
               struct audit_row *ret, struct err *err)
{
    struct one one = {.a = a, .salted = salted, .row = ret};
    int r;

    if (leaf >= audit_size(log))
        return err_set(err, ERR_NOT_FOUND, "the audit log has no entry %llu",
                       (unsigned long long)leaf);
    r = log_walk(log, leaf, leaf + 1, take_row, &one, err);
    if (r >= 0 && !one.found)
        r = err_set(err, ERR_NO_STORE, "the audit log's entry %llu is missing",
                    (unsigned long long)leaf);
    return r;
}

int audit_get(struct audit_log *log, uint64_t leaf, struct arena *a, struct audit_row *ret,
              struct err *err)
{
    return get(log, leaf, a, NULL, ret, err);
}

void audit_id(const struct audit_log *log, uint64_t leaf, char ret[AUDIT_ID_MAX])
{
    const unsigned char *h = log->id.b;

    snprintf(ret, AUDIT_ID_MAX, "%02x%02x%02x%02x-%llu", h[0], h[1], h[2], h[3],
             (unsigned long long)leaf);
}

bool audit_id_parse(const struct audit_log *log, struct str id, uint64_t *ret)
{
    char again[AUDIT_ID_MAX];
    ptrdiff_t dash = str_find(id, '-');
    uint64_t leaf;

    if (dash != 2 * PREFIX_BYTES || !str_to_u64(str_from(id, (size_t)dash + 1), INT64_MAX, &leaf))
        return false;
    audit_id(log, leaf, again);
    if (!str_eq(id, str_c(again)))
        return false;
    *ret = leaf;
    return true;
}

/* ---- proofs ---- */

static int copy_head(struct audit_log *log, uint64_t leaf, struct sb *out, uint64_t *ret_size,
                     struct err *err)
{
    const struct kept_head *head;

    pthread_mutex_lock(&log->lock);
    head = log->witnessed.size > leaf ? &log->witnessed : &log->head;
    *ret_size = head->size;
    sb_str(out, sb_view(&head->note));
    pthread_mutex_unlock(&log->lock);
    if (leaf >= *ret_size)
        return err_set(err, ERR_BUSY,
                       "the entry is not under a signed head yet; it will be within "
                       "a second");
    return sb_ok(out, err);
}

int audit_proof(struct audit_log *log, uint64_t leaf, struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb note = sb_make(NOTE_BYTES_MAX), salted = sb_make(AUDIT_ENTRY_MAX);
    _cleanup_(arena_done) struct arena a;
    struct log_nodes state;
    struct merkle_nodes nodes = log_nodes_of(log, &state);
    struct proof proof = {.at = leaf};
    struct audit_row row;
    uint64_t size;
    int r;

    arena_init(&a, MIB(1));
    r = get(log, leaf, &a, &salted, &row, err);
    if (r >= 0 && row.is_erased)
        r = err_set(err, ERR_DELETED, "the entry was erased");
    if (r >= 0)
        r = copy_head(log, leaf, &note, &size, err);
    if (r >= 0)
        r = merkle_inclusion(&nodes, leaf, size, &proof.path, err);
    if (r < 0)
        return r;
    proof.extra = sb_view(&salted);
    proof.checkpoint = sb_view(&note);
    proof_write(out, &proof);
    return sb_ok(out, err);
}
