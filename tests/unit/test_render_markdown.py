"""What Markdown becomes on a page."""

from __future__ import annotations

import pytest

from chat.render import render

REL = 'target="_blank" rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("", ""),
        (" \n\n ", ""),
        ("a", "<p>a</p>"),
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb", "<p>a<br>b</p>"),
        ("a\n\nb", "<p>a</p><p>b</p>"),
        ("# A *b*", "<h1>A <em>b</em></h1>"),
        ("**a** ~~b~~ `c`", "<p><strong>a</strong> <s>b</s> <code>c</code></p>"),
        ("- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("3. a", '<ol start="3"><li><p>a</p></li></ol>'),
        ("- [ ] a\n- [x] b", "<ul><li><p>☐ a</p></li><li><p>☑ b</p></li></ul>"),
        ("> a", "<blockquote><p>a</p></blockquote>"),
        ("---", "<hr>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("a & b &copy;", "<p>a &amp; b ©</p>"),
    ],
)
def test_markdown(text: str, markup: str) -> None:
    assert render(text) == markup


def test_a_list_looks_the_same_tight_or_loose() -> None:
    assert render("- a\n- b") == render("- a\n\n- b")


def test_a_table_can_be_scrolled_and_keeps_its_sides() -> None:
    assert render("| a | b |\n|:-:|--:|\n| 1 | 2 |") == (
        '<div class="table" tabindex="0"><table><thead><tr><th class="center">a</th>'
        '<th class="right">b</th></tr></thead><tbody><tr><td class="center">1</td>'
        '<td class="right">2</td></tr></tbody></table></div>'
    )


def test_code_has_its_language_and_colours() -> None:
    assert render("```Python\nx = 1\n```") == (
        '<div class="code" data-language="Python">'
        '<button type="button" class="copy-button" aria-labelledby="copy-label"></button>'
        '<pre tabindex="0"><code>'
        '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>\n'
        "</code></pre></div>"
    )


@pytest.mark.parametrize("language", ["", "unheard-of", '"><b>', "a" * 40])
def test_code_of_no_known_language_is_plain(language: str) -> None:
    assert "<code>x = 1\n</code>" in render(f"```{language}\nx = 1\n```")


def test_code_in_a_lexer_that_changes_text_stays_as_it_was() -> None:
    assert "\n\n  x\n\n" in render("```text\n\n\n  x\n\n\n```")


@pytest.mark.parametrize("text", ["https://a.example/b", "<https://a.example/b>"])
def test_an_address_is_a_link(text: str) -> None:
    assert render(text) == f'<p><a href="https://a.example/b" {REL}>https://a.example/b</a></p>'


@pytest.mark.parametrize("text", ["main.py", "example.com", "a@b.example", "10.0.0.1"])
def test_what_names_no_scheme_is_no_link(text: str) -> None:
    assert render(text) == f"<p>{text}</p>"


def test_a_picture_is_a_link() -> None:
    link = f'<a href="https://a.example/p.png" {REL}>cat</a>'
    assert render("![cat](https://a.example/p.png)") == f"<p>{link}</p>"


def test_a_picture_in_a_link_is_its_name() -> None:
    link = f'<a href="https://a.example" {REL}>cat</a>'
    assert render("[![cat](https://b.example/p.png)](https://a.example)") == f"<p>{link}</p>"


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("$x$", "inline"),
        (r"\(x\)", "inline"),
        ("$$x$$", "block"),
        ("$$\nx\n$$", "block"),
        (r"\[x\]", "block"),
        ("\\[\nx\n\\]", "block"),
        (r"so \[x\] there", "block"),
    ],
)
def test_tex_is_mathml(text: str, display: str) -> None:
    assert f'<math display="{display}"><mrow><mi>x</mi></mrow></math>' in render(text)


@pytest.mark.parametrize(
    "text",
    ["It costs $5 and $10.", "from $5 to $10", "US$ 5 or A$ 7", "$5-$10", r"\$x\$", "`$x$`", "5$"],
)
def test_prices_stay_prices(text: str) -> None:
    assert "<math" not in render(text)


@pytest.mark.parametrize("tex", ["{", r"\left(", r"\unheardof{x}", "x" * 2_001])
def test_tex_that_fails_is_shown_as_it_was_written(tex: str) -> None:
    assert render(f"${tex}$") == f'<p><code class="tex">{tex}</code></p>'


def test_tex_keeps_what_it_quotes_as_text() -> None:
    assert r"&lt;b&gt;" in render(r"$\text{<b>}$") and "<b>" not in render(r"$\text{<b>}$")


def test_brackets_that_never_close_are_text() -> None:
    assert "<math" not in render(r"\(x and \[y")


@pytest.mark.parametrize("text", ["> " * 200 + "deep", "- " * 200 + "deep"])
def test_what_stands_too_deep_is_plain(text: str) -> None:
    assert render(text) == f'<p class="plain">{text.replace(">", "&gt;")}</p>'


def test_what_stands_deep_is_shown() -> None:
    assert render("> " * 19 + "deep").startswith("<blockquote>" * 19 + "<p>deep</p>")


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "*a " * 7_000, "\\(" * 10_000, "> " * 10_000, "`a``" * 5_000, "$a" * 10_000],
    ids=lambda text: text[:4],
)
def test_odd_texts_lose_nothing(text: str) -> None:
    assert len(render(text)) >= len(text) // 3
