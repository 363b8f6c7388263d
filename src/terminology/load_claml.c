/* load_claml.c - classifications in ClaML 2.0 (XML), as WHO gives ICD-10 and others give theirs.
 *
 * Read as a stream. A class is a concept below its first SuperClass; chapters and blocks cannot be
 * chosen. A class that is modified (ModifiedBy) has the classes of the modifier as codes below it,
 * and so has what is below it where that is not modified itself. Nothing but the file is read:
 * external subsets and entities are not followed, and entities cannot be declared.
 * Source: CEN/TS 14463 (ClaML), and the DTD that comes with WHO's files.
 */
#include "terminology/load_int.h"

#include <libxml/parser.h>
#include <pthread.h>
#include <stdlib.h>

#define TEXT_MAX KIB(16) /* of one label */
#define DEPTH_MAX 40     /* of classes below each other, and of modifiers of one class */

struct claml_class {
    text_at code, kind, usage, super, display, definition;
    uint32_t line;
    uint32_t first, next; /* child and sibling, + 1 */
};

/* What hangs at a class, by its number. */
struct claml_rubric {
    uint32_t of;
    text_at kind, language, text;
};

struct claml_use {
    uint32_t of;
    bool excludes;
    text_at modifier;
};

struct claml_part {
    text_at modifier, code, display;
};

struct load_claml {
    struct text_pool pool;
    struct arena a; /* codes and names that modifiers make */
    struct grow classes, rubrics, uses, parts;
    char name[100], version[60], language[20];
    /* while it is read */
    xmlParserCtxtPtr parser;
    bool in_class, in_part, in_label, failed;
    int label_depth;
    text_at kind, label_language;
    char text[TEXT_MAX];
    size_t text_n;
    struct cs_builder *b;
    struct err *err;
};

/* The modifiers that hold for a class, from the outermost on. */
struct modifiers {
    text_at v[DEPTH_MAX];
    size_t n;
};

/* ---- reading ---- */

static bool out_of_memory(const struct load_claml *x)
{
    return x->pool.failed || x->classes.failed || x->rubrics.failed || x->uses.failed ||
           x->parts.failed;
}

static void refuse(struct load_claml *x, int code, const char *what, struct str of)
{
    if (x->failed)
        return;
    x->failed = true;
    if (out_of_memory(x)) { /* what was not kept looks as if it were not there */
        err_no_memory(x->err);
        xmlStopParser(x->parser);
        return;
    }
    err_set(x->err, code, "line %d: %s \"%.*s\"", xmlSAX2GetLineNumber(x->parser), what,
            (int)MIN(of.n, 60u), of.n ? of.p : "");
    xmlStopParser(x->parser);
}

static struct str text(const struct load_claml *x, text_at at)
{
    return text_pool_get(&x->pool, at);
}

static struct str attribute(const xmlChar **attributes, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        const xmlChar **a = attributes + 5 * i;
        if (strcmp((const char *)a[0], name) == 0)
            return str_n((const char *)a[3], (size_t)(a[4] - a[3]));
    }
    return STR("");
}

static text_at keep(struct load_claml *x, struct str s)
{
    return text_pool_add(&x->pool, s);
}

static struct claml_class *this_class(struct load_claml *x)
{
    return x->in_class ? GROW_AT(&x->classes, struct claml_class, x->classes.n - 1) : NULL;
}

static void begin_class(struct load_claml *x, struct str code, struct str kind, struct str usage)
{
    struct claml_class *c;

    if (!code.n || code.n > CS_CODE_MAX) {
        refuse(x, ERR_SYNTAX, "a class has no code, or one that is too long", code);
        return;
    }
    if (x->in_class) {
        refuse(x, ERR_SYNTAX, "a class stands inside another:", code);
        return;
    }
    c = grow_add(&x->classes, sizeof *c);
    if (!c)
        return;
    *c = (struct claml_class){.code = keep(x, code),
                              .kind = keep(x, kind),
                              .usage = keep(x, usage),
                              .line = (uint32_t)xmlSAX2GetLineNumber(x->parser)};
    x->in_class = true;
}

