/* conformance_page.c - the tally as a page for a ministry: how much fell short, what to mend first,
 * and who sent it. In English or French; on a narrow screen each row of a table is a card.
 */
#include "api/conformance_int.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum text {
    T_TITLE,
    T_SINCE,
    T_RULE_IS,
    T_NOTHING,
    T_UNUSABLE,
    T_RULES,
    T_SENDERS,
    T_RECEIVED,
    T_SHORT,
    T_REFUSED,
    T_SHARE,
    T_SENDER,
    T_TYPE,
    T_RULE,
    T_PROFILE,
    T_END,
};

static const char *const texts[][T_END] = {
    [CONFORMANCE_ENGLISH] =
        {[T_TITLE] = "Conformance of what was received",
         [T_SINCE] = "Counted since",
         [T_RULE_IS] = "A resource falls short when it breaks a rule of a profile that it is held "
                       "to, or that it claims.",
         [T_NOTHING] = "Nothing was counted yet: resources are held to profiles, and counted, when "
                       "the node is started with <code>--profiles</code>.",
         [T_UNUSABLE] = "Records cannot be held to these profiles",
         [T_RULES] = "By rule, most often broken first",
         [T_SENDERS] = "By sender, largest share first",
         [T_RECEIVED] = "Received",
         [T_SHORT] = "Fell short",
         [T_REFUSED] = "Refused",
         [T_SHARE] = "Share",
         [T_SENDER] = "Sender",
         [T_TYPE] = "Type",
         [T_RULE] = "Rule",
         [T_PROFILE] = "Profile"},
    [CONFORMANCE_FRENCH] =
        {[T_TITLE] = "Conformité des ressources reçues",
         [T_SINCE] = "Décompte depuis le",
         [T_RULE_IS] =
             "Une ressource n’est pas conforme lorsqu’elle enfreint une règle d’un profil "
             "qui lui est imposé ou qu’elle déclare.",
         [T_NOTHING] = "Rien n’a encore été compté : les ressources sont vérifiées et comptées "
                       "lorsque le nœud est démarré avec <code>--profiles</code>.",
         [T_UNUSABLE] = "Profils qui ne peuvent pas être appliqués",
         [T_RULES] = "Par règle, la plus souvent enfreinte d’abord",
         [T_SENDERS] = "Par émetteur, la plus grande part d’abord",
         [T_RECEIVED] = "Reçues",
         [T_SHORT] = "Non conformes",
         [T_REFUSED] = "Refusées",
         [T_SHARE] = "Part",
         [T_SENDER] = "Émetteur",
         [T_TYPE] = "Type",
         [T_RULE] = "Règle",
         [T_PROFILE] = "Profil"},
};

