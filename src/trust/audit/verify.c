/* verify.c - proofs and whole logs, checked without trusting who wrote them. */
#include "trust/audit/audit_int.h"

#include "vault/vault.h"

#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define TEXT_MAX 512

/* ---- one proof ---- */

static int check_signatures(const struct note *note, const struct note_key *log,
                            const struct note_key *witnesses, size_t n, size_t quorum,
                            struct err *err)
{
    size_t signed_by = 0;
    int r = note_check(note, log, NULL, err);

    if (r < 0)
        return r;
    if (r == 0)
        return err_set(err, ERR_FORBIDDEN, "the checkpoint is not signed by %s", log->name);
    for (size_t i = 0; i < n; i++) {
        r = note_check(note, &witnesses[i], NULL, err);
        if (r < 0)
            return r;
        signed_by += r > 0;
    }
    if (signed_by < quorum)
        return err_set(err, ERR_FORBIDDEN,
                       "the checkpoint is cosigned by %zu of the witnesses, "
                       "and %zu are asked for",
                       signed_by, quorum);
    return 0;
}

static int check_entry(const struct proof *proof, const struct head *head, struct err *err)
{
    struct stored_leaf leaf = {.head = str_from(proof->extra, AUDIT_SALT_BYTES)};
    struct merkle_hash hash;

    if (proof->extra.n <= AUDIT_SALT_BYTES)
        return err_set(err, ERR_SYNTAX, "the proof has no entry with it");
    leaf.salt = str_head(proof->extra, AUDIT_SALT_BYTES);
    leaf.tail = STR("");
    leaf_hash(&leaf, &hash);
    if (!merkle_check_inclusion(&hash, proof->at, head->size, &proof->path, &head->root))
        return err_set(err, ERR_FORBIDDEN,
                       "the proof does not lead from its entry to the "
                       "checkpoint's root");
    return 0;
}

int audit_verify_proof(struct arena *a, struct str text, const struct note_key *log,
                       const struct note_key *witnesses, size_t n_witnesses, size_t quorum,
                       struct audit_row *ret, struct head *ret_head, struct err *err)
{
    struct audit_row row = {.is_erased = false};
    struct proof proof;
    struct head head;
    struct note note;
    int r = proof_parse(a, text, &proof, err);

    if (r >= 0)
        r = note_parse(proof.checkpoint, &note, err);
    if (r >= 0)
        r = check_signatures(&note, log, witnesses, n_witnesses, quorum, err);
    if (r >= 0)
        r = head_parse(note.text, &head, err);
    if (r >= 0 && !str_eq(head.origin, str_c(log->name)))
        r = err_set(err, ERR_FORBIDDEN, "the checkpoint is of another log than %s", log->name);
    if (r >= 0)
        r = check_entry(&proof, &head, err);
    if (r >= 0)
        r = audit_entry_parse(a, str_from(proof.extra, AUDIT_SALT_BYTES), &row.event, err);
    if (r < 0)
        return r;
    row.leaf = proof.at;
    *ret = row;
    *ret_head = head;
    return 0;
}

/* ---- a whole log ---- */

/* A head, and what the tree's root was when it had that many leaves. */
struct claim {
    const char *what;
    struct head head;
    struct merkle_hash root;
    bool reached;
};

struct verifier {
    int dir_fd;
    struct note_key key;
    struct cipher cipher;
    struct merkle_tree tree;
    struct claim *claims;
    size_t n_claims;
    void (*say)(void *ctx, const char *text);
    void *ctx;
    int problems;
};

static void problem(struct verifier *v, const char *text)
{
    v->say(v->ctx, text);
    v->problems++;
}

static void reach_claims(struct verifier *v)
{
    for (size_t i = 0; i < v->n_claims; i++)
        if (v->claims[i].head.size == v->tree.n) {
            merkle_root(&v->tree, &v->claims[i].root);
            v->claims[i].reached = true;
        }
}

