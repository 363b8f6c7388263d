/* erase.c - entries thrown away by law or by age: each leaves its commitment, and nothing else. A
 * segment that holds some is written anew; what follows from it (its index) is made again.
 */
#include "trust/audit/audit_int.h"

#include "base/fault.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define GROWTH_MAX KIB(64) /* of a segment: a commitment may be longer than what was there */
#define ENTRY_ARENA MIB(1)

/* A whole segment in memory. */
struct mapped {
    struct str bytes;
};

static int map_segment(struct audit_log *log, uint64_t number, struct mapped *ret, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    uint64_t n = 0;
    void *p = MAP_FAILED;
    int fd, r;

    segment_name(number, "seg", name);
    r = file_open(log->dir_fd, name, false, false, &fd, err);
    if (r < 0)
        return r;
    r = file_size(fd, &n, err);
    if (r >= 0 && n < SEGMENT_HEAD_BYTES)
        r = err_set(err, ERR_NO_STORE, "the audit log's file %s is damaged", name);
    if (r >= 0)
        p = fault_point("audit-map") ? MAP_FAILED
                                     : mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (r >= 0 && p == MAP_FAILED)
        r = err_no_memory(err);
    close(fd);
    if (r >= 0)
        ret->bytes = str_n(p, (size_t)n);
    return r;
}

static void unmap(struct mapped *m)
{
    if (m->bytes.p)
        munmap((void *)(uintptr_t)m->bytes.p, m->bytes.n);
}

/* ---- which ---- */

static int compare_leaves(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* What one call looks for: the leaves that are named, sorted, or what the rest says. */
struct erasing {
    const struct audit_erasure *what;
    struct arena *a; /* of one entry */
    uint64_t *found; /* leaves to be erased; NULL: they are named, and are erased now */
    size_t n, cap;
};

static bool has_word(struct str text, struct str word)
{
    while (text.n && word.n) {
        const char *p = memmem(text.p, text.n, word.p, word.n);
        struct str rest = p ? str_from(text, (size_t)(p - text.p) + word.n) : STR("");

        if (p && (p == text.p || p[-1] == ' ') && (!rest.n || *rest.p == ' '))
            return true;
        text = rest;
    }
    return false;
}

static bool is_about(const struct audit_erasure *what, const struct audit_event *event)
{
    bool ok = str_eq(what->patient, event->patient);

    for (size_t i = 0; i < what->n_names && !event->patient.n; i++)
        ok |= str_eq(event->user, what->names[i]) ||
              (event->interaction == AUDIT_COMMAND && has_word(event->query, what->names[i]));
    return ok;
}

static int is_meant(struct erasing *e, uint64_t leaf, const struct stored_leaf *stored,
                    struct err *err)
{
    const struct audit_erasure *what = e->what;
    struct audit_event event;
    struct str entry;
    int r;

    if (stored->is_erased ||
        (what->n && !bsearch(&leaf, what->leaves, what->n, sizeof leaf, compare_leaves)))
        return 0;
    if (!what->patient.n && !what->before_ms)
        return 1;
    arena_reset(e->a);
    entry = arena_join(e->a, (const struct str[]){stored->head, stored->tail}, 2);
    r = entry.p ? audit_entry_parse(e->a, entry, &event, err) : err_no_memory(err);
    return r < 0 ? r
                 : (!what->patient.n || is_about(what, &event)) &&
                       (!what->before_ms || event.when_ms < what->before_ms);
}

static int find_leaf(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                     struct err *err)
{
    struct erasing *e = ctx;
    int r = is_meant(e, leaf, stored, err);

    (void)at;
    if (r <= 0)
        return r;
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 1024;
        uint64_t *more = fault_point("audit-found") ? NULL : realloc(e->found, cap * sizeof *more);

        if (!more)
            return err_no_memory(err);
        e->found = more;
        e->cap = cap;
    }
    e->found[e->n++] = leaf;
    return 0;
}

