/* audit.c - the audit log's durable append beside a bare one: as many clients, each of which waits
 * for its entry to be durable before it makes the next.
 *
 *     audit FOLDER [CLIENTS [SECONDS [PAIRS]]]
 *
 * The limit is what the same entries cost without a log: one thread takes what is queued, writes it
 * behind one another with one pwrite, makes it durable with one fdatasync, wakes everyone. No tree,
 * no salts, no index, no heads. Both run in turn in the same folder, several times.
 */
#include "trust/audit/audit.h"

#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define PAIRS_MAX 99
#define TIMES_MAX 4000000

static struct str patient = STR("0191a0a0-0000-7000-8000-000000000001");
static unsigned n_clients = 256, seconds = 3, pairs = 5;
static int64_t until_us;

/* ---- the bare append ---- */

struct bare_job {
    struct bare_job *next;
    struct str bytes;
    pthread_mutex_t lock; /* its own, so that nobody else is woken */
    pthread_cond_t changed;
    bool done;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t queued;
    struct bare_job *first, *last;
    bool stop;
    int fd;
    uint64_t end;
} bare = {.lock = PTHREAD_MUTEX_INITIALIZER, .queued = PTHREAD_COND_INITIALIZER};

static void *bare_run(void *ctx)
{
    struct sb batch = sb_make(MIB(16));

    (void)ctx;
    for (;;) {
        struct bare_job *jobs, *job, *next;

        pthread_mutex_lock(&bare.lock);
        while (!bare.first && !bare.stop)
            pthread_cond_wait(&bare.queued, &bare.lock);
        jobs = bare.first;
        bare.first = bare.last = NULL;
        pthread_mutex_unlock(&bare.lock);
        if (!jobs)
            break;
        sb_reset(&batch);
        for (job = jobs; job; job = job->next)
            sb_str(&batch, job->bytes);
        if (pwrite(bare.fd, batch.p, batch.n, (off_t)bare.end) != (ssize_t)batch.n ||
            fdatasync(bare.fd) < 0) {
            perror("the bare append");
            exit(1);
        }
        bare.end += batch.n;
        for (job = jobs; job; job = next) {
            next = job->next;
            pthread_mutex_lock(&job->lock);
            job->done = true;
            pthread_cond_signal(&job->changed);
            pthread_mutex_unlock(&job->lock);
        }
    }
    sb_done(&batch);
    return NULL;
}

static void bare_append(struct str bytes)
{
    struct bare_job job = {
        .bytes = bytes, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&bare.lock);
    if (bare.last)
        bare.last->next = &job;
    else
        bare.first = &job;
    bare.last = &job;
    pthread_cond_signal(&bare.queued);
    pthread_mutex_unlock(&bare.lock);
    pthread_mutex_lock(&job.lock);
    while (!job.done)
        pthread_cond_wait(&job.changed, &job.lock);
    pthread_mutex_unlock(&job.lock);
}

/* ---- clients ---- */

struct client {
    struct audit_log *log; /* NULL: bare */
    uint64_t n;
    uint32_t *times_us;
    size_t times_max;
};

static void event_of(struct audit_event *e, uint64_t n)
{
    static _Thread_local char id[20];

    snprintf(id, sizeof id, "%016llx", (unsigned long long)n * 0x9e3779b97f4a7c15ULL);
    *e = (struct audit_event){.when_ms = clock_now_ms(),
                              .interaction = AUDIT_READ,
                              .status = 200,
                              .user = STR("https://id.example|9b0f6c1e-77aa"),
                              .client = STR("clinic-app"),
                              .address = STR("192.0.2.7"),
                              .request_id = str_c(id),
                              .purpose = STR("TREAT"),
                              .type = STR("Observation"),
                              .id = STR("0191a0a0-1111-7000-8000-000000000002"),
                              .version = STR("038grkgmjp00g15s0qk9m")};
}

static void append_one(struct client *c, struct arena *a)
{
    struct audit_append append;
    struct audit_event event;
    struct sb bytes = sb_make(KIB(4));
    struct err err = {0};

    event_of(&event, c->n);
    if (!c->log) {
        audit_entry_head(&bytes, &event);
        audit_entry_tail(&bytes, patient);
        bare_append(sb_view(&bytes));
        sb_done(&bytes);
        return;
    }
    arena_reset(a);
    if (audit_prepare(a, &event, &patient, 1, &append, &err) < 0 ||
        audit_write(c->log, &append, &err) < 0) {
        fprintf(stderr, "append: %s\n", err.text);
        exit(1);
    }
}

static void *client_run(void *ctx)
{
    struct client *c = ctx;
    struct arena a;

    arena_init(&a, MIB(1));
    for (int64_t now = clock_mono_us(); now < until_us;) {
        int64_t began = now;

        append_one(c, &a);
        now = clock_mono_us();
        if (c->n < c->times_max)
            c->times_us[c->n] = (uint32_t)(now - began);
        c->n++;
    }
    arena_done(&a);
    return NULL;
}

