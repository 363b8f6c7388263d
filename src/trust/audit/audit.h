/* audit.h - the audit log: who looked at whose record, in a Merkle tree that nobody can rewrite
 * unseen.
 *
 * Appending is durable and shared: whoever appends while the disk is busy goes into the next batch,
 * one fdatasync for all. A thread signs a head (a checkpoint, note.h) for what is durable, at most
 * AUDIT_HEAD_MS later; witnesses cosign it. What a head covers can be proved to anybody, offline.
 * Files and bytes: docs/formats/audit.md. What this proves, and what not: docs/SECURITY.md.
 */
#ifndef TRUST_AUDIT_AUDIT_H
#define TRUST_AUDIT_AUDIT_H

#include "trust/audit/entry.h"
#include "trust/audit/note.h"

#define AUDIT_FOLDER "audit" /* in the data folder */
#define AUDIT_KEY_NAME "key.pem"
#define AUDIT_HEAD_MS 250       /* until an entry is under a signed head */
#define AUDIT_PATIENTS_MAX 8192 /* entries of one append */
#define AUDIT_PAGE_MAX 1000
#define AUDIT_WITNESSES_MAX 16
#define AUDIT_ID_MAX 40

struct audit_log;

/* Brings a body to a witness's URL and its answer back. */
typedef int audit_post(void *ctx, const char *url, struct str body, int *ret_status,
                       struct sb *ret_body, struct err *err);

struct audit_witness {
    const char *url; /* "https://witness.example"; add-checkpoint stands below it */
    struct note_key key;
};

struct audit_config {
    const char *dir;      /* the data folder; the log is dir/audit */
    const char *key_file; /* of an encrypted data folder; NULL: the environment's key, if any */
    const char *key_path; /* PEM, NULL: dir/audit/key.pem, made with a new log */
    unsigned head_ms;     /* in place of AUDIT_HEAD_MS, 0: that */
    bool read_only;       /* for commands; beside a running node too */
    bool keyless;         /* appends, and leaves the signing to the next who has the key */
    const struct audit_witness *witnesses;
    size_t n_witnesses;
    audit_post *post; /* NULL without witnesses */
    void *post_ctx;
};

/* Whether a data folder has a log. */
bool audit_exists(const char *dir);
/* Opens a log, or makes one. ERR_NOT_FOUND when there is none and it is to be read only.
 * ERR_CONFLICT when another process writes it. ERR_NO_STORE when what is there is not what was
 * signed: entries are missing or other ones stand in their place. */
int audit_open(const struct audit_config *config, struct audit_log **ret, struct err *err);
/* Waits for what is queued, signs a last head. NULL is allowed. */
void audit_close(struct audit_log *log);
static inline void audit_closep(struct audit_log **log)
{
    audit_close(*log);
}

/* ---- appending, any thread ---- */

struct audit_leaf {
    unsigned char salt[AUDIT_SALT_BYTES];
    struct str tail;
    uint64_t patient;
    struct merkle_hash hash;
};

/* An event that becomes one entry, or one for each patient; belongs to the caller again in `done`,
 * which the log's thread calls once the entries are durable or have failed (r < 0). */
struct audit_append {
    void (*done)(struct audit_append *append, int r, const struct err *err);
    void *ctx;      /* done's */
    uint64_t first; /* out: the first entry's number */

    struct str head; /* the rest is the log's */
    struct audit_leaf *leaves;
    size_t n, at;
    struct audit_append *next;
};

/* Everything that does not need the log: entries, salts, hashes; memory is `a`'s and must live
 * until `done`. ERR_TOO_LONG for more than AUDIT_PATIENTS_MAX patients. */
int audit_prepare(struct arena *a, const struct audit_event *event, const struct str *patients,
                  size_t n, struct audit_append *ret, struct err *err);
void audit_submit(struct audit_log *log, struct audit_append *append);
/* submit and wait; done and ctx are its own. */
int audit_write(struct audit_log *log, struct audit_append *append, struct err *err);
/* Whether the log takes entries: after a failed fdatasync it does not any more, because nobody
 * knows what is on the disk; the node has to be started again, which looks. */
bool audit_is_well(struct audit_log *log);

/* ---- reading, any thread ---- */

uint64_t audit_size(struct audit_log *log);
/* The log's name (its checkpoints' origin) and public key. */
struct str audit_origin(const struct audit_log *log);
const struct note_key *audit_key(const struct audit_log *log);

/* What is not empty must be so. */
struct audit_query {
    struct str patient;                /* id */
    struct str agent;                  /* user or client */
    struct str address, role, token;   /* as in audit_event */
    struct str type;                   /* code of AuditEvent.type: "rest", or DICOM's */
    struct str subtype;                /* interaction or name of an operation */
    struct str entity_type, entity_id; /* the record that was asked for, or the patient */
    char action, outcome;              /* of AuditEvent; 0: any */
    int64_t from_ms, to_ms;            /* [from, to), 0: open */
    uint64_t before;                   /* entries below this number, 0: from the newest on */
    size_t max;                        /* of a page */
};