static void begin_part(struct load_claml *x, struct str modifier, struct str code)
{
    struct claml_part *p = grow_add(&x->parts, sizeof *p);

    if (!modifier.n || !code.n)
        refuse(x, ERR_SYNTAX, "a class of a modifier has no code, or no modifier:", code);
    if (p)
        *p = (struct claml_part){keep(x, modifier), keep(x, code), 0};
    x->in_part = p != NULL;
}

static void add_use(struct load_claml *x, struct str modifier, bool excludes)
{
    struct claml_use *u = x->in_class ? grow_add(&x->uses, sizeof *u) : NULL;

    if (u)
        *u = (struct claml_use){(uint32_t)x->classes.n - 1, excludes, keep(x, modifier)};
}

static void keep_title(struct load_claml *x, struct str name, struct str version, struct str date)
{
    snprintf(x->name, sizeof x->name, "%.*s", (int)MIN(name.n, 99u), name.p);
    if (!version.n)
        version = date;
    snprintf(x->version, sizeof x->version, "%.*s", (int)MIN(version.n, 59u), version.p);
}

static void on_start(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n, int n_defaulted,
                     const xmlChar **attributes)
{
    struct load_claml *x = ctx;
    struct str name = str_c((const char *)local);

    (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    if (x->failed)
        return;
    if (x->in_label)
        x->label_depth++;
    else if (str_eq(name, STR("Title")))
        keep_title(x, attribute(attributes, n, "name"), attribute(attributes, n, "version"),
                   attribute(attributes, n, "date"));
    else if (str_eq(name, STR("Class")))
        begin_class(x, attribute(attributes, n, "code"), attribute(attributes, n, "kind"),
                    attribute(attributes, n, "usage"));
    else if (str_eq(name, STR("ModifierClass")))
        begin_part(x, attribute(attributes, n, "modifier"), attribute(attributes, n, "code"));
    else if (str_eq(name, STR("SuperClass")) && x->in_class && !this_class(x)->super)
        this_class(x)->super = keep(x, attribute(attributes, n, "code"));
    else if (str_eq(name, STR("ModifiedBy")) || str_eq(name, STR("ExcludeModifier")))
        add_use(x, attribute(attributes, n, "code"), str_eq(name, STR("ExcludeModifier")));
    else if (str_eq(name, STR("Rubric")))
        x->kind = keep(x, attribute(attributes, n, "kind"));
    else if (str_eq(name, STR("Label")) && (x->in_class || x->in_part)) {
        x->in_label = true;
        x->label_depth = 0;
        x->text_n = 0;
        x->label_language = keep(x, attribute(attributes, n, "lang"));
    }
}

/* Blanks and line ends between words become one blank. */
static void on_text(void *ctx, const xmlChar *p, int n)
{
    struct load_claml *x = ctx;

    for (int i = 0; x->in_label && i < n; i++) {
        bool blank = strchr(" \t\r\n", (char)p[i]) != NULL;
        if (blank && (!x->text_n || x->text[x->text_n - 1] == ' '))
            continue;
        if (x->text_n == TEXT_MAX) {
            refuse(x, ERR_TOO_LONG, "a label is too long:", str_n(x->text, 60));
            return;
        }
        x->text[x->text_n++] = blank ? ' ' : (char)p[i];
    }
}

static void end_label(struct load_claml *x)
{
    struct str label = str_trim(str_n(x->text, x->text_n)), kind = text(x, x->kind);
    struct claml_class *c = this_class(x);
    struct claml_rubric *r;

    x->in_label = false;
    if (!x->language[0])
        snprintf(x->language, sizeof x->language, "%.*s",
                 (int)MIN(text(x, x->label_language).n, 19u), text(x, x->label_language).p);
    if (!c) {
        struct claml_part *p = GROW_AT(&x->parts, struct claml_part, x->parts.n - 1);
        if (str_eq(kind, STR("preferred")) && !p->display)
            p->display = keep(x, label);
        return;
    }
    if (str_eq(kind, STR("preferred")) && !c->display) {
        c->display = keep(x, label);
        return;
    }
    if (str_eq(kind, STR("definition")) && !c->definition) {
        c->definition = keep(x, label);
        return;
    }
    r = label.n ? grow_add(&x->rubrics, sizeof *r) : NULL;
    if (r)
        *r = (struct claml_rubric){(uint32_t)x->classes.n - 1, x->kind, x->label_language,
                                   keep(x, label)};
}

static void on_end(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct load_claml *x = ctx;
    struct str name = str_c((const char *)local);

    (void)prefix, (void)uri;
    if (x->failed)
        return;
    if (x->in_label && x->label_depth) {
        x->label_depth--;
        on_text(x, (const xmlChar *)" ", 1); /* fragments are words apart */
    } else if (x->in_label) {
        end_label(x);
    } else if (str_eq(name, STR("Class"))) {
        struct claml_class *c = this_class(x); /* NULL: memory ended */
        if (c && !c->display)
            refuse(x, ERR_SYNTAX, "there is no preferred label of the class", text(x, c->code));
        x->in_class = false;
    } else if (str_eq(name, STR("ModifierClass"))) {
        x->in_part = false;
    }
}

static void say_malformed(struct load_claml *x, const xmlError *e)
{
    char why[200];
    size_t n = 0;

    if (x->failed || e->level < XML_ERR_ERROR)
        return;
    x->failed = true;
    /* Their message may quote what no message of ours can hold. */
    for (const char *p = e->message; p && *p && *p != '\n' && n < sizeof why - 1; p++)
        why[n++] = *p >= ' ' && *p < 127 ? *p : '?';
    why[n] = '\0';
    if (e->code == XML_ERR_NO_MEMORY)
        err_no_memory(x->err);
    else
        err_set(x->err, ERR_SYNTAX, "line %d: not XML: %s", e->line, why);
}

#if LIBXML_VERSION >= 21200
static void on_error(void *ctx, const xmlError *e)
#else
static void on_error(void *ctx, xmlErrorPtr e)
#endif
{
    say_malformed(ctx, e);
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
    .serror = on_error,
};

bool load_is_claml(struct str start)
{
    static const char name[] = "<ClaML";

    return memmem(start.p, start.n, name, sizeof name - 1) != NULL;
}

static int parse(struct load_claml *x, struct unpack *u, struct err *err)
{
    struct str bytes;
    int r = 0;

    while (!x->failed && (r = unpack_bytes(u, &bytes, err)) > 0)
        xmlParseChunk(x->parser, bytes.p, (int)bytes.n, 0);
    if (r < 0)
        return r;
    if (!x->failed)
        xmlParseChunk(x->parser, NULL, 0, 1);
    if (x->failed)
        return err->code;
    if (!x->parser->wellFormed)
        return err_set(err, ERR_SYNTAX, "not XML: it does not end where it should");
    return out_of_memory(x) ? err_no_memory(err) : 0;
}

/* ---- the tree ---- */

/* Children in the order of the file; 1: the class is at the top. */
static int link_children(struct load_claml *x, struct err *err)
{
    uint32_t *by_place = calloc(x->pool.bytes.n + 1, sizeof *by_place);
    uint32_t *last = calloc(x->classes.n + 1, sizeof *last);
    int r = by_place && last ? 0 : err_no_memory(err);

    for (size_t i = 0; r >= 0 && i < x->classes.n; i++) {
        struct claml_class *c = GROW_AT(&x->classes, struct claml_class, i);
        if (by_place[c->code])
            r = err_set(err, ERR_SYNTAX, "line %u: the code \"%.*s\" stands twice", c->line,
                        STR_ARG(text(x, c->code)));
        by_place[c->code] = (uint32_t)i + 1;
    }
    for (size_t i = 0; r >= 0 && i < x->classes.n; i++) {
        struct claml_class *c = GROW_AT(&x->classes, struct claml_class, i), *above;
        uint32_t super = c->super ? by_place[c->super] : 0;
        if (!c->super)
            continue;
        if (!super) {
            r = err_set(err, ERR_SYNTAX, "line %u: the superclass \"%.*s\" does not exist", c->line,
                        STR_ARG(text(x, c->super)));
            break;
        }
        above = GROW_AT(&x->classes, struct claml_class, super - 1);
        *(last[super - 1] ? &GROW_AT(&x->classes, struct claml_class, last[super - 1] - 1)->next
                          : &above->first) = (uint32_t)i + 1;
        last[super - 1] = (uint32_t)i + 1;
    }
    free(by_place);
    free(last);
    return r;
}

static int add_concept(struct load_claml *x, struct str code, struct str display,
                       struct str definition, uint32_t flags, uint32_t parent, uint32_t *ret,
                       struct err *err)
{
    if (cs_builder_n(x->b) >= CS_CONCEPTS_MAX)
        return err_set(err, ERR_COSTLY, "the classification has more than %d codes",
                       CS_CONCEPTS_MAX);
    *ret = cs_builder_add(x->b, code, display, definition, flags);
    if (*ret == CS_NONE)
        return cs_builder_refused(x->b, code, err);
    if (parent != CS_NONE)
        cs_builder_parent(x->b, *ret, parent);
    return 0;
}

/* The codes that a modifier makes of a code: "F10" and ".0" give F10.0, "E10.1" and ".2" E10.12. */
static int add_modified(struct load_claml *x, struct str code, struct str display, uint32_t parent,
                        const struct modifiers *m, size_t at, struct err *err)
{
    struct str longer, name;
    uint32_t concept;
    int r = 0;

    for (size_t i = 0; r >= 0 && at < m->n && i < x->parts.n; i++) {
        const struct claml_part *p = GROW_AT(&x->parts, struct claml_part, i);
        struct str tail = text(x, p->code), label = text(x, p->display);
        if (p->modifier != m->v[at])
            continue;
        if (tail.n && tail.p[0] == '.' && str_find(code, '.') >= 0)
            tail = str_from(tail, 1);
        if (code.n + tail.n > CS_CODE_MAX)
            return err_set(err, ERR_SYNTAX, "the code \"%.*s\" becomes too long",
                           (int)MIN(code.n, 60u), code.p);
        longer = arena_join(&x->a, (const struct str[]){code, tail}, 2);
        name = arena_join(&x->a, (const struct str[]){display, STR(" : "), label}, 3);
        if (!longer.p || !name.p)
            return err_no_memory(err);
        r = add_concept(x, longer, name, STR(""), 0, parent, &concept, err);
        if (r >= 0)
            r = add_modified(x, longer, name, concept, m, at + 1, err);
    }
    return r;
}

/* uses are in the order of their classes. */
static int modify(const struct load_claml *x, uint32_t i, struct modifiers *m, struct err *err)
{
    size_t low = 0, high = x->uses.n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (GROW_AT(&x->uses, struct claml_use, mid)->of < i)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < x->uses.n; low++) {
        const struct claml_use *u = GROW_AT(&x->uses, struct claml_use, low);
        size_t k = 0;
        if (u->of != i)
            break;
        while (k < m->n && m->v[k] != u->modifier)
            k++;
        if (u->excludes && k < m->n) {
            memmove(m->v + k, m->v + k + 1, (m->n - k - 1) * sizeof *m->v);
            m->n--;
        } else if (!u->excludes && k == m->n) {
            if (m->n == DEPTH_MAX)
                return err_set(err, ERR_COSTLY, "a class has more than %d modifiers", DEPTH_MAX);
            m->v[m->n++] = u->modifier;
        }
    }
    return 0;
}

