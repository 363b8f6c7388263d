#include "trust/page.h"

#include "base/b64.h"

static const char style[] =
    "*{box-sizing:border-box}"
    "body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#f4f5f7}"
    "main{max-width:28rem;margin:0 auto;padding:1.25rem}"
    "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem}"
    "form{margin:0 0 1rem}label{display:block;font-weight:600;margin:1rem 0 .25rem}"
    "input{width:100%;font:inherit;padding:.6rem;border:1px solid #5b616b;border-radius:4px;"
    "background:#fff;color:inherit}"
    "button{font:inherit;font-weight:600;width:100%;min-height:44px;margin:1rem 0 0;padding:.5rem;"
    "border:2px solid #0b4f8a;border-radius:4px;background:#0b4f8a;color:#fff}"
    "button.plain,a.button{background:#fff;color:#0b4f8a}"
    "a.button{display:block;font-weight:600;min-height:44px;padding:.5rem;text-align:center;"
    "border:2px solid #0b4f8a;border-radius:4px;text-decoration:none}"
    "h2{font-size:1.15rem;margin:1.5rem 0 .25rem}"
    ":focus-visible{outline:3px solid #b35900;outline-offset:2px}"
    ".help{margin:.25rem 0;color:#454b54;font-size:.95rem}"
    ".problem{border-inline-start:4px solid #a61b1b;padding:.5rem .75rem;background:#fff;"
    "color:#7d1010;font-weight:600}"
    "ul{padding-inline-start:1.25rem}li{margin:.25rem 0}";

/* Its SHA-256 for the policy: made once, by the first page. */
static char style_hash[64];
static pthread_once_t style_once = PTHREAD_ONCE_INIT;

static void hash_style(void)
{
    unsigned char hash[SHA256_BYTES];
    _cleanup_(sb_done) struct sb out = sb_make(64);

    sha256(str_n(style, sizeof style - 1), hash);
    b64_encode(&out, str_n((const char *)hash, sizeof hash));
    snprintf(style_hash, sizeof style_hash, "%.*s", (int)out.n, out.p ? out.p : "");
}

static const struct {
    struct str name;
    bool rtl;
} languages[] = {
#define X(name, rtl) {{#name, 2}, rtl},
    PAGE_LANGUAGES(X)
#undef X
};

static int language_of(struct str tag)
{
    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
        if (tag.n >= 2 && str_eq_nocase(str_head(tag, 2), languages[i].name) &&
            (tag.n == 2 || tag.p[2] == '-' || tag.p[2] == ';'))
            return (int)i;
    return -1;
}

enum page_language page_language(struct str locales, struct str accept_language)
{
    struct str lists[] = {locales, accept_language}, part;
    char ends[] = {' ', ','};

    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        struct str rest = lists[k];

        while (rest.n && str_split(&rest, ends[k], &part)) {
            int found = language_of(str_trim(part));

            if (found >= 0)
                return (enum page_language)found;
        }
    }
    return PAGE_en;
}

void page_begin(struct page_out *p, struct oauth *o, struct str locales, enum page_text title)
{
    *p = (struct page_out){.o = o,
                           .out = &o->reply->body,
                           .language = page_language(locales, o->req->accept_language)};
    sb_reset(p->out);
    sb_fmt(p->out,
           "<!doctype html><html lang=\"%s\" dir=\"%s\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
           languages[p->language].name.p, languages[p->language].rtl ? "rtl" : "ltr");
    page_text(p, title);
    sb_lit(p->out, " - Carnet</title><style>");
    sb_str(p->out, str_n(style, sizeof style - 1));
    sb_lit(p->out, "</style></head><body><main><h1>");
    page_text(p, title);
    sb_lit(p->out, "</h1>");
}

void page_text(struct page_out *p, enum page_text text)
{
    sb_html(p->out, page_say(p->language, text));
}

void page_paragraph(struct page_out *p, enum page_text text)
{
    sb_lit(p->out, "<p>");
    page_text(p, text);
    sb_lit(p->out, "</p>");
}

void page_heading(struct page_out *p, enum page_text text)
{
    sb_lit(p->out, "<h2>");
    page_text(p, text);
    sb_lit(p->out, "</h2>");
}

void page_go(struct page_out *p, struct str url, enum page_text text, struct str name)
{
    sb_lit(p->out, "<p><a class=\"button\" rel=\"noreferrer\" href=\"");
    sb_html(p->out, url);
    sb_lit(p->out, "\">");
    page_text(p, text);
    sb_lit(p->out, " <bdi>");
    sb_html(p->out, name);
    sb_lit(p->out, "</bdi></a></p>");
}

