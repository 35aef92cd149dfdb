/* Text as data, and its two forms: every kind of block, and characters that mean something. */
#include "render/report/article.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

/* Both forms of one paragraph. */
static void assert_forms(const char *said, enum span_kind kind, const char *markdown,
                         const char *html) {
    struct article article = {0};
    article_paragraph(&article);
    if (kind == SPAN_CODE)
        article_code(&article, "%s", said);
    else
        article_say(&article, "%s", said);
    char *text = article_markdown(&article), *page = article_html(&article);
    assert_string_equal(text, markdown);
    assert_holds(page, html);
    free(text);
    free(page);
    article_free(&article);
}

static void special_characters_mean_themselves(void **state) {
    (void)state;
    assert_forms("a<b> & \"c\"", SPAN_PLAIN, "a\\<b\\> \\& \"c\"\n",
                 "<p>a&lt;b&gt; &amp; &quot;c&quot;</p>");
    assert_forms("*x* _y_ [z](u) | $f$ @you", SPAN_PLAIN,
                 "\\*x\\* \\_y\\_ \\[z\\](u) \\| \\$f\\$ \\@you\n",
                 "<p>*x* _y_ [z](u) | $f$ @you</p>");
    assert_forms("1.5 is no list", SPAN_PLAIN, "1.5 is no list\n", "<p>1.5 is no list</p>");
    assert_forms("1. one", SPAN_PLAIN, "1\\. one\n", "<p>1. one</p>");
    assert_forms("- one", SPAN_PLAIN, "\\- one\n", "<p>- one</p>");
    assert_forms("63 %", SPAN_PLAIN, "63 %\n", "<p>63&nbsp;%</p>");
    assert_forms("", SPAN_PLAIN, "\n", "<p></p>");
    assert_forms("a_b*<c>", SPAN_CODE, "`a_b*<c>`\n", "<code>a_b*&lt;c&gt;</code>");
    assert_forms("a``b`", SPAN_CODE, "``` a``b` ```\n", "<code>a``b`</code>");
    assert_forms("two\nlines\x1b", SPAN_PLAIN, "two\\\\x0alines\\\\x1b\n", "two\\x0alines\\x1b");
}

static void every_block_has_both_forms(void **state) {
    static const struct article_column columns[] = {{"name", false}, {"count", true}};
    (void)state;
    struct article article = {0};
    article_heading(&article, 1, "Title");
    article_heading(&article, 2, "Section");
    article_item(&article);
    article_stress(&article, "one");
    article_item(&article);
    article_say(&article, "two");
    article_table(&article, columns, 2);
    article_cell(&article);
    article_code(&article, "a|b");
    article_cell(&article);
    article_say(&article, "%d", 7);
    article_listing(&article, "x = <1>");
    article_listing(&article, "```");
    article_figure(&article, &(struct article_picture){.name = "curve",
                                                       .alternate = "A [curve]",
                                                       .svg = memory_string("<svg/>"),
                                                       .size = 6});
    article_say(&article, "Its caption.");
    char *text = article_markdown(&article), *page = article_html(&article);
    assert_string_equal(text, "# Title\n\n## Section\n\n- **one**\n- two\n\n| name | count |\n"
                              "|---|--:|\n| `a\\|b` | 7 |\n\n````\nx = <1>\n```\n````\n\n"
                              "![A \\[curve\\]](figures/curve.svg)\n\nIts caption.\n");
    assert_holds(page, "<title>Title</title>");
    assert_holds(page, "<li><a href=\"#section-1\">Section</a></li>");
    assert_holds(page, "<h2 id=\"section-1\">Section</h2>\n<ul>\n<li><strong>one</strong></li>\n"
                       "<li>two</li>\n</ul>\n");
    assert_holds(page, "<thead>\n<tr><th scope=\"col\">name</th><th class=\"number\" "
                       "scope=\"col\">count</th></tr>\n</thead>\n<tbody>\n<tr><td><code>a|b</code>"
                       "</td><td class=\"number\">7</td></tr>\n</tbody>");
    assert_holds(page, "<pre><code>x = &lt;1&gt;\n```</code></pre>");
    assert_holds(page, "<img src=\"data:image/svg+xml;base64,PHN2Zy8+\" alt=\"A [curve]\">\n"
                       "<figcaption>Its caption.</figcaption>");
    free(text);
    free(page);
    article_free(&article);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_characters_mean_themselves),
        cmocka_unit_test(every_block_has_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
