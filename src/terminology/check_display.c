/* check_display.c - the display of a coding beside those that its concept has.
 *
 * Of the texts in the languages that are asked for one must be the same but for case. Where there
 * is none in them, the concept's usual texts are taken, and it is said.
 */
#include "terminology/check_int.h"

#include "terminology/language.h"

#define LISTED_MAX 10 /* displays that a message names */

struct looking {
    struct checking *c;
    struct one *o;
    struct str given;
    bool any;           /* whatever the language */
    bool found, blanks; /* blanks: it would be one of them but for its blanks */
    size_t n;           /* displays that were looked at */
    struct sb names;    /* the first of them */
    struct str said[LISTED_MAX];
};

static bool is_blank(char c)
{
    return strchr(" \t\r\n", c) != NULL && c;
}

/* The same but for case, and for how blanks are written. */
static bool same_words(struct str a, struct str b)
{
    size_t i = 0, k = 0;

    a = str_trim(a);
    b = str_trim(b);
    while (i < a.n && k < b.n) {
        if (is_blank(a.p[i]) != is_blank(b.p[k]) ||
            (!is_blank(a.p[i]) && !str_eq_nocase(str_n(a.p + i, 1), str_n(b.p + k, 1))))
            return false;
        for (bool blank = is_blank(a.p[i]); blank && i + 1 < a.n && is_blank(a.p[i + 1]);)
            i++;
        for (bool blank = is_blank(b.p[k]); blank && k + 1 < b.n && is_blank(b.p[k + 1]);)
            k++;
        i++;
        k++;
    }
    return i == a.n && k == b.n;
}

static void look(struct looking *l, struct str text, struct str language)
{
    if (!text.n || (!l->any && !language_wanted(language, l->c->opt->language)))
        return;
    l->found |= str_eq_nocase(text, l->given);
    l->blanks |= same_words(text, l->given);
    for (size_t i = 0; i < MIN(l->n, (size_t)LISTED_MAX); i++)
        if (str_eq(l->said[i], text))
            return;
    if (l->n < LISTED_MAX) {
        l->said[l->n] = text;
        sb_fmt(&l->names, "%s\"%.*s\"", l->n ? ", " : "", STR_ARG(checking_shown(text)));
        if (language.n)
            sb_fmt(&l->names, " (%.*s)", STR_ARG(checking_shown(language)));
    }
    l->n++;
}

static void look_designations(struct looking *l, const struct cs *cs, uint32_t concept)
{
    size_t n;
    const struct cs_designation *d = cs_designations(cs, concept, &n);

    for (size_t i = 0; i < n; i++)
        look(l, cs_text(cs, d[i].value), cs_text(cs, d[i].language));
}

static void look_all(struct looking *l)
{
    struct one *o = l->o;
    const struct supplements *more = &l->c->opt->supplements;
    yyjson_val *v;
    size_t i, n;

    if (o->concept != CS_NONE) {
        look(l, cs_display(o->cs, o->concept), cs_text(o->cs, cs_info(o->cs)->language));
        look_designations(l, o->cs, o->concept);
    } else {
        look(l, o->display, STR(""));
    }
    for (i = 0; i < more->n; i++) {
        uint32_t concept = supplement_is_of(more->v[i], o->coding.system)
                               ? cs_find(more->v[i], o->coding.code)
                               : CS_NONE;
        if (concept == CS_NONE)
            continue;
        look(l, cs_display(more->v[i], concept),
             cs_text(more->v[i], cs_info(more->v[i])->language));
        look_designations(l, more->v[i], concept);
    }
    if (!o->listed)
        return;
    look(l, o->listed->display, js_get_str(l->c->vs->source, "language"));
    yyjson_arr_foreach(o->listed->designations, i, n, v) {
        look(l, js_get_str(v, "value"), js_get_str(v, "language"));
    }
}

static struct looking look_for(struct checking *c, struct one *o, bool any)
{
    struct looking l = {
        .c = c, .o = o, .given = str_trim(o->coding.display), .any = any, .names = sb_make(KIB(8))};

