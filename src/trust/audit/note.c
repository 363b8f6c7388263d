#include "trust/audit/note.h"

#include "base/b64.h"

#include <ctype.h>
#include <stdio.h>

#define DASH "\xe2\x80\x94 " /* an em dash and a blank */
#define PROOF_LINE "c2sp.org/tlog-proof@v1"
#define SIZE_MAX_LEAVES (UINT64_C(1) << 62)

/* ---- text ---- */

static int next_line(struct str *rest, struct str *ret)
{
    ptrdiff_t end = str_find(*rest, '\n');

    if (end < 0)
        return -1;
    *ret = str_head(*rest, (size_t)end);
    *rest = str_from(*rest, (size_t)end + 1);
    return 0;
}

/* A number without zeroes in front. */
static bool read_number(struct str s, uint64_t max, uint64_t *ret)
{
    return !(s.n > 1 && s.p[0] == '0') && str_to_u64(s, max, ret);
}

bool note_b64(struct sb *out, struct str text)
{
    _cleanup_(sb_done) struct sb again = sb_make(PROOF_BYTES_MAX);

    sb_reset(out);
    if (!b64_decode_to(out, text) || out->failed)
        return false;
    b64_encode(&again, sb_view(out));
    return !again.failed && str_eq(sb_view(&again), text);
}

static bool read_hash(struct str text, struct merkle_hash *ret)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(KIB(1));

    if (text.n != 44 || !note_b64(&bytes, text) || bytes.n != MERKLE_BYTES)
        return false;
    memcpy(ret->b, bytes.p, MERKLE_BYTES);
    return true;
}

static void write_hash(struct sb *out, const struct merkle_hash *h)
{
    b64_encode(out, str_n((const char *)h->b, MERKLE_BYTES));
    sb_char(out, '\n');
}

/* Lines of hashes up to an empty line, which is taken as well. */
static bool read_path(struct str *rest, struct merkle_proof *ret)
{
    struct str line;

    ret->n = 0;
    for (;;) {
        if (next_line(rest, &line) < 0)
            return false;
        if (!line.n)
            return true;
        if (ret->n == MERKLE_PROOF_MAX || !read_hash(line, &ret->hash[ret->n++]))
            return false;
    }
}

/* ---- notes ---- */

static bool is_tidy(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n')
            return false;
    return true;
}

