/* conformance.h - what a country asks of the records it receives: profiles for each resource type,
 * held on write, and a tally of what fell short.
 *
 * The policy is a text file of lines, '#' begins a comment:
 *
 *     Patient     reject  http://health.example/StructureDefinition/patient
 *     Observation warn    http://health.example/StructureDefinition/observation
 *     *           warn
 *
 * A type is held to all the profiles that its lines name, and to those that a resource claims in
 * meta.profile: `reject` refuses a write with errors, `warn` lets it pass and tells. "*" says what
 * becomes of claims on types without a line of their own. docs/decisions/0009-profiles-on-write.md
 * says why it is so.
 *
 * The tally counts, by sender and by rule: a sender is meta.source without its fragment, or the
 * agent that wrote. It is kept in the store, written every CONFORMANCE_FLUSH_MS.
 */
#ifndef API_CONFORMANCE_H
#define API_CONFORMANCE_H

#include "api/call.h"
#include "fhir/profile.h"

#define CONFORMANCE_POLICY_MAX KIB(256) /* the policy as text */
#define CONFORMANCE_LINES_MAX 2000      /* its lines that say something */
#define CONFORMANCE_SENDERS_MAX 500     /* senders told apart; the others count as one */
#define CONFORMANCE_RULES_MAX 5000      /* rules by sender told apart; the others count as one */
#define CONFORMANCE_NAME_MAX 300        /* bytes of a sender or a rule; longer ones are cut */
#define CONFORMANCE_FLUSH_MS 1000

enum conformance_mode { CONFORMANCE_OFF, CONFORMANCE_WARN, CONFORMANCE_REJECT };

struct conformance;

/* Without a policy nothing is held on write. NULL for lack of memory. */
struct conformance *conformance_new(struct store *store);
/* Writes the tally once more. */
void conformance_free(struct conformance *f);

/* Takes over the policy. ERR_VALUE names the line that does not hold. Once, before the first
 * request. */
int conformance_policy(struct conformance *f, struct str text, struct err *err);
/* Keeps the policy in the store (none: forgets the last one), for imports while no node serves. */
int conformance_remember(struct conformance *f, struct err *err);
/* Takes over the policy that is kept: 1, or 0 where there is none. */
int conformance_recall(struct conformance *f, struct err *err);
/* Reads the tally of a store, and keeps writing it. */
int conformance_start(struct conformance *f, struct err *err);

/* A profile of the policy that records cannot be held to, and why, as a predicate. */
typedef void conformance_tell(void *ctx, size_t line, struct str profile, const char *why);
/* Tells of each line whose profile is not installed, cannot be compiled, or is for another type. */
int conformance_unusable(struct conformance *f, const struct world *world, conformance_tell *tell,
                         void *ctx, struct err *err);

/* How resources of a type are held. */
enum conformance_mode conformance_mode_of(const struct conformance *f, int type);

/* The profiles in force: compiled ones, thrown away when a StructureDefinition is written. The
 * caller unrefs; NULL for lack of memory. */
struct profiles *conformance_profiles(struct conformance *f, const struct world *world);
/* On the writer's thread: a StructureDefinition was written. */
void conformance_changed(struct conformance *f);

/* Holds a valid resource to the policy, and counts. Issues are added to c->issues: under `warn`
 * errors become warnings; under `reject` they stay, for the caller to refuse. */
int conformance_check(struct conformance *f, struct call *c, int type, yyjson_val *root);

/* Counts one that was refused for its structure. */
void conformance_count(struct conformance *f, struct call *c, int type, yyjson_val *root);

/* The tally as a MeasureReport, and as a page. */
int conformance_report(struct conformance *f, struct sb *out, struct err *err);
int conformance_page(struct conformance *f, const struct world *world, struct str accept_language,
                     struct sb *out, struct err *err);

#endif
