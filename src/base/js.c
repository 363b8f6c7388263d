#include "base/js.h"

#include <stdlib.h>

#define MEASURE_FROM KIB(16)
#define GUESSED_BYTES_A_VALUE 6 /* yyjson's own guess for text without blanks */

static void *alc_malloc(void *ctx, size_t n)
{
    return arena_alloc(ctx, n);
}

static void *alc_realloc(void *ctx, void *old, size_t old_n, size_t n)
{
    return n <= old_n ? old : arena_grow(ctx, old, old_n, n);
}

static void alc_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

yyjson_alc js_alc(struct arena *a)
{
    return (yyjson_alc){alc_malloc, alc_realloc, alc_free, a};
}

struct name {
    struct str s;
    uint64_t hash;
};

static int name_cmp(const void *a, const void *b)
{
    const struct name *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return str_cmp(x->s, y->s);
}

#define FEW_NAMES 24

/* A name that the object has twice, or STR_NULL. *ret_code < 0 when memory ran out. */
static struct str duplicate_name(struct arena *a, yyjson_val *obj, int *ret_code)
{
    size_t n = yyjson_obj_size(obj), i, max;
    struct name few[FEW_NAMES], *names = few;
    yyjson_val *key, *val;

    if (n < 2)
        return STR_NULL;
    if (n > FEW_NAMES && !(names = ARENA_ARRAY(a, struct name, n))) {
        *ret_code = ERR_NO_MEMORY;
        return STR_NULL;
    }
    yyjson_obj_foreach(obj, i, max, key, val) {
        struct str s = js_str(key);
        names[i].s = s;
        /* A few names: length and first bytes tell most apart without a hash. */
        names[i].hash = n > FEW_NAMES ? str_hash(s) : 0;
        if (n > FEW_NAMES)
            continue;
        for (size_t j = 0; j < i; j++)
            if (names[j].s.n == s.n && memcmp(names[j].s.p, s.p, s.n) == 0)
                return s;
    }
    if (n <= FEW_NAMES)
        return STR_NULL;
    qsort(names, n, sizeof *names, name_cmp);
    for (i = 1; i < n; i++)
        if (name_cmp(&names[i - 1], &names[i]) == 0)
            return names[i].s;
    return STR_NULL;
}

static int too_deep(struct err *err)
{
    return err_set(err, ERR_SYNTAX, "JSON is nested deeper than %d levels", JS_DEPTH_MAX);
}

/* All values lie in one array in document order, each container followed by what it holds, so that
 * depth and names are seen in one pass without recursion. */
static int check_values(struct arena *a, yyjson_val *root, size_t count, struct err *err)
{
    const yyjson_val *ends[JS_DEPTH_MAX];
    size_t depth = 0;

    for (yyjson_val *v = root; v < root + count; v++) {
        struct str twice;
        int r = 0;

        if (!unsafe_yyjson_is_ctn(v))
            continue;
        while (depth && v >= ends[depth - 1])
            depth--;
        if (depth == JS_DEPTH_MAX)
            return too_deep(err);
        ends[depth++] = unsafe_yyjson_get_next(v);
        if (!yyjson_is_obj(v))
            continue;
        twice = duplicate_name(a, v, &r);
        if (r < 0)
            return err_no_memory(err);
        if (twice.p)
            return err_set(err, ERR_SYNTAX, "the name \"%.*s\" stands twice in one JSON object",
                           (int)MIN(twice.n, 64u), twice.p);
    }
    return 0;
}

struct extent {
    size_t values, depth; /* values: at least as many as there are, names included */
    bool in_string;
};

static void measure_byte(struct extent *e, char c, size_t *level)
{
    switch (c) {
    case '{':
    case '[':
        e->values++;
        ++*level;
        e->depth = MAX(e->depth, *level);
        break;
    case '}':
    case ']': *level -= *level > 0; break;
    case ',':
    case ':': e->values++; break;
    case '"': e->in_string = true; break;
    default: break;
    }
}

/* What a text would become, seen before memory is spent on it. */
static struct extent measure(struct str text)
{
    struct extent e = {.values = 1};
    size_t level = 0;

    for (size_t i = 0; i < text.n && e.depth <= JS_DEPTH_MAX; i++) {
        if (!e.in_string)
            measure_byte(&e, text.p[i], &level);
        else if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            e.in_string = false;
    }
    return e;
}

/* Short texts of a few bytes a value cost little; of long ones we know what they need first. */
static int check_extent(struct arena *a, struct str text, struct err *err)
{
    struct extent e;

    if (text.n < MEASURE_FROM)
        return 0;
    e = measure(text);
    if (e.depth > JS_DEPTH_MAX)
        return too_deep(err);
    if (e.values > JS_VALUES_MAX)
        return err_set(err, ERR_TOO_LONG, "JSON has more than %d values and names", JS_VALUES_MAX);
    /* yyjson begins with a guess and grows by half: room behind it spares the copies. */
    if (e.values > text.n / GUESSED_BYTES_A_VALUE)
        arena_reserve(a, text.n + e.values * sizeof(yyjson_val) * 3 / 2 + KIB(4));
    return 0;
}