/* Every batch of a segment, as far as they are whole. */
static int walk_segment(struct str segment, struct cipher *c, segment_visit *visit, void *ctx,
                        struct err *err)
{
    _cleanup_(sb_done) struct sb plain = sb_make(BATCH_BYTES_MAX);
    struct stored_leaf stored;
    struct batch b;
    int r = 0;

    for (size_t at = SEGMENT_HEAD_BYTES;
         r >= 0 && (r = batch_open(str_from(segment, at), c, &plain, &b, err)) > 0;
         at += batch_bytes(str_from(segment, at), c))
        for (uint64_t leaf = b.first; r >= 0 && (r = batch_next(&b, &stored, err)) > 0; leaf++)
            r = visit(ctx, leaf, (uint32_t)at, &stored, err);
    return r;
}

/* ---- writing anew ---- */

/* Of the record that begins here: its leaves, and whether one stays that needs its head. */
static int look_ahead(struct erasing *e, struct batch b, uint64_t leaf, size_t *ret_n,
                      bool *ret_stays, struct err *err)
{
    struct stored_leaf stored;
    int r;

    *ret_n = 0;
    *ret_stays = false;
    do {
        r = batch_next(&b, &stored, err);
        if (r <= 0)
            return r < 0 ? r : err_set(err, ERR_NO_STORE, "a batch of the audit log is damaged");
        r = is_meant(e, leaf++, &stored, err);
        if (r < 0)
            return r;
        *ret_stays |= !stored.is_erased && !r;
        ++*ret_n;
    } while (b.in_record);
    return 0;
}

static int rewrite_leaf(struct erasing *e, uint64_t leaf, const struct stored_leaf *stored,
                        struct sb *out, struct err *err)
{
    struct merkle_hash commitment;
    int r = is_meant(e, leaf, stored, err);

    if (r < 0)
        return r;
    if (stored->is_erased) {
        batch_erased(out, stored->commitment);
    } else if (r) {
        merkle_digest((const struct str[]){stored->salt, stored->head, stored->tail}, 3,
                      &commitment);
        batch_erased(out, str_n((const char *)commitment.b, MERKLE_BYTES));
        e->n++;
    } else {
        batch_leaf(out, stored->salt, stored->tail);
    }
    return 0;
}

static int rewrite_batch(struct erasing *e, struct batch *b, struct cipher *c, struct sb *out,
                         struct err *err)
{
    uint64_t leaf = b->first;
    size_t n = b->n;
    int r = 0;

    batch_begin(out);
    while (b->n && r >= 0) {
        struct stored_leaf stored;
        size_t in_record;
        bool stays;

        r = look_ahead(e, *b, leaf, &in_record, &stays, err);
        for (size_t i = 0; i < in_record && r >= 0; i++) {
            r = batch_next(b, &stored, err);
            if (r > 0 && i == 0)
                batch_record(out, in_record, stays ? stored.head : STR(""));
            if (r > 0)
                r = rewrite_leaf(e, leaf++, &stored, out, err);
        }
    }
    return r < 0 ? r : batch_end(out, leaf - n, n, c, err);
}

static int rewrite_segment(struct audit_log *log, struct erasing *e, uint64_t number,
                           struct str segment, struct err *err)
{
    _cleanup_(sb_done) struct sb all = sb_make(2 * segment.n + GROWTH_MAX),
                                 one = sb_make(2 * BATCH_BYTES_MAX),
                                 plain = sb_make(BATCH_BYTES_MAX);
    char seg[SEGMENT_NAME_BYTES], idx[SEGMENT_NAME_BYTES];
    struct cipher *c = &log->cipher;
    struct batch b;
    int r = 0;

