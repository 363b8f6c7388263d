#include "server/notices.h"

#include "base/clock.h"
#include "http/client.h"
#include "http/mail.h"
#include "trust/account.h"

#include <stdio.h>

#define ANSWER_MAX KIB(64)
#define HEADER_MAX KIB(8)

static void keep(char proof[NOTIFY_PROOF_MAX], int status, struct str text)
{
    size_t n = 0;

    /* One line of what can be shown, and no half characters. */
    while (n < text.n && n < NOTIFY_PROOF_MAX - 20 && (unsigned char)text.p[n] >= ' ' &&
           (unsigned char)text.p[n] < 0x7f)
        n++;
    snprintf(proof, NOTIFY_PROOF_MAX, "%d %.*s", status, (int)n, n ? text.p : "");
}

static int send_mail(void *ctx, const struct notify_mail *m, int *ret_status,
                     char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    const struct notify_smtp *smtp = notify_smtp(((struct notices *)ctx)->notify);
    _cleanup_(sb_done) struct sb answer = sb_make(MAIL_ANSWER_MAX);
    const struct mail mail = {.url = smtp->url,
                              .user = smtp->user,
                              .password = smtp->password,
                              .tls = smtp->tls,
                              .id = m->id,
                              .from = m->from,
                              .to = m->to,
                              .language = m->language,
                              .subject = m->subject,
                              .text = m->text,
                              .when_ms = clock_now_ms()};
    struct str said;
    int r = mail_send(&mail, ret_status, &answer, err);

    if (r < 0)
        return r;
    said = sb_view(&answer);
    keep(proof, *ret_status, str_from(said, MIN(said.n, (size_t)4)));
    return 0;
}

static int send_post(void *ctx, const struct notify_post *p, int *ret_status,
                     char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    _cleanup_(sb_done) struct sb answer = sb_make(ANSWER_MAX);
    char key[200], authorization[HEADER_MAX], signature[200];
    const char *headers[4];
    size_t n = 0;
    struct http_client_request req = {
        .url = p->url, .content_type = "application/json", .body = p->body, .headers = headers};
    int r;

    (void)ctx;
    snprintf(key, sizeof key, "Idempotency-Key: %.*s", STR_ARG(p->id));
    headers[n++] = key;
    if (p->authorization.n) {
        snprintf(authorization, sizeof authorization, "Authorization: %.*s",
                 STR_ARG(p->authorization));
        headers[n++] = authorization;
    }
    if (p->signature.n) {
        snprintf(signature, sizeof signature, "Carnet-Signature: sha256=%.*s",
                 STR_ARG(p->signature));
        headers[n++] = signature;
    }
    headers[n] = NULL;
    r = http_client(&req, ret_status, &answer, err);
    if (r >= 0)
        keep(proof, *ret_status, sb_view(&answer));
    return r;
}

/* ---- of accounts ---- */

static int tell(void *ctx, struct store_txn *txn, enum trust_told what,
                const struct account *account, struct str secret, struct err *err)
{
    static const enum notice_kind kinds[] = {
        [TOLD_RESET] = NOTICE_RESET,       [TOLD_PASSWORD] = NOTICE_PASSWORD,
        [TOLD_RECOVERY] = NOTICE_RECOVERY, [TOLD_PLACE] = NOTICE_PLACE,
        [TOLD_WAYS] = NOTICE_WAYS,         [TOLD_CLOSED] = NOTICE_CLOSED};
    struct notices *n = ctx;
    char owner[NOTIFY_OWNER_MAX];
    struct notice notice = {.kind = kinds[what], .secret = secret, .when_ms = clock_now_ms()};

    snprintf(owner, sizeof owner, "account/%.*s", STR_ARG(account->id));
    notice.owner = str_c(owner);
    return notify_about(n->notify, txn, account->fhir_user, &notice, err);
}

static void wake(void *ctx)
{
    notify_wake(((struct notices *)ctx)->notify);
}

int notices_start(struct notices *n, struct store *store, const char *path, struct str link,
                  struct err *err)
{
    _cleanup_(sb_done) struct sb config = sb_make(NOTIFY_CONFIG_MAX);
    struct access node = trust_system();
    int r = path ? sb_load(&config, path, err) : 0;

    n->wires = (struct notify_wires){.ctx = n, .mail = send_mail, .post = send_post};
    n->teller = (struct trust_teller){.ctx = n, .tell = tell, .wake = wake};
    if (r >= 0)
        r = notify_new(store, &node, path ? sb_view(&config) : STR_NULL, link, &n->wires,
                       &n->notify, err);
    return r < 0 ? r : notify_start(n->notify, err);
}

void notices_stop(struct notices *n)
{
    notify_free(n->notify);
    n->notify = NULL;
}
