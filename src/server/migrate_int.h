/* migrate_int.h - the inside of migrate.h: versions in migrate.c, all else in migrate_values.c. */
#ifndef SERVER_MIGRATE_INT_H
#define SERVER_MIGRATE_INT_H

#include "server/migrate.h"
#include "trust/trust.h"

/* No error: a batch has enough. Below every code of enum err_code. */
#define MIGRATE_ENOUGH (-100000)

struct migrate {
    const struct migrate_config *config;
    migrate_progress *progress;
    void *ctx;
    struct migrate_result *result;
    struct access who;
    struct store *from, *to;
    struct params *params; /* the source's, with its users' parameters */
    struct arena a;        /* of one batch */
    struct sb scratch;
    uint64_t at, goal; /* versions up to here are there, are to be there */
};

/* What has been hashed so far. */
struct migrate_sum {
    unsigned char hash[SHA256_BYTES];
    uint64_t versions, resources;
};

void migrate_show(struct migrate *m, enum migrate_phase phase, uint64_t done, uint64_t all);
/* The keys of a version's body, in m->a. */
int migrate_index(struct migrate *m, const struct row *row, struct index **ret, struct err *err);
/* Small and large values: what the target has instead goes. */
int migrate_copy_values(struct migrate *m, struct err *err);
/* Before the target is made: its folder's keys, where the source's has any. */
int migrate_copy_keys(struct migrate *m, struct err *err);
/* The files of the audit log, where one folder's node becomes another's; who was erased. */
int migrate_copy_audit(struct migrate *m, struct err *err);
int migrate_copy_erased(struct migrate *m, struct err *err);

int migrate_sum_version(struct migrate_sum *sum, const struct adoption *of, struct err *err);
int migrate_sum_values(struct migrate *m, struct store *store, struct migrate_sum *sum,
                       struct err *err);
void migrate_sum_text(const struct migrate_sum *sum, char ret[2 * SHA256_BYTES + 1]);

#endif
