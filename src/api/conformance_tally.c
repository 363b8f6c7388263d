/* conformance_tally.c - who sent what, and which rules it fell short of. */
#include "api/conformance_int.h"

#include "base/clock.h"

#include <stdio.h>

#define TALLY_BYTES_MAX MIB(16)
#define OTHERS STR("(others)")

void tally_init(struct tally *t)
{
    *t = (struct tally){0};
    pthread_mutex_init(&t->lock, NULL);
    arena_init(&t->arena, TALLY_BYTES_MAX);
}

void tally_done(struct tally *t)
{
    arena_done(&t->arena);
    pthread_mutex_destroy(&t->lock);
}

static size_t bucket_of(struct str sender, struct str type, struct str profile, struct str rule)
{
    return (str_hash(sender) * 31 + str_hash(type) * 17 + str_hash(profile) * 7 + str_hash(rule)) %
           TALLY_BUCKETS;
}

static struct tally_row *find(struct tally *t, struct str sender, struct str type,
                              struct str profile, struct str rule)
{
    struct tally_row *row = t->buckets[bucket_of(sender, type, profile, rule)];

    while (row && !(str_eq(row->sender, sender) && str_eq(row->type, type) &&
                    str_eq(row->profile, profile) && str_eq(row->rule, rule)))
        row = row->next;
    return row;
}

static struct tally_row *add(struct tally *t, struct str sender, struct str type,
                             struct str profile, struct str rule)
{
    struct tally_row *row = ARENA_NEW(&t->arena, struct tally_row), **bucket;

    if (!row)
        return NULL;
    row->sender = arena_dup(&t->arena, sender);
    row->type = arena_dup(&t->arena, type);
    row->profile = arena_dup(&t->arena, profile);
    row->rule = arena_dup(&t->arena, rule);
    if (!row->sender.p || !row->type.p || !row->profile.p || !row->rule.p)
        return NULL;
    if (rule.n)
        row->whole = find(t, sender, type, STR(""), STR(""));
    bucket = &t->buckets[bucket_of(sender, type, profile, rule)];
    row->next = *bucket;
    *bucket = row;
    if (t->last)
        t->last->behind = row;
    else
        t->first = row;
    t->last = row;
    if (rule.n)
        t->n_rules++;
    else
        t->n_senders++;
    return row;
}

static struct tally_row *take(struct tally *t, struct str sender, struct str type,
                              struct str profile, struct str rule)
{
    struct tally_row *row = find(t, sender, type, profile, rule);

    if (row)
        return row;
    if (rule.n ? t->n_rules >= CONFORMANCE_RULES_MAX : t->n_senders >= CONFORMANCE_SENDERS_MAX) {
        sender = OTHERS;
        if (rule.n) {
            profile = STR("");
            rule = OTHERS;
        }
        row = find(t, sender, type, profile, rule);
    }
    return row ? row : add(t, sender, type, profile, rule);
}

/* One resource counts once for a rule, however often it breaks it. */
static bool is_repeated(const struct issues *issues, const struct issue *until)
{
    for (const struct issue *i = issues->first; i != until; i = i->next)
        if (i->severity <= ISSUE_ERROR && str_eq(i->rule, until->rule) &&
            str_eq(i->profile, until->profile))
            return true;
    return false;
}

void tally_count(struct tally *t, struct str sender, struct str type, const struct issues *issues,
                 bool is_refused)
{
    struct tally_row *row;

    pthread_mutex_lock(&t->lock);
    if (!t->since_ms)
        t->since_ms = clock_now_ms();
    row = take(t, str_head(sender, CONFORMANCE_NAME_MAX), type, STR(""), STR(""));
    if (row) {
        row->received++;
        row->short_of += issues->n_errors > 0;
        row->refused += is_refused;
    }
    for (const struct issue *i = row ? issues->first : NULL; i; i = i->next) {
        struct tally_row *rule;
        if (i->severity > ISSUE_ERROR || is_repeated(issues, i))
            continue;
        rule = take(t, row->sender, type, str_head(i->profile, CONFORMANCE_NAME_MAX),
                    i->rule.n ? str_head(i->rule, CONFORMANCE_NAME_MAX) : str_c(i->type));
        if (rule)
            rule->received++;
    }
    pthread_mutex_unlock(&t->lock);
}

int tally_add(struct tally *to, const struct tally *from, struct err *err)
{
    for (const struct tally_row *row = from->first; row; row = row->behind) {
        struct tally_row *sum = take(to, row->sender, row->type, row->profile, row->rule);

        if (!sum)
            return err_no_memory(err);
        sum->received += row->received;
        sum->short_of += row->short_of;
        sum->refused += row->refused;
    }
    if (from->since_ms && (!to->since_ms || from->since_ms < to->since_ms))
        to->since_ms = from->since_ms;
    return 0;
}

bool tally_take(struct tally *t, struct tally *ret)
{
    bool has_any;

    tally_init(ret);
    pthread_mutex_lock(&t->lock);
    has_any = t->since_ms != 0;
    if (has_any) {
        ret->arena = t->arena;
        memcpy(ret->buckets, t->buckets, sizeof ret->buckets);
        ret->first = t->first;
        ret->last = t->last;
        ret->n_senders = t->n_senders;
        ret->n_rules = t->n_rules;
        ret->since_ms = t->since_ms;
        arena_init(&t->arena, TALLY_BYTES_MAX);
        memset(t->buckets, 0, sizeof t->buckets);
        t->first = t->last = NULL;
        t->n_senders = t->n_rules = 0;
        t->since_ms = 0;
    }
    pthread_mutex_unlock(&t->lock);
    return has_any;
}

/* ---- as text ---- */

/* Fields are apart by tabs: what could be one, or a line's end, becomes a blank. */
static void put_field(struct sb *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        sb_char(out, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
    sb_char(out, '\t');
}

void tally_write(struct tally *t, struct sb *out)
{
    pthread_mutex_lock(&t->lock);
    sb_fmt(out, "1\t%lld\n", (long long)t->since_ms);
    for (const struct tally_row *row = t->first; row; row = row->behind) {
        put_field(out, row->sender);
        put_field(out, row->type);
        put_field(out, row->profile);
        put_field(out, row->rule);
        sb_fmt(out, "%llu\t%llu\t%llu\n", (unsigned long long)row->received,
               (unsigned long long)row->short_of, (unsigned long long)row->refused);
    }
    pthread_mutex_unlock(&t->lock);
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_NO_STORE, "the tally of conformance is damaged");
}

int tally_read(struct tally *t, struct str text, struct err *err)
{
    struct str line, f[7];
    uint64_t since;

    if (!str_split(&text, '\n', &line) || !str_split(&line, '\t', &f[0]) ||
        !str_eq(f[0], STR("1")) || !str_to_u64(line, INT64_MAX, &since))
        return damaged(err);
    t->since_ms = (int64_t)since;
    while (str_split(&text, '\n', &line)) {
        struct tally_row *row;
        size_t n = 0;
        if (!line.n)
            continue;
        while (n < ARRAY_LEN(f) && str_split(&line, '\t', &f[n]))
            n++;
        if (n != ARRAY_LEN(f))
            return damaged(err);
        row = add(t, f[0], f[1], f[2], f[3]);
        if (!row)
            return err_no_memory(err);
        if (!str_to_u64(f[4], UINT64_MAX, &row->received) ||
            !str_to_u64(f[5], UINT64_MAX, &row->short_of) ||
            !str_to_u64(f[6], UINT64_MAX, &row->refused))
            return damaged(err);
    }
    return 0;
}
