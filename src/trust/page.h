/* page.h - the pages of signing in: plain HTML, whole without JavaScript, in six languages.
 *
 * Every text is a row of PAGE_TEXTS (page_text.c has the words). Pages may be framed by nobody,
 * load nothing but the script for passkeys where there are some, and send their forms to this node
 * alone (and, where a form's answer leads back to an app, there: browsers hold redirects to
 * form-action as well).
 */
#ifndef TRUST_PAGE_H
#define TRUST_PAGE_H

#include "trust/oauth_int.h"

#define PAGE_BYTES_MAX KIB(192)

/*    id                  what it is for */
#define PAGE_TEXTS(X)                                                                              \
    X(TEXT_SIGN_IN)                                                                                \
    X(TEXT_LOGIN)                                                                                  \
    X(TEXT_PASSWORD)                                                                               \
    X(TEXT_CONTINUE)                                                                               \
    X(TEXT_CODE)                                                                                   \
    X(TEXT_CODE_HELP)                                                                              \
    X(TEXT_PICK)                                                                                   \
    X(TEXT_PICK_HELP)                                                                              \
    X(TEXT_FIND)                                                                                   \
    X(TEXT_NOBODY)                                                                                 \
    X(TEXT_BORN)                                                                                   \
    X(TEXT_CHOOSE)                                                                                 \
    X(TEXT_APPROVE)                                                                                \
    X(TEXT_ASKS)                                                                                   \
    X(TEXT_FOR)                                                                                    \
    X(TEXT_ALLOW)                                                                                  \
    X(TEXT_DENY)                                                                                   \
    X(TEXT_READ)                                                                                   \
    X(TEXT_CHANGE)                                                                                 \
    X(TEXT_EVERYTHING)                                                                             \
    X(TEXT_ONLY)                                                                                   \
    X(TEXT_OFFLINE)                                                                                \
    X(TEXT_WHO)                                                                                    \
    X(TEXT_SETUP)                                                                                  \
    X(TEXT_SECRET)                                                                                 \
    X(TEXT_NEW_PASSWORD)                                                                           \
    X(TEXT_PASSWORD_HELP)                                                                          \
    X(TEXT_SET)                                                                                    \
    X(TEXT_DONE)                                                                                   \
    X(TEXT_DONE_HELP)                                                                              \
    X(TEXT_FORGOT)                                                                                 \
    X(TEXT_FORGOT_HELP)                                                                            \
    X(TEXT_FORGOT_DONE)                                                                            \
    X(TEXT_EID_WITH)                                                                               \
    X(TEXT_EID_AWAY)                                                                               \
    X(TEXT_EID_WRONG)                                                                              \
    X(TEXT_EID_REFUSED)                                                                            \
    X(TEXT_EID_WEAK)                                                                               \
    X(TEXT_EID_NOBODY)                                                                             \
    X(TEXT_EID_OTHER)                                                                              \
    X(TEXT_EID_GO)                                                                                 \
    X(TEXT_ACCOUNT)                                                                                \
    X(TEXT_ACCOUNT_NONE)                                                                           \
    X(TEXT_ACCOUNT_OLD)                                                                            \
    X(TEXT_ACCOUNT_EID)                                                                            \
    X(TEXT_CONNECT)                                                                                \
    X(TEXT_DISCONNECT)                                                                             \
    X(TEXT_CODES)                                                                                  \
    X(TEXT_CODES_ON)                                                                               \
    X(TEXT_CODES_OFF)                                                                              \
    X(TEXT_CODES_BEGIN)                                                                            \
    X(TEXT_CODES_KEY)                                                                              \
    X(TEXT_CODES_OPEN)                                                                             \
    X(TEXT_CODES_END)                                                                              \
    X(TEXT_PASSKEYS)                                                                               \
    X(TEXT_PASSKEYS_HELP)                                                                          \
    X(TEXT_PASSKEY_MAKE)                                                                           \
    X(TEXT_PASSKEY_END)                                                                            \
    X(TEXT_PASSKEY_USE)                                                                            \
    X(TEXT_PASSKEY_NOT)                                                                            \
    X(TEXT_RECOVERY)                                                                               \
    X(TEXT_RECOVERY_HELP)                                                                          \
    X(TEXT_APPS)                                                                                   \
    X(TEXT_APP_END)                                                                                \
    X(TEXT_SESSIONS)                                                                               \
    X(TEXT_SESSION_END)                                                                            \
    X(TEXT_EVERYWHERE)                                                                             \
    X(TEXT_EVERYWHERE_HELP)                                                                        \
    X(TEXT_LEAVE)                                                                                  \
    X(TEXT_LEFT)                                                                                   \
    X(TEXT_LEAVE_THERE)                                                                            \
    X(TEXT_CLOSE)                                                                                  \
    X(TEXT_CLOSE_HELP)                                                                             \
    X(TEXT_CLOSE_CODE)                                                                             \
    X(TEXT_CLOSED)                                                                                 \
    X(TEXT_CLOSED_HELP)                                                                            \
    X(TEXT_WRONG_PASSWORD)                                                                         \
    X(TEXT_WRONG_CODE)                                                                             \
    X(TEXT_WAIT)                                                                                   \
    X(TEXT_WRONG_SECRET)                                                                           \
    X(TEXT_WEAK_PASSWORD)                                                                          \
    X(TEXT_ERROR)                                                                                  \
    X(TEXT_ERROR_HELP)                                                                             \
    X(TEXT_ENDED)

