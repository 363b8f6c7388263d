#include "http/mail.h"

#include "base/b64.h"
#include "base/clock.h"
#include "base/fault.h"

#include <curl/curl.h>
#include <string.h>

#define WORD_BYTES 42 /* of UTF-8 in an encoded word, which has 75 characters (RFC 2047) */
#define LINE_BYTES 57 /* of text in one line of base64: 76 characters (RFC 2045) */
#define ADDRESS_MAX 300

/* ---- the message ---- */

/* Words of whole characters, each in base64. */
static void write_subject(struct sb *out, struct str s)
{
    sb_lit(out, "Subject:");
    while (s.n) {
        size_t n = MIN(s.n, (size_t)WORD_BYTES);

        while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
            n--;
        sb_lit(out, " =?UTF-8?B?");
        b64_encode(out, str_head(s, n));
        sb_lit(out, "?=\r\n");
        s = str_from(s, n);
    }
}

static void write_text(struct sb *out, struct str s)
{
    while (s.n) {
        size_t n = MIN(s.n, (size_t)LINE_BYTES);

        b64_encode(out, str_head(s, n));
        sb_lit(out, "\r\n");
        s = str_from(s, n);
    }
}

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_rfind(address, '@');

    return at < 0 ? address : str_from(address, (size_t)at + 1);
}

void mail_write(struct sb *out, const struct mail *mail)
{
    char when[CLOCK_INSTANT_MAX];
    struct str domain = domain_of(mail->from);

    /* RFC 5322 writes the zone as a number; "GMT" is its obsolete form, which all must read. */
    clock_format_http(mail->when_ms, when);
    sb_fmt(out, "Date: %.*s +0000\r\n", (int)strlen(when) - 4, when);
    sb_fmt(out, "From: <%.*s>\r\nTo: <%.*s>\r\n", STR_ARG(mail->from), STR_ARG(mail->to));
    sb_fmt(out, "Message-ID: <%.*s@%.*s>\r\n", STR_ARG(mail->id), STR_ARG(domain));
    write_subject(out, mail->subject);
    sb_fmt(out,
           "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Language: %.*s\r\n"
           "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
           STR_ARG(mail->language));
    write_text(out, mail->text);
}

/* ---- sending ---- */

struct upload {
    struct str left;
    struct sb *answer;
};

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
    struct upload *up = ctx;
    size_t some = MIN(size * n, up->left.n);

    memcpy(to, up->left.p, some);
    up->left = str_from(up->left, some);
    return some;
}

/* Each line of the server's; the last but that to QUIT is the one to the message. */
static size_t heard(char *p, size_t size, size_t n, void *ctx)
{
    struct upload *up = ctx;
    struct str line = str_n(p, size * n);

    if (!str_starts(line, STR("221"))) {
        sb_reset(up->answer);
        sb_str(up->answer, str_trim(line));
    }
    return size * n;
}

static bool set_up(CURL *curl, const struct mail *mail, const char *from, struct curl_slist *to,
                   struct upload *up)
{
    bool ok =
        curl_easy_setopt(curl, CURLOPT_URL, mail->url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)MAIL_SECONDS) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_USE_SSL,
                         mail->tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_READDATA, up) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, heard) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, up) == CURLE_OK;

    if (ok && mail->user)
        ok = curl_easy_setopt(curl, CURLOPT_USERNAME, mail->user) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_PASSWORD, mail->password ? mail->password : "") ==
                 CURLE_OK;
    return ok;
}

/* A refusal is an answer, if the server gave one. */
static int outcome(CURLcode code, const struct mail *mail, const struct sb *answer, int *ret_status,
                   struct err *err)
{
    uint64_t status = 0;

    if (code == CURLE_OUT_OF_MEMORY || answer->failed)
        return err_no_memory(err);
    if (answer->n >= 3)
        str_to_u64(str_head(sb_view(answer), 3), 999, &status);
    if (code == CURLE_OK ||
        (status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
                           code == CURLE_RECV_ERROR || code == CURLE_LOGIN_DENIED))) {
        *ret_status = (int)status;
        return 0;
    }
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "%s did not answer in time", mail->url);
    return err_set(err, ERR_BUSY, "%s cannot be given mail: %s", mail->url,
                   curl_easy_strerror(code));
}

int mail_send(const struct mail *mail, int *ret_status, struct sb *answer, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(MAIL_BYTES_MAX);
    struct upload up = {.answer = answer};
    char from[ADDRESS_MAX], to[ADDRESS_MAX];
    struct curl_slist *rcpt = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    CURL *curl;
    int r;

    mail_write(&text, mail);
    if ((r = sb_ok(&text, err)) < 0)
        return r;
    up.left = sb_view(&text);
    snprintf(from, sizeof from, "<%.*s>", STR_ARG(mail->from));
    snprintf(to, sizeof to, "<%.*s>", STR_ARG(mail->to));
    curl = fault_point("curl") ? NULL : curl_easy_init();
    rcpt = curl_slist_append(NULL, to);
    if (curl && rcpt && set_up(curl, mail, from, rcpt, &up))
        code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(rcpt);
    explicit_bzero(text.p, text.n);
    return outcome(code, mail, answer, ret_status, err);
}