static int add_class(struct load_claml *x, uint32_t i, uint32_t parent, struct modifiers m,
                     int depth, uint32_t *numbers, struct err *err)
{
    const struct claml_class *c = GROW_AT(&x->classes, struct claml_class, i);
    struct str kind = text(x, c->kind), code = text(x, c->code), display = text(x, c->display);
    bool group = str_eq(kind, STR("chapter")) || str_eq(kind, STR("block"));
    uint32_t concept;
    int r;

    if (depth > DEPTH_MAX)
        return err_set(err, ERR_COSTLY, "line %u: classes lie below each other deeper than %d",
                       c->line, DEPTH_MAX);
    r = add_concept(x, code, display, text(x, c->definition), group ? CONCEPT_ABSTRACT : 0, parent,
                    &concept, err);
    if (r < 0 || (r = modify(x, i, &m, err)) < 0)
        return r;
    numbers[i] = concept;
    if (!c->first && !group)
        return add_modified(x, code, display, concept, &m, 0, err);
    for (uint32_t child = c->first; r >= 0 && child;
         child = GROW_AT(&x->classes, struct claml_class, child - 1)->next)
        r = add_class(x, child - 1, concept, m, depth + 1, numbers, err);
    return r;
}

static void add_properties(struct load_claml *x, const uint32_t *numbers)
{
    uint32_t kind = cs_builder_property_def(x->b, STR("kind"), STR(""),
                                            STR("chapter, block or category"), PROPERTY_CODE);
    uint32_t usage = cs_builder_property_def(x->b, STR("usage"), STR(""),
                                             STR("what the code is marked as"), PROPERTY_CODE);

    for (size_t i = 0; i < x->classes.n; i++) {
        const struct claml_class *c = GROW_AT(&x->classes, struct claml_class, i);
        if (c->kind)
            cs_builder_property(x->b, numbers[i], kind, PROPERTY_CODE, text(x, c->kind), STR(""),
                                STR(""));
        if (c->usage)
            cs_builder_property(x->b, numbers[i], usage, PROPERTY_CODE, text(x, c->usage), STR(""),
                                STR(""));
    }
    /* What a class includes are other names of it; other rubrics say something about it. */
    for (size_t i = 0; i < x->rubrics.n; i++) {
        const struct claml_rubric *r = GROW_AT(&x->rubrics, struct claml_rubric, i);
        struct str what = text(x, r->kind);
        if (str_eq(what, STR("inclusion")) || str_starts(what, STR("preferred")))
            cs_builder_designation(x->b, numbers[r->of], text(x, r->language), STR(""), what,
                                   STR(""), text(x, r->text));
        else
            cs_builder_property(
                x->b, numbers[r->of],
                cs_builder_property_def(x->b, what, STR(""), STR(""), PROPERTY_STRING),
                PROPERTY_STRING, text(x, r->text), STR(""), STR(""));
    }
}