static int parse(struct arena *a, struct str text, yyjson_doc **ret, struct err *err)
{
    yyjson_alc alc = js_alc(a);
    yyjson_read_err e;
    yyjson_doc *doc = NULL;

    doc = yyjson_read_opts((char *)(uintptr_t)text.p, text.n, YYJSON_READ_NUMBER_AS_RAW, &alc, &e);
    if (!doc) {
        size_t line = 0, col = 0, chr = 0;
        if (e.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            return err_no_memory(err);
        yyjson_locate_pos(text.p, text.n, e.pos, &line, &col, &chr);
        return err_set(err, ERR_SYNTAX, "not JSON at line %zu, column %zu: %s", line, col, e.msg);
    }
    *ret = doc;
    return 0;
}

int js_parse(struct arena *a, struct str text, yyjson_val **ret_root, struct err *err)
{
    yyjson_doc *doc = NULL;
    int r;

    if (str_trim(text).n == 0)
        return err_set(err, ERR_SYNTAX, "the body is empty where JSON is expected");
    r = check_extent(a, text, err);
    if (r < 0)
        return r;
    r = parse(a, text, &doc, err);
    if (r < 0)
        return r;
    r = check_values(a, yyjson_doc_get_root(doc), yyjson_doc_get_val_count(doc), err);
    if (r < 0)
        return r;
    *ret_root = yyjson_doc_get_root(doc);
    return 0;
}

int js_parse_stored(struct arena *a, struct str text, yyjson_val **ret_root, struct err *err)
{
    yyjson_doc *doc = NULL;
    int r = parse(a, text, &doc, err);

    if (r < 0)
        return r;
    *ret_root = yyjson_doc_get_root(doc);
    return 0;
}

struct str js_primitive(yyjson_val *v)
{
    if (yyjson_is_true(v))
        return STR("true");
    if (yyjson_is_false(v))
        return STR("false");
    return js_str(v);
}

yyjson_val *js_with_str(struct arena *a, yyjson_val *obj, const char *name, struct str value)
{
    yyjson_val *old = js_get(obj, name), *copy;
    size_t bytes;

    assert(yyjson_is_obj(obj));
    value = arena_dup(a, value);
    if (!value.p)
        return NULL;
    if (old && !unsafe_yyjson_is_ctn(old)) {
        unsafe_yyjson_set_strn(old, value.p, value.n);
        return obj;
    }
    /* A container's values lie behind it in one block that knows its length and holds no absolute
     * positions, so that two more values fit in front by copying the block. */
    bytes = yyjson_obj_size(obj) ? obj->uni.ofs : sizeof *obj;
    copy = arena_alloc(a, bytes + 2 * sizeof *obj);
    if (!copy)
        return NULL;
    memcpy(copy + 3, obj + 1, bytes - sizeof *obj);
    copy[0].tag = obj->tag + (1u << YYJSON_TAG_BIT);
    copy[0].uni.ofs = bytes + 2 * sizeof *obj;
    unsafe_yyjson_set_strn(copy + 1, name, strlen(name));
    unsafe_yyjson_set_strn(copy + 2, value.p, value.n);
    return copy;
}

static void newline(struct sb *out, int indent)
{
    if (indent < 0)
        return;
    sb_char(out, '\n');
    for (int i = 0; i < indent; i++)
        sb_lit(out, "  ");
}

/* Recursion is bounded by JS_DEPTH_MAX: what we write was parsed by us. */
static void write_val(struct sb *out, yyjson_val *v, int indent)
{
    int inner = indent < 0 ? -1 : indent + 1;
    size_t i, max;
    yyjson_val *key, *val;

    switch (yyjson_get_type(v)) {
    case YYJSON_TYPE_STR: sb_json(out, js_str(v)); break;
    case YYJSON_TYPE_RAW: sb_str(out, js_str(v)); break;
    case YYJSON_TYPE_BOOL: sb_str(out, js_primitive(v)); break;
    case YYJSON_TYPE_ARR:
        sb_char(out, '[');
        yyjson_arr_foreach(v, i, max, val) {
            if (i)
                sb_char(out, ',');
            newline(out, inner);
            write_val(out, val, inner);
        }
        newline(out, indent);
        sb_char(out, ']');
        break;
    case YYJSON_TYPE_OBJ:
        sb_char(out, '{');
        yyjson_obj_foreach(v, i, max, key, val) {
            if (i)
                sb_char(out, ',');
            newline(out, inner);
            sb_json(out, js_str(key));
            sb_char(out, ':');
            if (indent >= 0)
                sb_char(out, ' ');
            write_val(out, val, inner);
        }
        newline(out, indent);
        sb_char(out, '}');
        break;
    default: sb_lit(out, "null");
    }
}

void js_write(struct sb *out, yyjson_val *v)
{
    write_val(out, v, -1);
}

void js_write_pretty(struct sb *out, yyjson_val *v)
{
    write_val(out, v, 0);
}