static int take_leaf(void *ctx, uint64_t number, uint32_t at, const struct stored_leaf *stored,
                     struct err *err)
{
    struct verifier *v = ctx;
    struct merkle_hash hash;

    (void)at;
    if (number != v->tree.n)
        return err_set(err, ERR_NO_STORE, "entry %llu stands where %llu should",
                       (unsigned long long)number, (unsigned long long)v->tree.n);
    leaf_hash(stored, &hash);
    merkle_add(&v->tree, &hash);
    reach_claims(v);
    return 0;
}

static bool has_writer(const struct verifier *v)
{
    int fd, busy;

    if (file_open(v->dir_fd, LOCK_NAME, false, false, &fd, NULL) < 0)
        return false;
    busy = flock(fd, LOCK_SH | LOCK_NB) < 0;
    close(fd);
    return busy;
}

/* Whether what stands behind the last whole batch is room for more, or a batch on its way there. */
static int is_room(const struct verifier *v, int fd, uint64_t at, uint64_t end, struct err *err)
{
    char bytes[KIB(4)];

    if (has_writer(v) && end - at <= SEGMENT_TAIL_MAX)
        return 1;
    while (at < end) {
        size_t n;
        int r = file_read(fd, bytes, (size_t)MIN(end - at, (uint64_t)sizeof bytes), at, &n, err);

        if (r < 0 || !n)
            return r;
        for (size_t i = 0; i < n; i++)
            if (bytes[i])
                return 0;
        at += n;
    }
    return 1;
}

/* 1: the segment was read to its end and is full. */
static int read_segment(struct verifier *v, uint64_t number, struct err *err)
{
    char name[SEGMENT_NAME_BYTES], head[SEGMENT_HEAD_BYTES], text[TEXT_MAX];
    uint64_t end = 0, at = 0;
    size_t n;
    int fd, r;

    segment_name(number, "seg", name);
    r = file_open(v->dir_fd, name, false, false, &fd, err);
    if (r < 0)
        return r == ERR_NOT_FOUND ? 0 : r;
    r = file_size(fd, &end, err);
    if (r >= 0)
        r = file_read(fd, head, sizeof head, 0, &n, err);
    if (r >= 0 && !segment_is_head(str_n(head, n), number, &v->cipher)) {
        snprintf(text, sizeof text, "%s is not a segment of this log", name);
        problem(v, text);
        close(fd);
        return 0;
    }
    if (r >= 0)
        r = segment_walk(fd, &v->cipher, SEGMENT_HEAD_BYTES, end, 0, UINT64_MAX, take_leaf, v, &at,
                         err);
    if (r >= 0 && at < end && (r = is_room(v, fd, at, end, err)) > 0)
        end = at;
    close(fd);
    if (r == ERR_NO_STORE && err) {
        problem(v, err->text);
        return 0;
    }
    if (r >= 0 && at < end) {
        snprintf(text, sizeof text, "%s: what stands from byte %llu on is no whole batch", name,
                 (unsigned long long)at);
        problem(v, text);
        return 0;
    }
    return r < 0 ? r : v->tree.n == (number + 1) << SEGMENT_BITS;
}

static void check_claim(struct verifier *v, const struct claim *c)
{
    char text[TEXT_MAX];

    if (!c->reached)
        snprintf(text, sizeof text,
                 "%s is of %llu entries, and the log holds %llu: entries are "
                 "missing",
                 c->what, (unsigned long long)c->head.size, (unsigned long long)v->tree.n);
    else if (!merkle_eq(&c->root, &c->head.root))
        snprintf(text, sizeof text, "%s of %llu entries has another root: entries were rewritten",
                 c->what, (unsigned long long)c->head.size);
    else
        return;
    problem(v, text);
}