enum page_text {
#define X(id) id,
    PAGE_TEXTS(X)
#undef X
        PAGE_TEXT_COUNT
};

/*    language, written from the right */
#define PAGE_LANGUAGES(X)                                                                          \
    X(en, false)                                                                                   \
    X(ar, true)                                                                                    \
    X(zh, false)                                                                                   \
    X(fr, false)                                                                                   \
    X(ru, false)                                                                                   \
    X(es, false)

enum page_language {
#define X(name, rtl) PAGE_##name,
    PAGE_LANGUAGES(X)
#undef X
        PAGE_LANGUAGE_COUNT
};

struct str page_say(enum page_language language, enum page_text text);
/* The first of a list ("fr-CH, fr;q=0.9" or "fr en") that there is; English where none is. */
enum page_language page_language(struct str locales, struct str accept_language);

struct page_out {
    struct oauth *o;
    struct sb *out; /* the reply's body */
    enum page_language language;
    bool has_script; /* /auth/passkey.js, which adds to what is there */
};

/* Head and heading; `title` is a text of the table. */
void page_begin(struct page_out *p, struct oauth *o, struct str locales, enum page_text title);
void page_text(struct page_out *p, enum page_text text); /* escaped, as it stands */
void page_paragraph(struct page_out *p, enum page_text text);
void page_link(struct page_out *p, const char *path, enum page_text text);
/* A link that looks like a button: text and name. */
void page_go(struct page_out *p, struct str url, enum page_text text, struct str name);
void page_heading(struct page_out *p, enum page_text text);
void page_problem(struct page_out *p, enum page_text text); /* announced to screen readers */
/* A form to /auth/step with its hidden fields; page_form_end closes it. */
void page_form(struct page_out *p, const char *action, struct str at, const char *what);
void page_hidden(struct page_out *p, const char *name, struct str value);
void page_field(struct page_out *p, const char *name, enum page_text label, const char *type,
                const char *autocomplete, enum page_text help);
void page_button(struct page_out *p, const char *name, const char *value, enum page_text label);
void page_form_end(struct page_out *p);
/* Sends it. `redirect`: where its form's answer may lead, besides here; or .p NULL. */
void page_end(struct page_out *p, int status, struct str redirect);

/* No field's help. */
#define PAGE_NO_HELP PAGE_TEXT_COUNT

#endif