struct audit_row {
    uint64_t leaf;
    bool is_erased;
    struct audit_event event;
};

/* Entries, newest first; erased ones are left out. *ret_next: `before` of the next page, 0: none.
 * Looks at no more than AUDIT_SCAN_MAX entries for one page, which may thus be short. */
#define AUDIT_SCAN_MAX 65536
int audit_search(struct audit_log *log, const struct audit_query *q, struct arena *a,
                 struct audit_row **ret, size_t *ret_n, uint64_t *ret_next, struct err *err);
/* How many match on all pages. *ret_all false: only of the newest AUDIT_COUNT_MAX that come into
 * question, because that is how many are looked at. */
#define AUDIT_COUNT_MAX 262144
int audit_count(struct audit_log *log, const struct audit_query *q, uint64_t *ret, bool *ret_all,
                struct err *err);
/* ERR_NOT_FOUND; an erased one is a row that says so. */
int audit_get(struct audit_log *log, uint64_t leaf, struct arena *a, struct audit_row *ret,
              struct err *err);

/* An entry's id as an AuditEvent, and back. */
void audit_id(const struct audit_log *log, uint64_t leaf, char ret[AUDIT_ID_MAX]);
bool audit_id_parse(const struct audit_log *log, struct str id, uint64_t *ret);

/* The newest signed head (witnessed: the newest that every witness cosigned), as a note. */
int audit_head(struct audit_log *log, bool witnessed, struct sb *out, struct err *err);
/* A tlog-proof: its extra data is salt ‖ entry. Leads to the newest witnessed head if that covers
 * the entry, else to the newest signed one; ERR_BUSY while there is none yet. */
int audit_proof(struct audit_log *log, uint64_t leaf, struct sb *out, struct err *err);
/* That the tree of n leaves begins with that of m. ERR_VALUE unless m <= n <= size. */
int audit_consistency(struct audit_log *log, uint64_t m, uint64_t n, struct merkle_proof *ret,
                      struct err *err);
/* Root of the first n leaves. */
int audit_root(struct audit_log *log, uint64_t n, struct merkle_hash *ret, struct err *err);

/* ---- copies and erasing ---- */

#define AUDIT_COPY_FOLDER "audit-copy"     /* of a backup: holds a folder AUDIT_FOLDER */
#define AUDIT_BEFORE_FOLDER "audit-before" /* of a restored node: logs that ended, by name */

/* Copies the log of a data folder, which may be written meanwhile, into to_dir/audit, without the
 * signing key, and beside it the folder's carnet.keys where it has any: for reading and verifying,
 * never to go on with. 0 too where there is none. ERR_CONFLICT where to_dir has one. */
int audit_copy(const char *dir, const char *to_dir, struct err *err);
/* The same of a log that is not sealed, into a folder that gets keys of its own, made here: the
 * copy is sealed. */
int audit_copy_sealed(const char *dir, const char *to_dir, const char *key_file, struct err *err);

/* Which entries are thrown away; all that say something must hold. */
struct audit_erasure {
    const uint64_t *leaves; /* these, in order */
    size_t n;
    struct str patient;      /* those about this patient; empty: no matter who */
    const struct str *names; /* beside those, such as are about nobody: whose user is one of these,
                                or whose command has one as a word */
    size_t n_names;
    int64_t before_ms; /* those of before, 0: no matter when */
};

/* The numbers of those that are there, in order; *ret is malloc's. */
int audit_erasable(const struct audit_config *config, const struct audit_erasure *what,
                   uint64_t **ret, size_t *ret_n, struct err *err);
/* Throws salts and entries away and keeps the commitments, so that every root and proof stays good.
 * Needs the log for itself (config is that of audit_open, ERR_CONFLICT while a node has it). What
 * is named of a patient in a record that other patients share stays there. May be run again after
 * it was stopped. *ret_n: how many were erased now. */
int audit_erase(const struct audit_config *config, const struct audit_erasure *what,
                uint64_t *ret_n, struct err *err);

/* ---- verifying ---- */

/* Reads every entry of a log and holds the tree against its heads and against `heads` (checkpoints
 * that somebody kept). What does not hold goes to `say`; returns the number of problems. */
int audit_verify(const char *dir, const char *key_file, const struct str *heads, size_t n_heads,
                 void (*say)(void *ctx, const char *text), void *ctx, struct merkle_tree *ret,
                 struct err *err);

/* A proof's text by itself: that its checkpoint is signed by `log`, cosigned by at least `quorum`
 * of the witnesses, and holds the entry. Fills *ret with what the entry says. ERR_FORBIDDEN when it
 * does not hold. */
int audit_verify_proof(struct arena *a, struct str text, const struct note_key *log,
                       const struct note_key *witnesses, size_t n_witnesses, size_t quorum,
                       struct audit_row *ret, struct head *ret_head, struct err *err);

#endif
