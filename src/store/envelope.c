#include "store/store_int.h"

#include "base/b64.h"
#include "base/clock.h"
#include "base/fault.h"
#include "store/dict.h"

#include <stdlib.h>

/* An envelope: codec byte, dictionary number, key number (both LEB128), then the payload. */
enum codec { CODEC_PLAIN, CODEC_ZSTD };

#define ENVELOPE_HEAD_MAX 21  /* 1 + two LEB128 of 64 bits */
#define SCRATCH_KEEP KIB(256) /* a thread's scratch buffer larger than this is given back */

/* What each thread keeps between calls: contexts are dear to make. */
struct contexts {
    ZSTD_CCtx *seal;
    ZSTD_DCtx *open;
    struct sb scratch;
};

static pthread_key_t contexts_key;
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;

static void contexts_free(void *p)
{
    struct contexts *c = p;

    ZSTD_freeCCtx(c->seal);
    ZSTD_freeDCtx(c->open);
    sb_done(&c->scratch);
    free(c);
}

static void contexts_init(void)
{
    pthread_key_create(&contexts_key, contexts_free);
}

static struct contexts *contexts_get(void)
{
    static _Thread_local struct contexts *mine;

    if (mine)
        return mine;
    pthread_once(&contexts_once, contexts_init);
    mine = calloc(1, sizeof *mine);
    if (!mine)
        return NULL;
    mine->scratch = sb_make(STORE_BODY_MAX);
    pthread_setspecific(contexts_key, mine);
    return mine;
}

static bool is_put_in_front(struct str name, bool in_meta)
{
    if (in_meta)
        return str_eq(name, STR("versionId")) || str_eq(name, STR("lastUpdated"));
    return str_eq(name, STR("resourceType")) || str_eq(name, STR("id")) ||
           str_eq(name, STR("meta"));
}

static void members(struct sb *out, yyjson_val *obj, bool in_meta)
{
    yyjson_val *key, *val;
    size_t i, max;

    if (yyjson_obj_size(obj) == 0) /* the loop's first step would be pointer arithmetic on NULL */
        return;
    yyjson_obj_foreach(obj, i, max, key, val) {
        if (is_put_in_front(js_str(key), in_meta))
            continue;
        sb_char(out, ',');
        sb_json(out, js_str(key));
        sb_char(out, ':');
        js_write(out, val);
    }
}

void body_text(struct sb *out, yyjson_val *root)
{
    members(out, js_get(root, "meta"), true);
    sb_char(out, '}');
    members(out, root, false);
    sb_char(out, '}');
}

static void put_number(struct sb *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        sb_char(out, (char)(0x80 | (v & 0x7f)));
    sb_char(out, (char)v);
}

