/* notify.h - notices to people: written with what causes them, delivered behind it, and proved.
 *
 * A notice is put into the outbox inside the job that causes it: both are durable, or neither. A
 * thread takes what is due and hands it to the wires (mail, an SMS gateway, a webhook), again with
 * longer and longer waits while it fails, and writes down how it ended: what the other side said,
 * and when. At least once: a node that dies between sending and writing sends again, with the same
 * id. Nothing clinical stands in a notice: it says that something happened and where to look.
 *
 * Records: docs/formats/notify.md.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/js.h"
#include "store/store.h"

#define NOTIFY_CONFIG_MAX KIB(64)
#define NOTIFY_ADDRESS_MAX 254 /* bytes of a mail address (RFC 5321) */
#define NOTIFY_PHONE_MAX 20
#define NOTIFY_OWNER_MAX 80
#define NOTIFY_KEPT_MAX 200    /* notices of one person; the oldest give way */
#define NOTIFY_ATTEMPTS_MAX 14 /* about two days */
#define NOTIFY_WAIT_FIRST_MS INT64_C(30000)
#define NOTIFY_WAIT_MAX_MS INT64_C(21600000)
#define NOTIFY_PROOF_MAX 600 /* of what the other side said */

/*    kind             code         what happened */
#define NOTICES(X)                                                                                 \
    X(NOTICE_GLASS, "break-glass") /* emergency access to one's record */                          \
    X(NOTICE_CHECK_IN, "check-in") /* one was said to be there, and came into somebody's care */   \
    X(NOTICE_RESET, "reset")       /* one asked to set a new password: with a secret */            \
    X(NOTICE_PASSWORD, "password") /* the password was set */                                      \
    X(NOTICE_RECOVERY, "recovery") /* a recovery code was used to sign in */                       \
    X(NOTICE_PLACE, "sign-in")     /* one signed in where one had not before */                    \
    X(NOTICE_WAYS, "account-change") /* a way to sign in was added or removed */                  \
    X(NOTICE_CLOSED, "closed")     /* the account was closed by its person */                      \
    X(NOTICE_CORRECTION, "correction") /* what one asked to correct was decided */                 \
    X(NOTICE_SIGNAL, "signal")     /* surveillance raised a signal */

enum notice_kind {
#define X(kind, code) kind,
    NOTICES(X)
#undef X
        NOTICE_KIND_COUNT
};

/*    language */
#define NOTIFY_LANGUAGES(X) X(en) X(ar) X(zh) X(fr) X(ru) X(es)

enum notify_language {
#define X(name) NOTIFY_##name,
    NOTIFY_LANGUAGES(X)
#undef X
        NOTIFY_LANGUAGE_COUNT
};

/*    channel             code */
#define NOTIFY_CHANNELS(X)                                                                         \
    X(CHANNEL_NONE, "none") /* there was no way to tell them */                                    \
    X(CHANNEL_MAIL, "email")                                                                       \
    X(CHANNEL_SMS, "sms")                                                                          \
    X(CHANNEL_WEBHOOK, "webhook")

enum notify_channel {
#define X(channel, code) channel,
    NOTIFY_CHANNELS(X)
#undef X
        NOTIFY_CHANNEL_COUNT
};

/* Where somebody is reached; empty: not known. */
struct notice_contact {
    struct str email, phone;
    enum notify_language language;
};

struct notice {
    enum notice_kind kind;
    struct str owner; /* whose: "Patient/1", "account/UUID" */
    struct notice_contact to;
    struct str secret; /* of NOTICE_RESET; forgotten once it is sent */
    int64_t when_ms;   /* of what happened */
};

/* What a record says. Texts live where they were read. */
struct notice_record {
    struct str id, owner, kind, language, channel, to, state, proof, secret;
    int64_t made_ms, when_ms, sent_ms;
    uint64_t attempts;
};

/* ---- what carries: server/ implements it, tests do as well. Both block. ---- */

struct notify_mail {
    struct str id, from, to, language, subject, text;
};
struct notify_post {
    const char *url;
    struct str id, body;
    struct str authorization; /* empty: none */
    struct str signature;     /* hexadecimal HMAC-SHA-256 of the body; empty: none */
};
/* *ret_status: the SMTP or HTTP code. 0 with what was answered in `proof`, or negative where nobody
 * answered. */
struct notify_wires {
    void *ctx;
    int (*mail)(void *ctx, const struct notify_mail *mail, int *ret_status,
                char proof[NOTIFY_PROOF_MAX], struct err *err);
    int (*post)(void *ctx, const struct notify_post *post, int *ret_status,
                char proof[NOTIFY_PROOF_MAX], struct err *err);
};

/* ---- the outbox ---- */

struct notify;

/* `config`: JSON (docs/formats/notify.md), .p NULL: nothing is sent, records are kept all the same.
 * ERR_VALUE says what does not hold. `node` is the node's own access, `link` is where people look.
 * The store and the wires must outlive it; texts are copied. */
int notify_new(struct store *store, const struct access *node, struct str config, struct str link,
               const struct notify_wires *wires, struct notify **ret, struct err *err);
/* Ends the thread first, after what it is sending. */
void notify_free(struct notify *n);
/* Begins to deliver. */
int notify_start(struct notify *n, struct err *err);
/* What mail needs to be sent, as the configuration says; NULL: none. */
const struct notify_smtp {
    const char *url, *user, *password;
    bool tls; /* required, not just tried */
} * notify_smtp(const struct notify *n);

/* Inside a job of the node's own. One record for each way that there is to reach them. */
int notify_put(const struct notify *n, struct store_txn *txn, const struct notice *notice,
               struct err *err);
/* The same, to whoever a resource "Type/id" is about, at the address that it names; where it is not
 * there, nobody is reached. */
int notify_about(const struct notify *n, struct store_txn *txn, struct str resource,
                 const struct notice *notice, struct err *err);
/* Once the job is committed: what is due goes out now. */
void notify_wake(struct notify *n);
/* Sends what is due, in the caller's thread: how many were tried, or negative. */
int notify_deliver(struct notify *n, int64_t now_ms, struct err *err);

/* Somebody's records, the newest first: at most NOTIFY_KEPT_MAX. Texts and list live in `a`. */
int notify_of(struct store_txn *txn, struct str owner, struct arena *a, struct notice_record **ret,
              size_t *ret_n, struct err *err);

/* Inside a job of the node's own: drops all of somebody's, sent or not. */
int notify_forget(struct store_txn *txn, struct str owner, struct err *err);

/* ---- text.c, contact.c; pure ---- */

const char *notify_language_name(enum notify_language language);
/* "fr-CH" is fr; false where there is none. */
bool notify_language_of(struct str tag, enum notify_language *ret);
/* Subject and text of a notice, `secret` and all. */
void notify_subject(struct sb *out, enum notice_kind kind, enum notify_language language);
void notify_text(struct sb *out, enum notice_kind kind, enum notify_language language,
                 int64_t when_ms, struct str link, struct str secret);
/* How a Patient or Practitioner is reached; `fallback` is the language of those who name none. */
int notify_contact(struct arena *a, yyjson_val *resource, enum notify_language fallback,
                   struct notice_contact *ret, struct err *err);
enum notify_language notify_fallback(const struct notify *n);

#endif