/* A checkpoint that this log's key signed, as a claim; others are problems. */
static void add_claim(struct verifier *v, const char *what, struct str note_text)
{
    struct claim *c = &v->claims[v->n_claims];
    struct err err = {0};
    struct note note;
    char text[TEXT_MAX + ERR_TEXT_MAX];
    int r = note_parse(note_text, &note, &err);

    if (r >= 0)
        r = note_check(&note, &v->key, NULL, &err);
    if (r == 0)
        r = err_set(&err, ERR_FORBIDDEN, "it is not signed by %s", v->key.name);
    if (r >= 0)
        r = head_parse(note.text, &c->head, &err);
    if (r >= 0 && !str_eq(c->head.origin, str_c(v->key.name)))
        r = err_set(&err, ERR_FORBIDDEN, "it is of another log");
    if (r < 0) {
        snprintf(text, sizeof text, "%s does not hold: %s", what, err.text);
        problem(v, text);
        return;
    }
    c->what = what;
    v->n_claims++;
}

static int open_cipher(struct verifier *v, const char *dir, const char *key_file, struct err *err)
{
    _cleanup_(vault_freep) struct vault *vault = NULL;
    int r = vault_open(dir, key_file, &vault, err);

    return r < 0 || !vault ? r : vault_sealer(vault, CIPHER_USE, &v->cipher.x, err);
}

static int open_folder(struct verifier *v, const char *dir, const char *key_file, struct err *err)
{
    _cleanup_(sb_done) struct sb path = sb_make(KIB(8)), text = sb_make(KIB(4));
    struct str origin;
    int r;

    sb_fmt(&path, "%s/" AUDIT_FOLDER, dir);
    sb_char(&path, '\0');
    r = sb_ok(&path, err);
    if (r >= 0)
        r = file_open(AT_FDCWD, path.p, false, false, &v->dir_fd, err);
    if (r >= 0)
        r = file_load(v->dir_fd, KEY_NAME, &text, err);
    if (r >= 0)
        r = note_key_parse(str_trim(sb_view(&text)), &v->key, err);
    origin = str_c(v->key.name);
    merkle_digest(&origin, 1, &v->cipher.log);
    return r < 0 ? r : open_cipher(v, dir, key_file, err);
}

static int load_head(struct verifier *v, const char *name, struct sb *to, bool needed,
                     struct err *err)
{
    int r = file_load(v->dir_fd, name, to, err);

    if (r == ERR_NOT_FOUND) {
        if (needed)
            problem(v, "the log has no signed head");
        return 0;
    }
    if (r >= 0)
        add_claim(v, needed ? "the log's newest head" : "the log's newest witnessed head",
                  sb_view(to));
    return r;
}

int audit_verify(const char *dir, const char *key_file, const struct str *heads, size_t n_heads,
                 void (*say)(void *ctx, const char *text), void *ctx, struct merkle_tree *ret,
                 struct err *err)
{
    _cleanup_(sb_done) struct sb newest = sb_make(NOTE_BYTES_MAX), seen = sb_make(NOTE_BYTES_MAX);
    _cleanup_(arena_done) struct arena a;
    struct verifier v = {.dir_fd = -1, .say = say, .ctx = ctx};
    uint64_t number = 0;
    int r;

    arena_init(&a, MIB(64));
    v.claims = ARENA_ARRAY(&a, struct claim, n_heads + 2);
    r = v.claims ? open_folder(&v, dir, key_file, err) : err_no_memory(err);
    if (r >= 0)
        r = load_head(&v, HEAD_NAME, &newest, true, err);
    if (r >= 0)
        r = load_head(&v, WITNESSED_NAME, &seen, false, err);
    for (size_t i = 0; i < n_heads && r >= 0; i++)
        add_claim(&v, "a kept head", heads[i]);
    reach_claims(&v);
    if (r >= 0)
        while ((r = read_segment(&v, number, err)) > 0)
            number++;
    for (size_t i = 0; i < v.n_claims && r >= 0; i++)
        check_claim(&v, &v.claims[i]);
    cipher_done(&v.cipher);
    if (v.dir_fd >= 0)
        close(v.dir_fd);
    if (r < 0)
        return r;
    *ret = v.tree;
    return v.problems;
}