    sb_str(&all, str_head(segment, SEGMENT_HEAD_BYTES));
    for (size_t at = SEGMENT_HEAD_BYTES;
         r >= 0 && (r = batch_open(str_from(segment, at), c, &plain, &b, err)) > 0;
         at += batch_bytes(str_from(segment, at), c)) {
        r = rewrite_batch(e, &b, c, &one, err);
        sb_str(&all, sb_view(&one));
    }
    if (r < 0 || (r = sb_ok(&all, err)) < 0)
        return r;
    /* Its places are others: without an index it is known that one has to be made. */
    segment_name(number, "idx", idx);
    segment_name(number, "seg", seg);
    r = file_remove(log->dir_fd, idx, err);
    if (r >= 0)
        r = file_replace(log->dir_fd, seg, sb_view(&all), err);
    return r < 0 || number >= log->n_roots ? r : segment_reindex(log, number, err);
}

/* ---- the index of a full segment, made again ---- */

static int take_indexed(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                        struct err *err)
{
    struct segment *s = ctx;
    struct merkle_hash hash, tile;

    if (leaf != s->number * SEGMENT_LEAVES + s->n || s->n == SEGMENT_LEAVES)
        return err_set(err, ERR_NO_STORE, "the audit log's entries are out of order at %llu",
                       (unsigned long long)leaf);
    leaf_hash(stored, &hash);
    segment_add(s, at, &hash, leaf_patient(stored), &tile);
    return 0;
}

int segment_reindex(struct audit_log *log, uint64_t number, struct err *err)
{
    struct segment *s = fault_point("audit-segment") ? NULL : calloc(1, sizeof *s);
    struct mapped m = {.bytes = STR_NULL};
    int r = s ? map_segment(log, number, &m, err) : err_no_memory(err);

    if (r >= 0) {
        s->number = number;
        r = walk_segment(m.bytes, &log->cipher, take_indexed, s, err);
    }
    if (r >= 0 && s->n != SEGMENT_LEAVES)
        r = err_set(err, ERR_NO_STORE, "segment %llu of the audit log is not full",
                    (unsigned long long)number);
    if (r >= 0)
        r = segment_seal(log->dir_fd, &log->cipher, s, err);
    unmap(&m);
    free(s);
    return r;
}

/* ---- all of it ---- */

static int each_segment(struct audit_log *log, struct erasing *e, bool rewrite, struct err *err)
{
    int r = 0;

    for (uint64_t number = 0; number <= log->n_roots && r >= 0; number++) {
        struct mapped m = {.bytes = STR_NULL};
        size_t before = e->n;

        r = map_segment(log, number, &m, err);
        if (r >= 0)
            r = walk_segment(m.bytes, &log->cipher, find_leaf, e, err);
        if (r >= 0 && rewrite && e->n > before) {
            struct erasing now = *e;

            now.n = 0;
            r = rewrite_segment(log, &now, number, m.bytes, err);
        }
        unmap(&m);
    }
    return r;
}

static int run(const struct audit_config *config, const struct audit_erasure *what, bool rewrite,
               struct erasing *e, struct err *err)
{
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    _cleanup_(arena_done) struct arena a;
    int r;

    arena_init(&a, ENTRY_ARENA);
    *e = (struct erasing){.what = what, .a = &a};
    if (!what->n && !what->patient.n && !what->before_ms)
        return err_set(err, ERR_VALUE, "nothing says which entries are meant");
    r = audit_open(config, &log, err);
    if (r >= 0)
        r = each_segment(log, e, rewrite, err);
    e->a = NULL; // cppcheck-suppress autoVariables ; it ends here
    return r;
}

int audit_erasable(const struct audit_config *config, const struct audit_erasure *what,
                   uint64_t **ret, size_t *ret_n, struct err *err)
{
    struct erasing e;
    int r = run(config, what, false, &e, err);

    if (r < 0) {
        free(e.found);
        return r;
    }
    *ret = e.found;
    *ret_n = e.n;
    return 0;
}

int audit_erase(const struct audit_config *config, const struct audit_erasure *what,
                uint64_t *ret_n, struct err *err)
{
    struct erasing e;
    int r = run(config, what, true, &e, err);

    free(e.found);
    if (r >= 0)
        *ret_n = e.n;
    return r;
}