int note_parse(struct str bytes, struct note *ret, struct err *err)
{
    struct str signatures;
    size_t at, lines = 0;

    if (bytes.n > NOTE_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the note is longer than %zu bytes", NOTE_BYTES_MAX);
    if (!bytes.n || bytes.p[bytes.n - 1] != '\n' || !is_tidy(bytes))
        return err_set(err, ERR_SYNTAX, "the note has control characters or no newline at its end");
    for (at = bytes.n - 1; at > 0 && !(bytes.p[at] == '\n' && bytes.p[at - 1] == '\n'); at--)
        ;
    if (at < 2)
        return err_set(err, ERR_SYNTAX, "the note has no empty line in front of its signatures");
    signatures = str_from(bytes, at + 1);
    for (struct str rest = signatures, line; next_line(&rest, &line) == 0; lines++)
        if (!str_starts(line, STR(DASH)))
            return err_set(err, ERR_SYNTAX, "a signature line of the note begins with no dash");
    if (!lines || lines > NOTE_SIGNATURES_MAX)
        return err_set(err, ERR_SYNTAX, "the note has %zu signatures; 1 to %d are taken", lines,
                       NOTE_SIGNATURES_MAX);
    *ret = (struct note){str_head(bytes, at), signatures};
    return 0;
}

/* ---- heads ---- */

int head_parse(struct str text, struct head *ret, struct err *err)
{
    struct str origin, size, root, line, rest = text;
    struct head head;

    if (next_line(&rest, &origin) < 0 || next_line(&rest, &size) < 0 ||
        next_line(&rest, &root) < 0 || !origin.n || origin.n > NOTE_NAME_MAX ||
        !read_number(size, SIZE_MAX_LEAVES, &head.size) || !read_hash(root, &head.root))
        return err_set(err, ERR_SYNTAX,
                       "a checkpoint is an origin, a size and a root hash, a line "
                       "each");
    while (rest.n)
        if (next_line(&rest, &line) < 0 || !line.n)
            return err_set(err, ERR_SYNTAX, "an extension line of the checkpoint is empty");
    head.origin = origin;
    *ret = head;
    return 0;
}

void head_write(struct sb *out, const struct head *head)
{
    sb_str(out, head->origin);
    sb_fmt(out, "\n%llu\n", (unsigned long long)head->size);
    write_hash(out, &head->root);
}

/* ---- proofs ---- */

int proof_parse(struct arena *a, struct str text, struct proof *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb extra = sb_make(PROOF_BYTES_MAX);
    struct proof p = {.extra = STR("")};
    struct str line, rest = text;

    if (text.n > PROOF_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the proof is longer than %zu bytes", PROOF_BYTES_MAX);
    if (next_line(&rest, &line) < 0 || !str_eq(line, STR(PROOF_LINE)))
        return err_set(err, ERR_SYNTAX, "the proof does not begin with " PROOF_LINE);
    if (next_line(&rest, &line) == 0 && str_starts(line, STR("extra "))) {
        if (!note_b64(&extra, str_from(line, 6)))
            return err_set(err, ERR_SYNTAX, "the proof's extra data is not base 64");
        p.extra = arena_dup(a, sb_view(&extra));
        if (!p.extra.p)
            return err_no_memory(err);
        if (next_line(&rest, &line) < 0)
            line = STR("");
    }
    if (!str_starts(line, STR("index ")) ||
        !read_number(str_from(line, 6), SIZE_MAX_LEAVES - 1, &p.at))
        return err_set(err, ERR_SYNTAX, "the proof has no index");
    if (!read_path(&rest, &p.path))
        return err_set(err, ERR_SYNTAX,
                       "the proof's hashes are not base 64 of %d bytes, a line "
                       "each, and an empty line",
                       MERKLE_BYTES);
    p.checkpoint = rest;
    *ret = p;
    return 0;
}

void proof_write(struct sb *out, const struct proof *proof)
{
    sb_lit(out, PROOF_LINE "\n");
    if (proof->extra.n) {
        sb_lit(out, "extra ");
        b64_encode(out, proof->extra);
        sb_char(out, '\n');
    }
    sb_fmt(out, "index %llu\n", (unsigned long long)proof->at);
    for (size_t i = 0; i < proof->path.n; i++)
        write_hash(out, &proof->path.hash[i]);
    sb_char(out, '\n');
    sb_str(out, proof->checkpoint);
}

int submission_parse(struct str body, struct submission *ret, struct err *err)
{
    struct submission s;
    struct str line, rest = body;

    if (body.n > PROOF_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the request is longer than %zu bytes", PROOF_BYTES_MAX);
    if (next_line(&rest, &line) < 0 || !str_starts(line, STR("old ")) ||
        !read_number(str_from(line, 4), SIZE_MAX_LEAVES, &s.old_size))
        return err_set(err, ERR_SYNTAX, "the request does not begin with \"old\" and a size");
    if (!read_path(&rest, &s.path))
        return err_set(err, ERR_SYNTAX,
                       "the request's hashes are not base 64 of %d bytes, a line "
                       "each, at most %d, and an empty line",
                       MERKLE_BYTES, MERKLE_PROOF_MAX);
    s.checkpoint = rest;
    *ret = s;
    return 0;
}

void submission_write(struct sb *out, const struct submission *s)
{
    sb_fmt(out, "old %llu\n", (unsigned long long)s->old_size);
    for (size_t i = 0; i < s->path.n; i++)
        write_hash(out, &s->path.hash[i]);
    sb_char(out, '\n');
    sb_str(out, s->checkpoint);
}