    look_all(&l);
    return l;
}

static void prefer(struct checking *c, struct one *o)
{
    const struct supplements *more = &c->opt->supplements;
    struct str language = STR_NULL, text;

    if (o->concept != CS_NONE)
        o->display = language_display(o->cs, o->concept, c->opt->language, &language);
    if (o->listed && o->listed->display.n && !o->display.n)
        o->display = o->listed->display;
    if (!c->opt->language.n || (o->display.n && language_wanted(language, c->opt->language)))
        return;
    for (size_t i = 0; i < more->n; i++) {
        uint32_t concept = cs_find(more->v[i], o->coding.code);
        text = concept == CS_NONE
                   ? STR("")
                   : language_display(more->v[i], concept, c->opt->language, &language);
        if (text.n && language.n && language_wanted(language, c->opt->language)) {
            o->display = text;
            return;
        }
    }
}

/* " in de, en": what was asked for, where something was. */
static struct str in_languages(struct checking *c)
{
    struct str in = STR("");

    if (c->opt->language.n)
        in = arena_fmt(c->s->a, " in \"%.*s\"", STR_ARG(checking_shown(c->opt->language)));
    return in.p ? in : STR("");
}

static void say_wrong(struct checking *c, struct one *o, const struct looking *l)
{
    enum saying what = l->blanks ? SAY_DISPLAY_BLANKS : SAY_DISPLAY_WRONG;
    struct str in = in_languages(c);

    checking_say(c, what, checking_where(c, "display"),
                 "\"%.*s\" is %s %.*s#%.*s%.*s; it has %zu: %.*s",
                 STR_ARG(checking_shown(o->coding.display)),
                 l->blanks ? "but for its blanks a display of" : "no display of",
                 STR_ARG(checking_shown(o->coding.system)), STR_ARG(checking_shown(o->coding.code)),
                 STR_ARG(in), l->n, STR_ARG(sb_view(&l->names)));
}

/* No text is in a language that is wanted. */
static bool without_language(struct checking *c, struct one *o)
{
    struct str code = checking_shown(o->coding.code), system = checking_shown(o->coding.system);
    struct str given = checking_shown(o->coding.display), display = checking_shown(o->display);
    struct str in = in_languages(c);
    struct looking l = look_for(c, o, true);
    bool found = l.found;

    sb_done(&l.names);
    if (!l.n) {
        checking_say(c, SAY_DISPLAY_NONE, checking_where(c, "display"),
                     "\"%.*s\" cannot be compared: %.*s#%.*s has no display", STR_ARG(given),
                     STR_ARG(system), STR_ARG(code));
        return true;
    }
    if (found)
        checking_say(c, SAY_DISPLAY_OF_OTHER_LANGUAGE, checking_where(c, "display"),
                     "\"%.*s\" is the usual display of %.*s#%.*s, which has none%.*s",
                     STR_ARG(given), STR_ARG(system), STR_ARG(code), STR_ARG(in));
    else
        checking_say(c, SAY_DISPLAY_NO_LANGUAGE, checking_where(c, "display"),
                     "\"%.*s\" is no display of %.*s#%.*s, which has none%.*s and is usually "
                     "called \"%.*s\"",
                     STR_ARG(given), STR_ARG(system), STR_ARG(code), STR_ARG(in), STR_ARG(display));
    return found;
}

bool checking_display(struct checking *c, struct one *o)
{
    struct looking l;
    bool ok;

    prefer(c, o);
    /* A unit has no display but itself; nothing can be wrong about one. */
    if (!o->coding.display.n || (o->cs && cs_info(o->cs)->grammar == GRAMMAR_UCUM))
        return true;
    l = look_for(c, o, false);
    ok = l.found;
    if (!ok && l.n)
        say_wrong(c, o, &l);
    else if (!ok)
        ok = without_language(c, o);
    sb_done(&l.names);
    return ok || c->opt->lenient_display;
}
