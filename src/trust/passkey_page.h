/* passkey_page.h - passkeys on the node's pages: forms that a script (/auth/passkey.js) shows and
 * fills in where the browser has passkeys. Without it everything else works as without passkeys.
 */
#ifndef TRUST_PASSKEY_PAGE_H
#define TRUST_PASSKEY_PAGE_H

#include "trust/account_int.h"
#include "trust/authorize.h"

struct str passkey_script(void);

/* The button that signs in with a passkey, on the page of a pending request; nothing where no
 * passkeys can be used. */
void passkey_say_use(struct page_out *p, const struct asked *asked, struct str at);

/* The part of /auth/account, and what is done there. */
void passkey_say_all(struct page_out *p, const struct account *account);
void passkey_begin(struct self *self);
void passkey_make(struct self *self);
void passkey_end(struct self *self);

#endif
