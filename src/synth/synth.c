#include "synth/synth.h"

#include "synth/sim.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)1 << 30)

static int flush(struct sim *s, const struct synth_sink *sink, size_t least, struct err *err)
{
    struct out *o = &s->out;
    int r = sb_ok(&o->b, err);

    if (r < 0 || o->b.n < least || o->b.n == 0)
        return r;
    s->stats.bytes += o->b.n;
    s->stats.resources = o->resources;
    r = sink->write(sink->ctx, sb_view(&o->b), err);
    if (r == 0 && sink->progress)
        sink->progress(sink->ctx, &s->stats);
    sb_reset(&o->b);
    return r;
}

static void write_person(struct sim *s, struct person *p)
{
    struct uid bundle;

    if (s->out.bundles)
        uid_draw(&s->rng, &bundle);
    out_bundle_begin(&s->out, &bundle);
    person_write(s, p);
    epi_write(s, p);
    anc_write(s, p);
    hiv_write(s, p);
    tb_write(s, p);
    ncd_write(s, p);
    acute_write(s, p);
    outbreak_write(s, p);
    death_write(s, p);
    out_bundle_end(&s->out);
}

static int write_people(struct sim *s, const struct synth_sink *sink, struct err *err)
{
    uint64_t people = s->config->people;
    int r;

    for (uint64_t h = 0; s->stats.people < people; h++) {
        household_draw(s, h, people - s->stats.people);
        outbreak_draw(s);
        /* Children first: their mothers' records refer to them. */
        for (size_t i = s->n_members; i > 0; i--)
            write_person(s, &s->members[i - 1]);
        s->stats.people += s->n_members;
        r = flush(s, sink, OUT_FLUSH_BYTES, err);
        if (r != 0)
            return r;
    }
    return 0;
}

static int run(struct sim *s, const struct synth_sink *sink, struct err *err)
{
    struct rng rng;
    int r;

    rng_seed(&rng, s->config->seed);
    r = country_draw(&s->country, s->config->people, &rng, s->arena, err);
    if (r < 0)
        return r;
    r = acute_init(s, &rng, err);
    if (r < 0)
        return r;
    r = outbreak_init(s, &rng, err);
    if (r < 0)
        return r;
    s->stats.outbreaks = s->n_outbreaks;
    country_write(&s->country, &rng, &s->out);
    for (size_t i = 0; i < s->country.n_districts; i++) {
        district_write(&s->country, i, &rng, &s->out);
        r = flush(s, sink, OUT_FLUSH_BYTES, err);
        if (r != 0)
            return r;
    }
    r = write_people(s, sink, err);
    if (r != 0)
        return r;
    r = flush(s, sink, 0, err);
    if (r != 0)
        return r;
    return sink->truth ? outbreak_truth(s, sink, err) : 0;
}

int synth_run(const struct synth_config *config, const struct synth_sink *sink,
              struct synth_stats *ret, struct err *err)
{
    _cleanup_(arena_done) struct arena arena;
    struct sim *s;
    int r;

    arena_init(&arena, ARENA_MAX);
    if (config->people < 1 || config->people > SYNTH_PEOPLE_MAX ||
        config->weeks < SYNTH_WEEKS_MIN || config->weeks > SYNTH_WEEKS_MAX)
        return err_set(err, ERR_VALUE, "the country's people or weeks are out of range");
    s = ARENA_NEW(&arena, struct sim);
    if (!s)
        return err_no_memory(err);
    s->config = config;
    s->arena = &arena;
    s->start = config->start_day;
    s->end = s->start + (int64_t)config->weeks * 7;
    s->out = (struct out){.b = sb_make(OUT_MAX), .bundles = config->bundles};
    r = run(s, sink, err);
    sb_done(&s->out.b);
    if (r >= 0)
        *ret = s->stats;
    return r;
}
