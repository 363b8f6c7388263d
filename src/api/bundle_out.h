/* bundle_out.h - writing Bundles of search results and of history. */
#ifndef API_BUNDLE_OUT_H
#define API_BUNDLE_OUT_H

#include "api/call.h"

struct bundle_out {
    struct call *call;
    bool has_entry;
};

/* `type` is the Bundle's; total < 0: left out. */
void bundle_begin(struct bundle_out *b, struct call *c, const char *type, int64_t total);
/* A link; `query` (may be empty) stands behind `path`, both relative to base; `cursor` is added. */
void bundle_link(struct bundle_out *b, const char *relation, struct str path, struct str query,
                 struct str cursor);
/* Between links and entries. */
void bundle_entries(struct bundle_out *b);
/* The start of an entry up to its `fullUrl`; the caller goes on with `,"resource":…` and '}'. */
void bundle_entry(struct bundle_out *b, int type, struct str id);
void bundle_end(struct bundle_out *b);

#endif
