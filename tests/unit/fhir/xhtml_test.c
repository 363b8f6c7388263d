#include "../test.h"

#include "fhir/xhtml.h"

#define DIV "<div xmlns=\"http://www.w3.org/1999/xhtml\">"

static const char *problem(const char *text)
{
    size_t at;

    return xhtml_problem(str_c(text), &at);
}

static void safe_narratives_pass(void **state)
{
    static const char *const good[] = {
        DIV "</div>",
        DIV "plain, é and 漢字</div>",
        "  <div xmlns='http://www.w3.org/1999/xhtml'>x</div>\n",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        DIV "<p><b>Name</b>: Eve &amp; &lt;Adam&gt; &#39;&#x41; &quot;&apos;</p><br/><hr /></div>",
        DIV "<table border=\"1\"><tbody><tr><td colspan=\"2\">a</td></tr></tbody></table></div>",
        DIV
        "<a href=\"http://a.example/x?y=1&amp;z=2\">x</a><a name=\"n\"/><a href=\"#n\">n</a></div>",
        DIV "<img src=\"data:image/png;base64,AA==\" alt=\"x\"/><img src=\"#pic\"/></div>",
        DIV "<p style=\"color: red; margin: 0 1px\" class=\"c\" xml:lang=\"de\">x</p></div>",
        DIV "<p style=\"background-image: url(tbl_bck1.png)\">x</p></div>",
        DIV "<p style=\"background: url(data:image/png;base64,iVBO/+==)\">x</p></div>",
        DIV "<!-- a - comment --><p title=\"it's\">x</p></div>",
        DIV "a ]] b ]&gt; c</div>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (problem(good[i]))
            fail_msg("%s: %s", good[i], problem(good[i]));
}

static void unsafe_narratives_are_named(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "not a <div>"},
        {"text", "not a <div>"},
        {"<p>x</p>", "not a <div>"},
        {"<div>x</div>", "not a <div>"},
        {"<div xmlns=\"http://www.w3.org/1999/html\">x</div>", "namespace"},
        {"<divx xmlns=\"http://www.w3.org/1999/xhtml\">x</divx>", "not allowed"},
        {DIV "<script>x</script></div>", "element that is not allowed"},
        {DIV "<SCRIPT>x</SCRIPT></div>", "element that is not allowed"},
        {DIV "<iframe src=\"x\"/></div>", "element that is not allowed"},
        {DIV "<style>x</style></div>", "element that is not allowed"},
        {DIV "<svg onload=\"x\"/></div>", "element that is not allowed"},
        {DIV "<form action=\"x\"/></div>", "element that is not allowed"},
        {DIV "<p onclick=\"x()\">x</p></div>", "attribute that is not allowed"},
        {DIV "<p OnClick=\"x()\">x</p></div>", "attribute that is not allowed"},
        {DIV "<img src=\"x\" onerror=\"x()\"/></div>", "attribute that is not allowed"},
        {DIV "<p xlink:href=\"x\">x</p></div>", "attribute that is not allowed"},
        {DIV "<a href=\"javascript:x()\">x</a></div>", "runs or carries"},
        {DIV "<a href=\" JavaScript:x()\">x</a></div>", "runs or carries"},
        {DIV "<a href=\"java&#x09;script&#58;x()\">x</a></div>", "runs or carries"},
        {DIV "<a href=\"java\tscript:x()\">x</a></div>", "runs or carries"},
        {DIV "<a href=\"&#106;avascript:x()\">x</a></div>", "runs or carries"},
        {DIV "<a href=\"data:text/html,x\">x</a></div>", "runs or carries"},
        {DIV "<a href=\"data:image/svg+xml,x\">x</a></div>", "runs or carries"},
        {DIV "<img src=\"data:text/html,x\"/></div>", "runs or carries"},
        {DIV "<q cite=\"vbscript:x\">x</q></div>", "runs or carries"},
        {DIV "<p style=\"background: URL(http://x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: url(//x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: url(/x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: url(x:y)\">x</p></div>", "style"},
        {DIV "<p style=\"background: url(data:text/html,x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: url(a.png) url(http://x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: u\\72l(http://x)\">x</p></div>", "style"},
        {DIV "<p style=\"background: u&#114;l(http://x)\">x</p></div>", "style"},
        {DIV "<p style=\"width: expression(x)\">x</p></div>", "style"},
        {DIV "<p style=\"a:b;-moz-binding:x\">x</p></div>", "style"},
        {DIV "<p>x</div></p>", "end tag"},
        {DIV "<p>x</div>", "end tag"},
        {DIV "<p>x", "ends within"},
        {DIV "<p", "well-formed"},
        {DIV "<p class=\"x", "does not end"},
        {DIV "<p class=x>x</p></div>", "without quotes"},
        {DIV "<p class>x</p></div>", "without a value"},
        {DIV "<p class=\"a\" class=\"b\">x</p></div>", "twice"},
        {DIV "<p class=\"a\"id=\"b\">x</p></div>", "well-formed"},
        {DIV "<p title=\"<b>\">x</p></div>", "'<' in an attribute"},
        {DIV "x</div>y", "behind its <div>"},
        {DIV "x</div><div/>", "behind its <div>"},
        {DIV "a < b</div>", "starts no element"},
        {DIV "a & b</div>", "'&'"},
        {DIV "&nbsp;</div>", "'&'"},
        {DIV "&#0;</div>", "'&'"},
        {DIV "&#xD800;</div>", "'&'"},
        {DIV "&#x110000;</div>", "'&'"},
        {DIV "&#12x;</div>", "'&'"},
        {DIV "&#x41</div>", "'&'"},
        {DIV "<![CDATA[<script>]]></div>", "starts no element"},
        {DIV "<?php x ?></div>", "starts no element"},
        {DIV "]]></div>", "]]>"},
        {DIV "<!--><img src=x>--></div>", "comment"},
        {DIV "<!-- a -- b --></div>", "comment"},
        {DIV "<!-- x</div>", "comment"},
        {DIV "\x01</div>", "control"},
        {"<!DOCTYPE html><div/>", "not a <div>"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *got = problem(bad[i].text);
        if (!got || !strstr(got, bad[i].says))
            fail_msg("%s: %s", bad[i].text, got ? got : "passed");
    }
}

static void depth_and_attributes_have_limits(void **state)
{
    char text[8192] = DIV;
    size_t n = strlen(text);

    (void)state;
    for (int i = 1; i < XHTML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "<i>");
    for (int i = 1; i < XHTML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "</i>");
    snprintf(text + n, sizeof text - n, "</div>");
    assert_null(problem(text));
    n = (size_t)snprintf(text, sizeof text, DIV);
    for (int i = 0; i < XHTML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "<i>");
    assert_string_equal(problem(text), "is nested too deep");
}

/* Every beginning of a good narrative is looked at without reading past it. */
static void cut_text_is_refused(void **state)
{
    static const char whole[] =
        DIV "<p style=\"color: red\"><a href='&#x6a;'>x</a><!-- c --></p></div>";

    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char *copy = malloc(n ? n : 1);
        size_t at;
        assert_non_null(copy);
        memcpy(copy, whole, n);
        assert_non_null(xhtml_problem(str_n(copy, n), &at));
        assert_true(at <= n);
        free(copy);
    }
    assert_null(problem(whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safe_narratives_pass),
        cmocka_unit_test(unsafe_narratives_are_named),
        cmocka_unit_test(depth_and_attributes_have_limits),
        cmocka_unit_test(cut_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