void page_problem(struct page_out *p, enum page_text text)
{
    sb_lit(p->out, "<p class=\"problem\" role=\"alert\">");
    page_text(p, text);
    sb_lit(p->out, "</p>");
}

void page_hidden(struct page_out *p, const char *name, struct str value)
{
    sb_fmt(p->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    sb_html(p->out, value);
    sb_lit(p->out, "\">");
}

void page_link(struct page_out *p, const char *path, enum page_text text)
{
    sb_fmt(p->out, "<p><a href=\"%.*s%s\">", STR_ARG(p->o->t->root), path);
    page_text(p, text);
    sb_lit(p->out, "</a></p>");
}

void page_form(struct page_out *p, const char *action, struct str at, const char *what)
{
    sb_fmt(p->out, "<form method=\"post\" action=\"%.*s%s\">", STR_ARG(p->o->t->root), action);
    if (at.n)
        page_hidden(p, "at", at);
    if (what)
        sb_fmt(p->out, "<input type=\"hidden\" name=\"do\" value=\"%s\">", what);
}

void page_field(struct page_out *p, const char *name, enum page_text label, const char *type,
                const char *autocomplete, enum page_text help)
{
    sb_fmt(p->out, "<label for=\"%s\">", name);
    page_text(p, label);
    sb_lit(p->out, "</label>");
    if (help != PAGE_NO_HELP) {
        sb_fmt(p->out, "<p class=\"help\" id=\"%s-help\">", name);
        page_text(p, help);
        sb_lit(p->out, "</p>");
    }
    sb_fmt(p->out, "<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\" required", name,
           name, type, autocomplete);
    if (help != PAGE_NO_HELP)
        sb_fmt(p->out, " aria-describedby=\"%s-help\"", name);
    sb_lit(p->out, " autocapitalize=\"none\" spellcheck=\"false\">");
}

void page_button(struct page_out *p, const char *name, const char *value, enum page_text label)
{
    bool is_plain = label == TEXT_DENY;

    sb_fmt(p->out, "<button type=\"submit\"%s", is_plain ? " class=\"plain\"" : "");
    if (name)
        sb_fmt(p->out, " name=\"%s\" value=\"%s\"", name, value);
    sb_char(p->out, '>');
    page_text(p, label);
    sb_lit(p->out, "</button>");
}

void page_form_end(struct page_out *p)
{
    sb_lit(p->out, "</form>");
}

/* Scheme and host of a URL, as a policy names them: "https://app.example", "org.example.app:". */
static struct str origin_of(struct str url)
{
    ptrdiff_t colon = str_find(url, ':');
    struct str rest;

    if (colon < 0)
        return STR("");
    if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
        return str_head(url, (size_t)colon + 1);
    rest = str_from(url, (size_t)colon + 3);
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] == '/' || rest.p[i] == '?')
            return str_head(url, (size_t)colon + 3 + i);
    return url;
}

void page_end(struct page_out *p, int status, struct str redirect)
{
    struct str origin = redirect.p ? origin_of(redirect) : STR("");
    struct oauth *o = p->o;
    const char *script = p->has_script ? "; script-src 'self'" : "";
    struct str policy;

    pthread_once(&style_once, hash_style);
    policy = arena_fmt(o->a,
                       "default-src 'none'; style-src 'sha256-%s'; form-action 'self'%s%.*s; "
                       "frame-ancestors 'none'; base-uri 'none'%s",
                       style_hash, origin.n ? " " : "", STR_ARG(origin), script);
    if (p->has_script)
        sb_fmt(p->out, "<script src=\"%.*s/auth/passkey.js\"></script>", STR_ARG(o->t->root));
    sb_lit(p->out, "</main></body></html>\n");
    o->reply->status = status;
    o->reply->type = "text/html; charset=utf-8";
    oauth_header(o, "Cache-Control", STR("no-store"));
    oauth_header(o, "Content-Security-Policy",
                 policy.p ? policy : STR("default-src 'none'; frame-ancestors 'none'"));
    oauth_header(o, "X-Frame-Options", STR("DENY"));
    oauth_header(o, "X-Content-Type-Options", STR("nosniff"));
    /* Nothing to other sites. With "no-referrer" browsers send forms here as from nowhere, too. */
    oauth_header(o, "Referrer-Policy", STR("same-origin"));
}
