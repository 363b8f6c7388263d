/* out.h - writes resources as JSON text, straight into a string builder.
 *
 * out_begin and out_end frame one resource; between them members are appended, each writing its own
 * leading comma. In a bundle the frame is an entry with a urn:uuid fullUrl, and references to
 * resources of the same bundle are urn:uuid ones.
 */
#ifndef SYNTH_OUT_H
#define SYNTH_OUT_H

#include "base/rng.h"
#include "base/sb.h"
#include "synth/codes.h"

#define OUT_MAX MIB(64) /* text between two flushes: one household at most */
#define OUT_FLUSH_BYTES KIB(256)

#define ZONE_TEXT "+02:00" /* the country's one time zone */
#define ZONE_MINUTES 120
#define DAY_MINUTES (24 * 60)

/* An id: a UUID (version 4 by its bits, drawn from the seeded generator) as text. */
struct uid {
    char text[UUID_TEXT_LEN];
};

void uid_draw(struct rng *r, struct uid *ret);
static inline struct str uid_str(const struct uid *id)
{
    return str_n(id->text, sizeof id->text);
}

struct out {
    struct sb b;
    bool bundles, in_bundle, first_entry;
    const char *type; /* of the resource under way */
    struct uid id;
    uint64_t resources;
};

/* A transaction Bundle around the resources that follow; nothing where bundles are not asked for.
 */
void out_bundle_begin(struct out *o, const struct uid *id);
void out_bundle_end(struct out *o);

void out_begin(struct out *o, const char *type, const struct uid *id);
void out_end(struct out *o);

/* ,"name":{"reference":"Type/id"}: `near` when the target is in the same bundle. */
void out_ref(struct out *o, const char *name, const char *type, const struct uid *id, bool near);
/* The object alone. */
void out_ref_value(struct out *o, const char *type, const struct uid *id, bool near);
/* ,"name":{"coding":[…]} */
void out_concept(struct out *o, const char *name, enum code code);
/* ,"name":[{"coding":[…]}] */
void out_concepts(struct out *o, const char *name, enum code code);
/* ,"name":"text" */
void out_text(struct out *o, const char *name, struct str text);
/* ,"name":"2024-01-31": days since 1970 */
void out_date(struct out *o, const char *name, int64_t day);
/* ,"name":"2024-01-31T08:30:00+02:00": minutes since 1970 on the country's clocks */
void out_time(struct out *o, const char *name, int64_t minute);
/* A period; end < 0: open. */
void out_period(struct out *o, const char *name, int64_t from_minute, int64_t to_minute);

/* A whole number of 10^-decimals as a JSON number: (1234, 2) is 12.34. */
void out_decimal(struct sb *b, int64_t value, int decimals);
void out_date_value(struct sb *b, int64_t day);
void out_time_value(struct sb *b, int64_t minute);
void out_base64(struct sb *b, struct str bytes);

#define out_lit(o, lit) sb_lit(&(o)->b, lit)

#endif
