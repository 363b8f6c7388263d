/* profile.h - profiles: StructureDefinitions compiled, and resources held against them.
 *
 * A `struct profiles` is a set that grows by asking: a canonical is looked up in the world once,
 * compiled, and kept as long as the set. What is compiled is immutable, so that any number of
 * threads may check against it; the set is reference-counted and swapped whole when definitions
 * change.
 *
 * Profiles say only what the base definitions do not: the structure of R4 itself is the structural
 * validator's (validate.h), R4's own invariants and bindings are in base_rules.h, and what a
 * profile repeats of them is dropped when it is compiled. Source:
 * http://hl7.org/fhir/R4/profiling.html, elementdefinition.html.
 */
#ifndef FHIR_PROFILE_H
#define FHIR_PROFILE_H

#include "fhir/issues.h"
#include "fhir/world.h"

#define PROFILES_MAX 4000          /* compiled profiles of one set */
#define PROFILE_BYTES_MAX MIB(64)  /* memory of one compiled profile */
#define PROFILE_ELEMENTS_MAX 10000 /* elements of one snapshot */
#define PROFILE_BASES_MAX 16       /* profiles on profiles on … a type */
#define PROFILE_SLICES_MAX 1000    /* slices of one element */
#define PROFILE_DISCRIMINATORS_MAX 8
#define PROFILE_STEPS_MAX 16  /* steps of a discriminator's path */
#define PROFILE_NESTING_MAX 8 /* profiles being compiled because another needs them */

#define CONFORM_STEPS_MAX 4000000   /* elements and rules looked at by one check */
#define CONFORM_DEPTH_MAX 160       /* nested elements, slices and profiles */
#define CONFORM_REFERENCES_MAX 6    /* references followed from one to the next */
#define CONFORM_VALUES_MAX 200      /* values that one discriminator leads to */
#define CONFORM_PROFILES_MAX 50     /* profiles that a resource may claim */
#define CONFORM_SCRATCH_MAX MIB(64) /* memory of one FHIRPath rule */

struct profile;
struct profiles;

/* An empty set. `world` answers for canonicals and must outlive the set. NULL for lack of memory.
 */
struct profiles *profiles_new(const struct world *world);
struct profiles *profiles_ref(struct profiles *set);
void profiles_unref(struct profiles *set);
static inline void profiles_unrefp(struct profiles **set)
{
    profiles_unref(*set);
}

/* The profile with a canonical, "url" or "url|version", compiled when it is first asked for; *ret
 * is NULL where the world does not know it. ERR_PROCESSING says why a definition cannot be compiled
 * (and says it again each time), ERR_COSTLY which bound it passes. */
int profiles_get(struct profiles *set, struct str url, const struct profile **ret, struct err *err);

struct str profile_url(const struct profile *p);
struct str profile_type_name(const struct profile *p);

/* What to hold a resource against, beyond the structure of R4. */
struct conform_options {
    const struct world *world; /* NULL: no terminology, references stay within the resource */
    struct profiles *profiles; /* NULL: no profiles, extensions are not looked up */
    const struct str *asked;   /* canonicals to hold it against */
    size_t n_asked;
    bool no_claims;   /* meta.profile is not followed */
    bool no_bindings; /* codes are not held against R4's own bindings */
    bool must_know;   /* a profile that is claimed or led to, and not known, is an error */
};

/* Holds a resource against R4's invariants and bindings, against the profiles asked for and those
 * that it claims, and whatever they lead to. The structure must have been checked before
 * (fhir_validate): elements that it refused are passed over here. Adds to `issues`; returns 0, or
 * negative when that could not be done. A bound that is reached is an issue, "too-costly". */
int conform_check(yyjson_val *root, const struct conform_options *options, struct issues *issues,
                  struct err *err);

/* A world that answers for profiles, too: whether a value conforms to one of `set`, or is of one of
 * its slices. What it does not know it asks `below` (may be NULL). An element alone is held against
 * R4's rules and the profile's; its structure is its resource's, which whoever has it checks. */
struct profile_world {
    struct world_over over;
    struct profiles *set;
};

/* Keeps a reference to nothing: `set` and `below` outlive it, and `w` stays where it is. */
void profile_world(struct profile_world *w, struct profiles *set, const struct world *below);

#endif