struct result {
    double rate, cpu_us; /* appends a second, processor time of one */
    uint32_t p50_us, p99_us;
    uint64_t n;
};

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct result run_clients(struct audit_log *log)
{
    static struct client clients[CLIENTS_MAX];
    static pthread_t threads[CLIENTS_MAX];
    static uint32_t times[TIMES_MAX];
    size_t each = TIMES_MAX / n_clients, n = 0;
    int64_t began = clock_mono_us();
    double cpu = cpu_seconds();
    struct result r = {.n = 0};

    until_us = began + seconds * INT64_C(1000000);
    for (unsigned i = 0; i < n_clients; i++) {
        clients[i] = (struct client){.log = log, .times_us = times + i * each, .times_max = each};
        if (pthread_create(&threads[i], NULL, client_run, &clients[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < n_clients; i++) {
        size_t some;

        pthread_join(threads[i], NULL);
        r.n += clients[i].n;
        some = MIN((size_t)clients[i].n, each);
        memmove(times + n, clients[i].times_us, some * sizeof *times);
        n += some;
    }
    r.rate = (double)r.n / ((double)(clock_mono_us() - began) / 1e6);
    r.cpu_us = (cpu_seconds() - cpu) / (double)r.n * 1e6;
    qsort(times, n, sizeof *times, compare);
    r.p50_us = n ? times[n / 2] : 0;
    r.p99_us = n ? times[n * 99 / 100] : 0;
    return r;
}

/* ---- a pair ---- */

static struct result run_bare(const char *dir)
{
    char path[4096];
    struct result r;
    pthread_t thread;

    snprintf(path, sizeof path, "%s/bare", dir);
    bare.fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    bare.end = 0;
    bare.stop = false;
    if (bare.fd < 0 || pthread_create(&thread, NULL, bare_run, NULL) != 0)
        exit(1);
    r = run_clients(NULL);
    pthread_mutex_lock(&bare.lock);
    bare.stop = true;
    pthread_cond_signal(&bare.queued);
    pthread_mutex_unlock(&bare.lock);
    pthread_join(thread, NULL);
    close(bare.fd);
    unlink(path);
    return r;
}

static uint64_t folder_bytes(const char *dir)
{
    char command[4200], line[64] = "";
    FILE *f;

    snprintf(command, sizeof command, "du -sb '%s/" AUDIT_FOLDER "' | cut -f1", dir);
    f = popen(command, "r");
    if (!f || !fgets(line, sizeof line, f))
        exit(1);
    pclose(f);
    return strtoull(line, NULL, 10);
}

static struct result run_log(const char *dir, double *ret_bytes)
{
    struct audit_config config = {.dir = dir};
    struct audit_log *log;
    struct err err = {0};
    struct result r;
    uint64_t before, entries;

    if (audit_open(&config, &log, &err) < 0) {
        fprintf(stderr, "open: %s\n", err.text);
        exit(1);
    }
    before = folder_bytes(dir);
    entries = audit_size(log);
    r = run_clients(log);
    entries = audit_size(log) - entries;
    audit_close(log);
    *ret_bytes = (double)(folder_bytes(dir) - before) / (double)entries;
    return r;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    double ratios[PAIRS_MAX], bytes = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: audit FOLDER [CLIENTS [SECONDS [PAIRS]]]\n");
        return 2;
    }
    n_clients = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : n_clients;
    seconds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : seconds;
    pairs = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : pairs;
    if (!n_clients || n_clients > CLIENTS_MAX || !pairs || pairs > PAIRS_MAX)
        return 2;
    printf("%-6s %12s %8s %10s %10s %10s\n", "", "appends/s", "ratio", "p50 ms", "p99 ms",
           "CPU us");
    for (unsigned i = 0; i < pairs; i++) {
        struct result limit = run_bare(argv[1]), ours = run_log(argv[1], &bytes);

        ratios[i] = ours.rate / limit.rate;
        printf("%-6s %12.0f %8s %10.2f %10.2f %10.1f\n", "bare", limit.rate, "", limit.p50_us / 1e3,
               limit.p99_us / 1e3, limit.cpu_us);
        printf("%-6s %12.0f %8.2f %10.2f %10.2f %10.1f\n", "log", ours.rate, ratios[i],
               ours.p50_us / 1e3, ours.p99_us / 1e3, ours.cpu_us);
    }
    qsort(ratios, pairs, sizeof *ratios, compare_doubles);
    printf("%u clients: ratio %.2f (%.2f to %.2f), %.0f bytes an entry on disk\n", n_clients,
           ratios[pairs / 2], ratios[0], ratios[pairs - 1], bytes);
    return 0;
}
