/* account_int.h - what the files of /auth/account share. */
#ifndef TRUST_ACCOUNT_INT_H
#define TRUST_ACCOUNT_INT_H

#include "trust/browser.h"
#include "trust/page.h"

/* Who does something with their own account. */
struct self {
    struct oauth *o;
    struct session session;
    struct account account;
    char codes[RECOVERY_CODES][RECOVERY_CODE_MAX];
};

/* The person's own page; PAGE_TEXT_COUNT: no problem. */
void account_page(struct oauth *o, enum page_text problem);
/* Whose browser it is: false where nobody signed in. Whoever sits down at a browser that was left
 * must not change how one signs in: account_is_recent says whether they signed in just now. */
bool account_is_there(struct oauth *o, struct session *session, struct account *ret);
bool account_is_recent(const struct oauth *o, const struct session *session);
/* What goes wrong with the store, or with what was typed or shown (`text`), as the person reads
 * it. */
void account_refuse(struct self *self, int r, enum page_text text);
/* account_out.c: browsers and apps, and the end of one. */
void out_say(struct page_out *p, const struct account *account);
void out_end_session(struct self *self);
void out_end_app(struct self *self);
/* Inside the job that changes how one signs in: tells them; trust_told once that is committed. */
int account_tell(struct self *self, struct store_txn *txn, struct err *err);
/* A form of one button, whose hidden field says what about. */
void account_say_action(struct page_out *p, const char *what, const char *name, struct str value,
                        enum page_text button, struct str of);

#endif
