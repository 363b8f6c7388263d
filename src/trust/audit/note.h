/* note.h - signed notes, checkpoints, cosignatures: what a log and its witnesses say, in the C2SP
 * formats signed-note, tlog-checkpoint, tlog-cosignature (v1, Ed25519) and tlog-proof, and the
 * request of tlog-witness. Parsers take anybody's bytes; what they return points into those.
 * Source: https://c2sp.org.
 */
#ifndef TRUST_AUDIT_NOTE_H
#define TRUST_AUDIT_NOTE_H

#include "base/arena.h"
#include "base/sb.h"
#include "trust/audit/merkle.h"

#define NOTE_BYTES_MAX KIB(128)
#define NOTE_SIGNATURES_MAX 32
#define NOTE_NAME_MAX 255
#define NOTE_KEY_BYTES 32
#define PROOF_BYTES_MAX KIB(256) /* one proof as text, its entry and its checkpoint */

/* The types of keys that we know. */
enum note_kind { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* Whom to believe: a name and a public key. As text "name+00112233+base64" (a vkey). */
struct note_key {
    char name[NOTE_NAME_MAX + 1];
    enum note_kind kind;
    unsigned char id[4];
    unsigned char pub[NOTE_KEY_BYTES];
};

/* ERR_VALUE when it is none, or its id is not that of its key. */
int note_key_parse(struct str text, struct note_key *ret, struct err *err);
void note_key_write(struct sb *out, const struct note_key *key);

/* A private key with its name. */
struct note_signer;

/* `name` as of note_key; a new random key. */
int note_signer_make(struct str name, enum note_kind kind, struct note_signer **ret,
                     struct err *err);
/* The key in a PEM file (PKCS #8), and into a new one that only its owner may read, durable.
 * ERR_NOT_FOUND when there is none. */
int note_signer_load(const char *path, const char *pass, struct str name, enum note_kind kind,
                     struct note_signer **ret, struct err *err);
int note_signer_save(const struct note_signer *s, const char *path, const char *pass,
                     struct err *err);
void note_signer_free(struct note_signer *s);
static inline void note_signer_freep(struct note_signer **s)
{
    note_signer_free(*s);
}
const struct note_key *note_signer_key(const struct note_signer *s);

/* Appends the signature line for a note's text; a cosignature says when (seconds since 1970). */
int note_sign(const struct note_signer *s, struct str text, int64_t now_s, struct sb *out,
              struct err *err);

/* Base 64 written in the one way it can be: two texts never stand for the same bytes. */
bool note_b64(struct sb *out, struct str text);

/* A note in its two parts; the text with its last newline. ERR_SYNTAX when it is none. */
struct note {
    struct str text;
    struct str signatures; /* whole lines */
};

int note_parse(struct str bytes, struct note *ret, struct err *err);
/* 1: this key signed it (*ret_when_s, may be NULL: when, of a cosignature); 0: it has no signature
 * of this key; ERR_FORBIDDEN: it has one, and it is false. */
int note_check(const struct note *note, const struct note_key *key, int64_t *ret_when_s,
               struct err *err);
/* The lines of this key's signatures that hold, appended. */
void note_pick(const struct note *note, const struct note_key *key, struct sb *out);

/* A tree head: the text of a checkpoint. */
struct head {
    struct str origin;
    uint64_t size;
    struct merkle_hash root;
};

int head_parse(struct str text, struct head *ret, struct err *err);
void head_write(struct sb *out, const struct head *head);

/* A proof that an entry is in a log, with the head it leads to. */
struct proof {
    struct str extra; /* decoded, the arena's; empty: none */
    uint64_t at;      /* the leaf's number */
    struct merkle_proof path;
    struct str checkpoint;
};

int proof_parse(struct arena *a, struct str text, struct proof *ret, struct err *err);
void proof_write(struct sb *out, const struct proof *proof);

/* What a witness is asked to cosign. */
struct submission {
    uint64_t old_size;
    struct merkle_proof path;
    struct str checkpoint;
};

int submission_parse(struct str body, struct submission *ret, struct err *err);
void submission_write(struct sb *out, const struct submission *s);

#endif