static int build(struct load_claml *x, struct err *err)
{
    uint32_t *numbers = calloc(x->classes.n + 1, sizeof *numbers);
    struct modifiers none = {.n = 0};
    size_t n = 0;
    int r = numbers ? link_children(x, err) : err_no_memory(err);

    for (size_t i = 0; r >= 0 && i < x->classes.n; i++)
        if (!GROW_AT(&x->classes, struct claml_class, i)->super) {
            r = add_class(x, (uint32_t)i, CS_NONE, none, 0, numbers, err);
            n++;
        }
    for (size_t i = 0; r >= 0 && i < x->classes.n; i++)
        if (cs_builder_find(x->b, text(x, GROW_AT(&x->classes, struct claml_class, i)->code)) ==
            CS_NONE)
            r = err_set(err, ERR_PROCESSING, "the class \"%.*s\" lies below itself",
                        STR_ARG(text(x, GROW_AT(&x->classes, struct claml_class, i)->code)));
    if (r >= 0)
        add_properties(x, numbers);
    free(numbers);
    return r;
}

/* ---- what it is ---- */

struct classification {
    const char *name; /* how the title begins */
    const char *url;
    struct load_about about;
};

static const struct classification known[] = {
    {"ICD-10-GM",
     "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
     {.id = "icd-10-gm", .name = "ICD10GM", .title = "ICD-10-GM", .publisher = "BfArM"}},
    {"OPS",
     "http://fhir.de/CodeSystem/bfarm/ops",
     {.id = "ops", .name = "OPS", .title = "OPS", .publisher = "BfArM"}},
    {"ICD-10",
     "http://hl7.org/fhir/sid/icd-10",
     {.id = "icd-10",
      .name = "ICD10",
      .title = "International Classification of Diseases, 10th revision",
      .publisher = "World Health Organization",
      .copyright = "World Health Organization"}},
    {"ICF",
     "http://hl7.org/fhir/sid/icf",
     {.id = "icf",
      .name = "ICF",
      .title = "International Classification of Functioning, Disability and Health",
      .publisher = "World Health Organization",
      .copyright = "World Health Organization"}},
    {"ICPC-2",
     "http://hl7.org/fhir/sid/icpc-2",
     {.id = "icpc-2", .name = "ICPC2", .title = "International Classification of Primary Care"}},
};

