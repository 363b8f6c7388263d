/* js.h - JSON over yyjson, with the checks that yyjson leaves to its caller.
 *
 * Numbers keep their literal: they are parsed as raw text (yyjson_is_raw), because 1.0 is not 1 in
 * a FHIR decimal. Depth and duplicate names are checked here (RFC 8259 leaves duplicates open, a
 * record must not). Documents live in the caller's arena; nothing is freed alone. Values point
 * into the document, strings into its own copy of the text.
 */
#ifndef BASE_JS_H
#define BASE_JS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#include <yyjson.h>

#define JS_DEPTH_MAX 64
#define JS_VALUES_MAX 3000000 /* values and names of one text: 16 bytes of memory each */

/* Parses one JSON text of a stranger: UTF-8, depth, duplicate names, nothing behind it.
 * ERR_SYNTAX with line and column, ERR_TOO_LONG past JS_VALUES_MAX, ERR_NO_MEMORY at the arena's
 * limit. */
int js_parse(struct arena *a, struct str text, yyjson_val **ret_root, struct err *err);

/* Parses text that js_parse has accepted before: no second look at depth and names. */
int js_parse_stored(struct arena *a, struct str text, yyjson_val **ret_root, struct err *err);

/* yyjson's allocator over an arena, for documents that are changed. `a` must outlive what it makes.
 */
yyjson_alc js_alc(struct arena *a);

/* Member of an object, or NULL (also when `v` is NULL or no object). */
static inline yyjson_val *js_get(yyjson_val *v, const char *name)
{
    return yyjson_obj_get(v, name);
}

/* The text of a string or a number literal; STR_NULL for anything else. */
static inline struct str js_str(yyjson_val *v)
{
    if (yyjson_is_str(v) || yyjson_is_raw(v))
        return str_n((const char *)v->uni.str, yyjson_get_len(v));
    return STR_NULL;
}

/* The text of a string member; STR_NULL if it is absent or not a string. */
static inline struct str js_get_str(yyjson_val *v, const char *name)
{
    yyjson_val *m = js_get(v, name);
    return yyjson_is_str(m) ? js_str(m) : STR_NULL;
}

static inline bool js_is_number(yyjson_val *v)
{
    return yyjson_is_raw(v);
}

/* "true", "false", the string or the literal: how a primitive reads as text. STR_NULL otherwise. */
struct str js_primitive(yyjson_val *v);

/* A copy of an object with the string member `name` in front of the others (its old value, if it
 * has one, is replaced where it stands). NULL when memory runs out. */
yyjson_val *js_with_str(struct arena *a, yyjson_val *obj, const char *name, struct str value);

/* Compact JSON text of a value, literals kept, escapes normalised. */
void js_write(struct sb *out, yyjson_val *v);
/* The same, indented by two blanks. */
void js_write_pretty(struct sb *out, yyjson_val *v);

#endif
