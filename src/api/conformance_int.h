/* conformance_int.h - the policy and the tally: what their parts share. */
#ifndef API_CONFORMANCE_INT_H
#define API_CONFORMANCE_INT_H

#include "api/conformance.h"

#include <pthread.h>

#define TALLY_BUCKETS 1024

struct policy_line {
    int type;
    size_t number;      /* in the text, from 1 */
    struct str profile; /* within the text */
};

struct policy {
    struct str text; /* its own */
    struct policy_line lines[CONFORMANCE_LINES_MAX];
    size_t n_lines;
    unsigned char modes[DEF_RESOURCE_MAX + 1]; /* enum conformance_mode; 0: of claims elsewhere */
    bool has_mode[DEF_RESOURCE_MAX + 1];
};

/* Once, into an empty one. ERR_VALUE names the line that does not hold. */
int policy_read(struct policy *p, struct str text, struct err *err);
void policy_done(struct policy *p);
enum conformance_mode policy_mode_of(const struct policy *p, int type);

/* A line of the tally. rule.n == 0: the sender's resources of a type, all in all. */
struct tally_row {
    struct str sender, type, profile, rule;
    uint64_t received; /* of the whole: resources; of a rule: those that fell short of it */
    uint64_t short_of, refused;
    const struct tally_row *whole; /* of a rule: its sender's row; NULL: among the others */
    struct tally_row *next;        /* in its bucket */
    struct tally_row *behind;      /* in the order they came */
};

struct tally {
    pthread_mutex_t lock;
    struct arena arena;
    struct tally_row *buckets[TALLY_BUCKETS];
    struct tally_row *first, *last;
    size_t n_senders, n_rules;
    int64_t since_ms; /* of the first that was counted; 0: nothing was */
};

void tally_init(struct tally *t);
void tally_done(struct tally *t);
/* One resource received, with what it fell short of. */
void tally_count(struct tally *t, struct str sender, struct str type, const struct issues *issues,
                 bool is_refused);
/* Counts of `from` on top of those of `to`. Other threads may count in neither meanwhile. */
int tally_add(struct tally *to, const struct tally *from, struct err *err);
/* Takes all that was counted so far; what is counted from here on begins at nothing. *ret is not
 * initialised before. 0: nothing was. */
bool tally_take(struct tally *t, struct tally *ret);
/* The text that the store keeps (docs/formats/conformance-tally.md), and back. */
void tally_write(struct tally *t, struct sb *out);
int tally_read(struct tally *t, struct str text, struct err *err);
/* conformance_report.c */
void tally_report(struct tally *t, struct sb *out);

/* conformance_page.c */
enum conformance_language { CONFORMANCE_ENGLISH, CONFORMANCE_FRENCH };
enum conformance_language conformance_language(struct str accept);
/* `unusable`: items of a list in HTML, of profiles that cannot be held to; may be empty. */
int tally_page(struct tally *t, struct str unusable, enum conformance_language language,
               struct sb *out, struct err *err);

#endif
