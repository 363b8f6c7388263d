/* terms.h - what the terminology operations share: their parameters in, Parameters out. */
#ifndef API_TERMS_H
#define API_TERMS_H

#include "api/op.h"
#include "terminology/terminology.h"

#define TERMS_EXTRA_MAX 2000 /* tx-resource parameters of one call */

/* A call of a terminology operation: its parameters, and the scope that it is answered in. */
struct terms_call {
    struct call *c;
    struct store_txn *txn;
    struct op_params p;
    struct terms_scope s;
    struct sb *out;
    bool first; /* of the parameters that are written */
};

/* Reads the parameters, versions (system-version, check-…, force-…, default-…) and resources
 * (tx-resource) that every operation takes. */
int terms_call_begin(struct terms_call *t, struct call *c, struct store_txn *txn);
/* The same with parameters that were read already. */
int terms_call_with(struct terms_call *t, struct call *c, struct store_txn *txn,
                    const struct op_params *p);
void terms_call_done(struct terms_call *t);

/* What a value set says of its own expansion (the extension valueset-expansion-parameter) becomes
 * parameters, where the call does not say otherwise. */
int terms_call_own(struct terms_call *t, const struct vs *vs);
/* displayLanguage, else Accept-Language, else the language of the value set (which may be NULL);
 * STR_NULL where none says anything. */
struct str terms_call_language(const struct terms_call *t, const struct vs *vs);
/* `context`: the value set that an element of a StructureDefinition is bound to, "[url]#[path]"
 * (R4 recommends that form). STR_NULL in *ret where the parameter is not given; ERR_NOT_FOUND where
 * it leads to no binding. */
int terms_call_context(struct terms_call *t, struct str *ret);
/* The resource that a call brings in a parameter; NULL in *ret where it brings none. ERR_VALUE: it
 * is of another type. */
int terms_call_brought(struct terms_call *t, const char *name, const char *type, yyjson_val **ret);
/* The resource that an instance-level call names. */
int terms_call_instance(struct terms_call *t, yyjson_val **ret);
/* The value set that an instance-level call names, compiled: what is kept under its canonical,
 * where that is this resource and no other version. */
int terms_call_instance_set(struct terms_call *t, struct vs **ret);
/* Has the question find this resource under its url, before any in the store. */
int terms_call_bring(struct terms_call *t, yyjson_val *resource);
/* A Coding as it stands in JSON. */
struct coding terms_coding(yyjson_val *v);
/* `coding`, or else `code` with `system` and `version`. ERR_REQUIRED without a code. */
int terms_call_coding(struct terms_call *t, const char *coding, const char *code,
                      struct coding *ret);

/* ERR_NOT_FOUND: what is asked about is not known here. `why`: more of it, or NULL. */
int terms_call_no_system(struct terms_call *t, struct str system, struct str version);
int terms_call_no_value_set(struct terms_call *t, struct str canonical);
int terms_call_no_code(struct terms_call *t, const struct cs *cs, struct str code, const char *why);

/* ---- Parameters out ---- */

void terms_out_begin(struct terms_call *t);
/* {"name":…,"value<type>": and then the value is written by the caller. */
void terms_out_name(struct terms_call *t, const char *name, const char *type);
/* A string-like value; nothing where it is empty. */
void terms_out_text(struct terms_call *t, const char *name, const char *type, struct str value);
void terms_out_bool(struct terms_call *t, const char *name, bool value);
/* The parts of a parameter between them. */
void terms_out_open(struct terms_call *t, const char *name);
void terms_out_close(struct terms_call *t);
int terms_out_end(struct terms_call *t);

/* ---- the operations ---- */

/* One question of $validate-code, of the system or the set that its parameters name. */
int terms_validate_code(struct terms_call *t);

int op_lookup(struct call *c, struct store_txn *txn);
int op_validate_code(struct call *c, struct store_txn *txn);
int op_batch_validate(struct call *c, struct store_txn *txn);
int op_expand(struct call *c, struct store_txn *txn);
int op_subsumes(struct call *c, struct store_txn *txn);
int op_translate(struct call *c, struct store_txn *txn);
int op_closure(struct call *c, struct store_txn *txn);
int op_find_matches(struct call *c, struct store_txn *txn);
int op_preferred_id(struct call *c, struct store_txn *txn);

#endif
