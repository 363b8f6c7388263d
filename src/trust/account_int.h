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
/* What goes wrong with the store, or with what was typed or shown (`text`), as the person reads
 * it. */
void account_refuse(struct self *self, int r, enum page_text text);
/* A form of one button, whose hidden field says what about. */
void account_say_action(struct page_out *p, const char *what, const char *name, struct str value,
                        enum page_text button, struct str of);

#endif