/* clang-format off */
static const char style[] =
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color:#111;background:#fff}"
    "dl{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0 2rem}"
    "dl div{border:1px solid #767676;border-radius:.4rem;padding:.5rem 1rem;min-width:8rem}"
    "dd{margin:0;font-size:1.8rem;font-variant-numeric:tabular-nums}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}"
    "caption{text-align:left;font-weight:bold;font-size:1.2rem;padding:.5rem 0}"
    "th,td{border-bottom:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top;"
    "overflow-wrap:break-word}"
    "td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "i{display:block;height:.4rem;background:#b3261e;margin-left:auto}"
    "@media(max-width:40rem){thead{position:absolute;clip-path:inset(50%)}"
    "table,tbody,caption{display:block}tr{display:block;border:1px solid #767676;"
    "border-radius:.4rem;margin:0 0 1rem;padding:.3rem .6rem}"
    "tbody th{display:block;border:0;padding:.2rem 0}"
    "td,td.n{display:grid;grid-template-columns:8rem 1fr;border:0;padding:.1rem 0;text-align:left;"
    "white-space:normal}td::before{content:attr(data-l);color:#444}"
    "td i{grid-column:2;margin-left:0}}";
/* clang-format on */

struct sheet {
    struct sb *out;
    const char *const *texts;
    char point; /* of decimals */
};

static void put_share(const struct sheet *p, uint64_t part, uint64_t whole)
{
    unsigned long long share = whole ? (unsigned long long)(part * 1000.0 / whole + 0.5) : 0;

    sb_fmt(p->out, "%llu%c%llu&#8239;%%", share / 10, p->point, share % 10);
}

/* ---- cells ---- */

static void put_heading(const struct sheet *p, enum text text, bool is_number)
{
    sb_fmt(p->out, "<th scope=\"col\"%s>%s</th>", is_number ? " class=\"n\"" : "", p->texts[text]);
}

static void put_cell(const struct sheet *p, enum text label, struct str text)
{
    sb_fmt(p->out, "<td data-l=\"%s\">", p->texts[label]);
    sb_html(p->out, text);
    sb_lit(p->out, "</td>");
}

static void put_number(const struct sheet *p, enum text label, uint64_t n)
{
    sb_fmt(p->out, "<td class=\"n\" data-l=\"%s\">%llu</td>", p->texts[label],
           (unsigned long long)n);
}

static void put_bar(const struct sheet *p, uint64_t part, uint64_t whole)
{
    sb_fmt(p->out, "<td class=\"n\" data-l=\"%s\"><span>", p->texts[T_SHARE]);
    put_share(p, part, whole);
    sb_fmt(p->out, "</span><i style=\"width:%llu%%\"></i></td>",
           whole ? (unsigned long long)(part * 100 / whole) : 0);
}

static void begin_row(const struct sheet *p, struct str name)
{
    sb_lit(p->out, "<tr><th scope=\"row\">");
    sb_html(p->out, name);
    sb_lit(p->out, "</th>");
}

/* ---- tables ---- */

static void put_sender(const struct sheet *p, const struct tally_row *row)
{
    begin_row(p, row->sender);
    put_cell(p, T_TYPE, row->type);
    put_number(p, T_RECEIVED, row->received);
    put_number(p, T_SHORT, row->short_of);
    put_bar(p, row->short_of, row->received);
    put_number(p, T_REFUSED, row->refused);
    sb_lit(p->out, "</tr>\n");
}

static void put_rule(const struct sheet *p, const struct tally_row *row)
{
    struct str profile = row->profile.n ? row->profile : STR("FHIR R4");
    ptrdiff_t slash = str_rfind(profile, '/');

    begin_row(p, row->rule);
    sb_fmt(p->out, "<td data-l=\"%s\"><span title=\"", p->texts[T_PROFILE]);
    sb_html(p->out, profile);
    sb_lit(p->out, "\">");
    sb_html(p->out, str_from(profile, (size_t)(slash + 1)));
    sb_lit(p->out, "</span></td>");
    put_cell(p, T_SENDER, row->sender);
    put_cell(p, T_TYPE, row->type);
    put_number(p, T_SHORT, row->received);
    put_bar(p, row->received, row->whole ? row->whole->received : 0);
    sb_lit(p->out, "</tr>\n");
}

static double share_of(const struct tally_row *row)
{
    return row->received ? (double)row->short_of / (double)row->received : 0;
}

/* Rules by how often they were broken, senders by how much of what they sent. */
static int compare(const void *a, const void *b)
{
    const struct tally_row *x = *(const struct tally_row *const *)a;
    const struct tally_row *y = *(const struct tally_row *const *)b;
    double by = x->rule.n ? (double)y->received - (double)x->received : share_of(y) - share_of(x);

    return by > 0 ? 1 : by < 0 ? -1 : str_cmp(x->sender, y->sender);
}

static void put_table(const struct sheet *p, const struct tally_row *const *rows, size_t n,
                      bool of_rules)
{
    static const enum text heads[2][6] = {
        {T_SENDER, T_TYPE, T_RECEIVED, T_SHORT, T_SHARE, T_REFUSED},
        {T_RULE, T_PROFILE, T_SENDER, T_TYPE, T_SHORT, T_SHARE}};

    sb_fmt(p->out, "<table><caption>%s</caption><thead><tr>",
           p->texts[of_rules ? T_RULES : T_SENDERS]);
    for (size_t i = 0; i < ARRAY_LEN(heads[0]); i++)
        put_heading(p, heads[of_rules][i], i >= (of_rules ? 4 : 2));
    sb_lit(p->out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++)
        (of_rules ? put_rule : put_sender)(p, rows[i]);
    sb_lit(p->out, "</tbody></table>\n");
}

static int put_tables(const struct sheet *p, const struct tally *t, struct err *err)
{
    size_t n = 0, n_rules = 0, n_senders = 0;
    const struct tally_row **rows, **senders;

    for (const struct tally_row *row = t->first; row; row = row->behind)
        n++;
    rows = calloc(n * 2 + 1, sizeof(*rows));
    if (!rows)
        return err_no_memory(err);
    senders = rows + n;
    for (const struct tally_row *row = t->first; row; row = row->behind)
        if (row->rule.n)
            rows[n_rules++] = row;
        else
            senders[n_senders++] = row;
    qsort(rows, n_rules, sizeof(*rows), compare);
    qsort(senders, n_senders, sizeof(*rows), compare);
    put_table(p, rows, n_rules, true);
    put_table(p, senders, n_senders, false);
    free(rows);
    return 0;
}

/* ---- the whole ---- */

static void put_sum(const struct sheet *p, enum text label, uint64_t n, uint64_t whole)
{
    sb_fmt(p->out, "<div><dt>%s</dt><dd>%llu</dd>", p->texts[label], (unsigned long long)n);
    if (whole)
        put_share(p, n, whole);
    sb_lit(p->out, "</div>");
}

static void put_sums(const struct sheet *p, const struct tally *t)
{
    uint64_t received = 0, short_of = 0, refused = 0;

    for (const struct tally_row *row = t->first; row; row = row->behind) {
        if (row->rule.n)
            continue;
        received += row->received;
        short_of += row->short_of;
        refused += row->refused;
    }
    sb_lit(p->out, "<dl>");
    put_sum(p, T_RECEIVED, received, 0);
    put_sum(p, T_SHORT, short_of, received);
    put_sum(p, T_REFUSED, refused, received);
    sb_lit(p->out, "</dl>\n");
}

int tally_page(struct tally *t, struct str unusable, enum conformance_language language,
               struct sb *out, struct err *err)
{
    struct sheet p = {out, texts[language], language == CONFORMANCE_FRENCH ? ',' : '.'};
    char since[CLOCK_INSTANT_MAX];
    int r = 0;

    pthread_mutex_lock(&t->lock);
    sb_fmt(out,
           "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<title>%s</title>\n<style>",
           language == CONFORMANCE_FRENCH ? "fr" : "en", p.texts[T_TITLE]);
    sb_put(out, style, sizeof style - 1);
    sb_fmt(out, "</style></head>\n<body><main><h1>%s</h1>\n", p.texts[T_TITLE]);
    if (unusable.n) {
        sb_fmt(out, "<section><h2>%s</h2><ul>\n", p.texts[T_UNUSABLE]);
        sb_str(out, unusable);
        sb_lit(out, "</ul></section>\n");
    }
    if (t->first) {
        clock_format(t->since_ms, since);
        sb_fmt(out, "<p>%s <time datetime=\"%s\">%.10s %.5s UTC</time>. %s</p>\n", p.texts[T_SINCE],
               since, since, since + 11, p.texts[T_RULE_IS]);
        put_sums(&p, t);
        r = put_tables(&p, t, err);
    } else {
        sb_fmt(out, "<p>%s</p>\n", p.texts[T_NOTHING]);
    }
    sb_lit(out, "</main></body></html>\n");
    pthread_mutex_unlock(&t->lock);
    return r;
}

/* The first of an Accept-Language that the page has. */
enum conformance_language conformance_language(struct str accept)
{
    struct str one;

    while (accept.n && str_split(&accept, ',', &one)) {
        struct str tag = str_head(str_trim(one), 2);
        if (str_eq_nocase(tag, STR("fr")))
            return CONFORMANCE_FRENCH;
        if (str_eq_nocase(tag, STR("en")))
            return CONFORMANCE_ENGLISH;
    }
    return CONFORMANCE_ENGLISH;
}
