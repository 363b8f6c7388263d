/* send.c - a record becomes a message of its channel. */
#include "notify/notify_int.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TEXT_MAX KIB(4)
#define BODY_MAX KIB(16)

static enum notice_kind kind_of(const struct notice_record *rec)
{
    static const char *const codes[] = {
#define X(kind, code) code,
        NOTICES(X)
#undef X
    };
    size_t i = 0;

    while (i < NOTICE_KIND_COUNT && !str_eq(rec->kind, str_c(codes[i])))
        i++;
    return (enum notice_kind)i;
}

struct message {
    struct sb subject, text, body, signature;
};

static void message_done(struct message *m)
{
    if (m->text.p)
        explicit_bzero(m->text.p, m->text.n);
    if (m->body.p)
        explicit_bzero(m->body.p, m->body.n);
    sb_done(&m->subject);
    sb_done(&m->text);
    sb_done(&m->body);
    sb_done(&m->signature);
}

static void sign(struct sb *out, struct str secret, struct str body)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!secret.n)
        return;
    if (!HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)body.p, body.n, mac,
              &n))
        out->failed = true;
    for (unsigned i = 0; i < n; i++)
        sb_fmt(out, "%02x", mac[i]);
}

/* A gateway gets the number and the text; a webhook what happened, to whom, and the words. */
static void write_body(const struct notice_record *rec, bool is_sms, struct message *m)
{
    struct sb *out = &m->body;

    sb_lit(out, "{\"id\":");
    sb_json(out, rec->id);
    if (is_sms) {
        sb_lit(out, ",\"to\":");
        sb_json(out, rec->to);
    } else {
        sb_lit(out, ",\"kind\":");
        sb_json(out, rec->kind);
        sb_lit(out, ",\"owner\":");
        sb_json(out, rec->owner);
        sb_lit(out, ",\"subject\":");
        sb_json(out, sb_view(&m->subject));
    }
    sb_lit(out, ",\"language\":");
    sb_json(out, rec->language);
    sb_lit(out, ",\"text\":");
    sb_json(out, sb_view(&m->text));
    sb_char(out, '}');
}

static int post(struct notify *n, const struct notice_record *rec, bool is_sms, struct message *m,
                int *ret_status, char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    const struct notify_hook *hook = is_sms ? &n->sms : &n->webhook;
    struct notify_post p = {.url = hook->url, .id = rec->id, .authorization = STR("")};

    write_body(rec, is_sms, m);
    if (is_sms)
        p.authorization = hook->secret;
    else
        sign(&m->signature, hook->secret, sb_view(&m->body));
    if (m->body.failed || m->signature.failed)
        return err_no_memory(err);
    p.body = sb_view(&m->body);
    p.signature = sb_view(&m->signature);
    return n->wires->post(n->wires->ctx, &p, ret_status, proof, err);
}

static int mail(struct notify *n, const struct notice_record *rec, struct message *m,
                int *ret_status, char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    const struct notify_mail mail = {.id = rec->id,
                                     .from = n->from,
                                     .to = rec->to,
                                     .language = rec->language,
                                     .subject = sb_view(&m->subject),
                                     .text = sb_view(&m->text)};

    return n->wires->mail(n->wires->ctx, &mail, ret_status, proof, err);
}

/* What another time will not change: an SMTP code of 5xx, an HTTP code of 4xx but for those that
 * ask for patience. */
static bool is_final(bool is_mail, int status)
{
    if (is_mail)
        return status >= 500;
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

int notice_send(struct notify *n, const struct notice_record *rec, char proof[NOTIFY_PROOF_MAX])
{
    struct message m = {sb_make(TEXT_MAX), sb_make(TEXT_MAX), sb_make(BODY_MAX), sb_make(KIB(1))};
    bool is_mail = str_eq(rec->channel, STR("email")), is_sms = str_eq(rec->channel, STR("sms"));
    enum notice_kind kind = kind_of(rec);
    enum notify_language language = n->language;
    struct err err = {0};
    int status = 0, r;

    if (kind == NOTICE_KIND_COUNT || !(is_mail  ? n->smtp.url
                                       : is_sms ? n->sms.url
                                                : n->webhook.url)) {
        snprintf(proof, NOTIFY_PROOF_MAX, "nothing is configured that carries it");
        message_done(&m);
        return 0;
    }
    notify_language_of(rec->language, &language);
    notify_subject(&m.subject, kind, language);
    notify_text(&m.text, kind, language, rec->when_ms, n->link, rec->secret);
    if (m.subject.failed || m.text.failed)
        r = err_no_memory(&err);
    else if (is_mail)
        r = mail(n, rec, &m, &status, proof, &err);
    else
        r = post(n, rec, is_sms, &m, &status, proof, &err);
    message_done(&m);
    if (r < 0) {
        snprintf(proof, NOTIFY_PROOF_MAX, "%s", err.text);
        return 0;
    }
    if (status >= 200 && status < 300)
        return 1;
    return is_final(is_mail, status) ? -1 : 0;
}
