/* smart.h - SMART scopes, version 2 (and the words of version 1 that mean the same).
 *
 * Source: SMART App Launch 2.2, "Scopes and Launch Context". `patient/Observation.rs?category=x`
 * is a context, a type (0: all), rights, and a search that narrows them. What a client asked for is
 * cut down to what it and the person may have; nothing here looks at resources (allow.h does).
 */
#ifndef TRUST_SMART_H
#define TRUST_SMART_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#define SMART_SCOPES_MAX 100
#define SMART_TEXT_MAX KIB(4) /* of all scopes together */

enum smart_context { SMART_PATIENT, SMART_USER, SMART_SYSTEM };
enum smart_right { SMART_C = 1, SMART_R = 2, SMART_U = 4, SMART_D = 8, SMART_S = 16 };

struct smart_scope {
    enum smart_context context;
    int type; /* 0: every type */
    unsigned rights;
    struct str query; /* as sent, percent-encoded; empty: none */
};

/*    name               bit */
#define SMART_WORDS(X)                                                                             \
    X("openid", SMART_OPENID, 1)                                                                   \
    X("fhirUser", SMART_FHIR_USER, 2)                                                              \
    X("profile", SMART_PROFILE, 4)                                                                 \
    X("launch", SMART_LAUNCH, 8)                                                                   \
    X("launch/patient", SMART_LAUNCH_PATIENT, 16)                                                  \
    X("launch/encounter", SMART_LAUNCH_ENCOUNTER, 32)                                              \
    X("offline_access", SMART_OFFLINE, 64)                                                         \
    X("online_access", SMART_ONLINE, 128)

enum smart_word {
#define X(name, id, bit) id = bit,
    SMART_WORDS(X)
#undef X
};

struct smart_scopes {
    unsigned words;
    struct smart_scope *v;
    size_t n;
};

/* Blank-separated scopes. Unknown words are passed over, as OAuth allows (the answer says what was
 * granted); ERR_VALUE when there are too many. Memory is `a`'s; queries point into `text`. */
int smart_parse(struct arena *a, struct str text, struct smart_scopes *ret, struct err *err);
/* The canonical text. */
void smart_write(struct sb *out, const struct smart_scopes *scopes);
/* What is in both. Words of `asked` survive when they are in `most`. */
int smart_both(struct arena *a, const struct smart_scopes *asked, const struct smart_scopes *most,
               struct smart_scopes *ret, struct err *err);
/* Without the scopes of a context. */
void smart_drop(struct smart_scopes *scopes, enum smart_context context);
bool smart_has(const struct smart_scopes *scopes, enum smart_context context);

#endif
