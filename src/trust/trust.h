/* trust.h - the one place that makes a struct access.
 *
 * Until accounts and authorisation exist there are three: open (everyone who can reach a loopback
 * socket of a node started with --open), system (the node's own upkeep) and job (background work
 * and the operator's command line).
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include "store/access.h"

struct access trust_open(void);
struct access trust_system(void);
/* `name` names the job and must outlive the access. */
struct access trust_job(struct str name);

#endif
