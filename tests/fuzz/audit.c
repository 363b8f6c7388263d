/* audit.c - what the audit log and its verifiers read of others: the first byte chooses between a
 * checkpoint, a proof, what a witness is asked, a key, an entry and a batch. */
#include "base/js.h"
#include "fuzz.h"
#include "trust/audit/entry.h"
#include "trust/audit/note.h"
#include "trust/audit/segment.h"

#include <string.h>

#define ARENA_MAX MIB(4)

static void checkpoint(struct str text)
{
    struct sb again = sb_make(NOTE_BYTES_MAX);
    struct note note;
    struct head head;
    struct err err = {0};

    if (note_parse(text, &note, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    FUZZ_HOLDS(note.text.n + 1 + note.signatures.n == text.n);
    if (head_parse(note.text, &head, &err) < 0)
        return;
    head_write(&again, &head);
    FUZZ_HOLDS(str_starts(note.text, sb_view(&again))); /* extensions may follow */
    sb_done(&again);
}

static void proof(struct arena *a, struct str text)
{
    struct sb again = sb_make(PROOF_BYTES_MAX * 2);
    struct proof p;
    struct err err = {0};

    if (proof_parse(a, text, &p, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    proof_write(&again, &p);
    /* one text for one proof, but for extra data of no bytes */
    FUZZ_HOLDS(!p.extra.n || str_eq(sb_view(&again), text));
    sb_done(&again);
}

static void submission(struct str text)
{
    struct sb again = sb_make(PROOF_BYTES_MAX * 2);
    struct submission s;
    struct err err = {0};

    if (submission_parse(text, &s, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    submission_write(&again, &s);
    FUZZ_HOLDS(str_eq(sb_view(&again), text));
    sb_done(&again);
}

static void key(struct str text)
{
    struct sb again = sb_make(KIB(4));
    struct note_key k, twice;
    struct err err = {0};

    if (note_key_parse(text, &k, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    note_key_write(&again, &k);
    FUZZ_HOLDS(note_key_parse(sb_view(&again), &twice, &err) == 0);
    sb_done(&again);
}

static void entry(struct arena *a, struct str bytes)
{
    struct audit_source source = {
        .id = STR("x-1"), .observer = STR("log"), .base = STR("http://node/fhir")};
    struct sb out = sb_make(MIB(4));
    struct audit_event e;
    struct err err = {0};
    yyjson_val *root;

    if (audit_entry_parse(a, bytes, &e, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    audit_event_json(&out, &source, &e);
    FUZZ_HOLDS(!out.failed && js_parse(a, sb_view(&out), &root, &err) == 0);
    sb_reset(&out);
    audit_entry_head(&out, &e);
    audit_entry_tail(&out, e.patient);
    FUZZ_HOLDS(audit_entry_parse(a, sb_view(&out), &e, &err) == 0);
    sb_done(&out);
}

static void batch(struct str bytes)
{
    struct stored_leaf leaf;
    struct sb whole = sb_make(MIB(4));
    struct err err = {0};
    struct batch b;
    uint32_t n = 0;
    int r;

    FUZZ_HOLDS(batch_open(bytes, NULL, NULL, &b, &err) <= 0 || batch_bytes(bytes, NULL) <= bytes.n);
    /* behind a right check, which no fuzzer finds */
    batch_begin(&whole);
    sb_str(&whole, bytes);
    if (batch_end(&whole, 7, 3, NULL, &err) == 0 &&
        batch_open(sb_view(&whole), NULL, NULL, &b, &err) > 0) {
        FUZZ_HOLDS(b.first == 7 && b.n == 3);
        while ((r = batch_next(&b, &leaf, &err)) > 0)
            n++;
        FUZZ_HOLDS(r < 0 || n == 3);
    }
    sb_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str bytes = n ? str_n((const char *)data + 1, n - 1) : STR("");
    struct arena a;

    arena_init(&a, ARENA_MAX);
    switch (n ? data[0] : 'c') {
    case 'p': proof(&a, bytes); break;
    case 's': submission(bytes); break;
    case 'k': key(bytes); break;
    case 'e': entry(&a, bytes); break;
    case 'b': batch(bytes); break;
    default: checkpoint(bytes);
    }
    arena_done(&a);
    return 0;
}