static int give(struct load *l, struct load_claml *x, struct err *err)
{
    const struct classification *c = NULL;
    struct cs_info *info = cs_builder_info(x->b);

    for (size_t i = 0; i < ARRAY_LEN(known) && !c; i++)
        if (str_starts(str_c(x->name), str_c(known[i].name)))
            c = &known[i];
    if (!c)
        return err_set(err, ERR_NOT_SUPPORTED, "the classification \"%s\" is not known", x->name);
    info->url = cs_builder_text(x->b, str_c(c->url));
    info->version = cs_builder_text(x->b, str_c(x->version));
    info->name = cs_builder_text(x->b, str_c(c->about.name));
    info->title = cs_builder_text(x->b, str_c(c->about.title));
    info->language = cs_builder_text(x->b, str_c(x->language));
    info->hierarchy = cs_builder_text(x->b, STR("is-a"));
    info->status = cs_builder_text(x->b, STR("active"));
    info->content = CONTENT_COMPLETE;
    return load_give_system(l, x->b, &c->about, err);
}

static void done(struct load_claml *x)
{
    /* Entities that a file tries to declare make it begin a document, though nobody asks for it. */
    if (x->parser)
        xmlFreeDoc(x->parser->myDoc);
    xmlFreeParserCtxt(x->parser);
    cs_builder_free(x->b);
    arena_done(&x->a);
    text_pool_done(&x->pool);
    grow_done(&x->classes);
    grow_done(&x->rubrics);
    grow_done(&x->uses);
    grow_done(&x->parts);
    free(x);
}

int load_claml(struct load *l, struct unpack *u, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct load_claml *x = load_alloc(sizeof *x);
    int r;

    if (!x)
        return err_no_memory(err);
    pthread_once(&once, xmlInitParser);
    x->err = err;
    x->b = cs_builder_new();
    text_pool_init(&x->pool);
    arena_init(&x->a, LOAD_RESOURCE_MAX * 4);
    x->parser = xmlCreatePushParserCtxt((xmlSAXHandler *)(uintptr_t)&handler, x, NULL, 0, NULL);
    if (!x->parser || !x->b) {
        done(x);
        return err_no_memory(err);
    }
    cs_builder_info(x->b)->flags = CS_CASE_UNKNOWN;
    xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    r = parse(x, u, err);
    if (r >= 0 && !x->classes.n)
        r = err_set(err, ERR_SYNTAX, "the classification has no classes");
    if (r >= 0)
        r = build(x, err);
    if (r >= 0)
        r = give(l, x, err);
    done(x);
    return r;
}
