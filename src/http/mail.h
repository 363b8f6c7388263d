/* mail.h - one message to a mail server (SMTP, RFC 5321, by libcurl): text/plain in UTF-8, to one
 * recipient. Blocks.
 */
#ifndef HTTP_MAIL_H
#define HTTP_MAIL_H

#include "base/err.h"
#include "base/sb.h"

#define MAIL_SECONDS 60
#define MAIL_BYTES_MAX KIB(64)
#define MAIL_ANSWER_MAX KIB(16)

struct mail {
    const char *url;             /* smtp://host:port or smtps://host */
    const char *user, *password; /* NULL: nobody signs in */
    bool tls;                    /* required; else it is used where the server has it */
    struct str id;               /* unique: the message's id, before the sender's domain */
    struct str from, to;         /* addresses alone: no names, no blanks, no line ends */
    struct str language, subject, text;
    int64_t when_ms;
};

/* *ret_status: of the server's last answer to the message (250: it took it); its text in `answer`.
 * ERR_TIMEOUT or ERR_BUSY when nobody answered. */
int mail_send(const struct mail *mail, int *ret_status, struct sb *answer, struct err *err);

/* Appends the message as it is sent: headers, a blank line, the text in base64. */
void mail_write(struct sb *out, const struct mail *mail);

#endif