static bool get_number(struct str *s, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 63 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p;
        *s = str_from(*s, 1);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static int seal(struct contexts *c, struct str text, struct sb *out, struct err *err)
{
    const ZSTD_CDict *dict = dict_seal();
    size_t bound = ZSTD_compressBound(text.n), n;
    char *to;

    if (!dict || fault_point("zstd"))
        return err_no_memory(err);
    if (!c->seal) {
        c->seal = ZSTD_createCCtx();
        if (!c->seal)
            return err_no_memory(err);
        ZSTD_CCtx_setParameter(c->seal, ZSTD_c_dictIDFlag, 0);
        ZSTD_CCtx_refCDict(c->seal, dict);
    }
    sb_char(out, CODEC_ZSTD);
    put_number(out, DICT_NEWEST);
    put_number(out, 0);
    to = sb_room(out, bound);
    if (!to)
        return err_no_memory(err);
    n = ZSTD_compress2(c->seal, to, bound, text.p, text.n);
    if (ZSTD_isError(n)) {
        err_no_memory(err);
        return err_detail(err, "zstd: %s", ZSTD_getErrorName(n));
    }
    sb_add(out, n);
    return 0;
}

/* Seals what the thread's scratch buffer holds. */
static int seal_scratch(struct contexts *c, struct sb *ret_sealed, struct err *err)
{
    int r;

    if (c->scratch.failed)
        r = err_set(err, ERR_TOO_LONG, "the resource is longer than %zu bytes",
                    (size_t)STORE_BODY_MAX);
    else
        r = seal(c, sb_view(&c->scratch), ret_sealed, err);
    if (c->scratch.cap > SCRATCH_KEEP)
        sb_done(&c->scratch);
    return r;
}

int store_seal_data(struct store *st, yyjson_val *root, struct str name, struct str bytes,
                    struct sb *ret_sealed, struct err *err)
{
    struct contexts *c = contexts_get();

    (void)st;
    if (!c)
        return err_no_memory(err);
    sb_reset(&c->scratch);
    sb_room(&c->scratch, bytes.n / 3 * 4 + KIB(64)); /* once, instead of doubling */
    body_text(&c->scratch, root);
    if (c->scratch.n)
        c->scratch.n--; /* the closing brace: one more member comes */
    sb_char(&c->scratch, ',');
    sb_json(&c->scratch, name);
    sb_lit(&c->scratch, ":\"");
    b64_encode(&c->scratch, bytes);
    sb_lit(&c->scratch, "\"}");
    return seal_scratch(c, ret_sealed, err);
}

int store_seal(struct store *st, yyjson_val *root, struct sb *ret_sealed, struct err *err)
{
    struct contexts *c = contexts_get();

    (void)st;
    if (!c)
        return err_no_memory(err);
    sb_reset(&c->scratch);
    body_text(&c->scratch, root);
    return seal_scratch(c, ret_sealed, err);
}

static int damaged(struct err *err, const char *why)
{
    err_set(err, ERR_NO_STORE, "the stored body of a resource is damaged");
    return err_detail(err, "%s", why);
}

static int inflate_body(struct str payload, uint64_t dict_number, struct sb *out, struct err *err)
{
    struct contexts *c = contexts_get();
    const ZSTD_DDict *dict = dict_open(dict_number);
    unsigned long long size;
    size_t n;
    char *to;

    if (!c || (!c->open && !(c->open = ZSTD_createDCtx())))
        return err_no_memory(err);
    if (!dict)
        return damaged(err, "no such dictionary");
    size = ZSTD_getFrameContentSize(payload.p, payload.n);
    if (size > STORE_BODY_MAX) /* also the two values that say "unknown" and "error" */
        return damaged(err, "size of the frame");
    to = sb_room(out, (size_t)size);
    if (!to)
        return err_no_memory(err);
    n = ZSTD_decompress_usingDDict(c->open, to, (size_t)size, payload.p, payload.n, dict);
    if (ZSTD_isError(n) || n != size)
        return damaged(err, ZSTD_isError(n) ? ZSTD_getErrorName(n) : "length of the frame");
    sb_add(out, n);
    return 0;
}

int body_open(struct str sealed, struct sb *out, struct err *err)
{
    uint64_t dict, key;
    char codec;

    if (sealed.n < 3 || fault_point("envelope"))
        return damaged(err, "no envelope");
    codec = sealed.p[0];
    sealed = str_from(sealed, 1);
    if (!get_number(&sealed, &dict) || !get_number(&sealed, &key))
        return damaged(err, "head of the envelope");
    if (key)
        return damaged(err, "unknown key");
    switch (codec) {
    case CODEC_PLAIN: sb_str(out, sealed); return sb_ok(out, err);
    case CODEC_ZSTD: return inflate_body(sealed, dict, out, err);
    default: return damaged(err, "unknown codec");
    }
}

int body_json(int type, struct str id, const struct version *v, struct str sealed, struct sb *out,
              struct err *err)
{
    char version[STORE_VERSION_ID_MAX], instant[CLOCK_INSTANT_MAX];

    version_format(v, version);
    clock_format(hlc_ms(v->hlc), instant);
    sb_lit(out, "{\"resourceType\":\"");
    sb_str(out, def_resource_name(type));
    sb_lit(out, "\",\"id\":\"");
    sb_str(out, id);
    sb_lit(out, "\",\"meta\":{\"versionId\":\"");
    sb_str(out, str_c(version));
    sb_lit(out, "\",\"lastUpdated\":\"");
    sb_str(out, str_c(instant));
    sb_char(out, '"');
    return body_open(sealed, out, err);
}
