"""Every encoder keeps the structure of its sink and the text, whatever the text is."""

from __future__ import annotations

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackseal.report import encode, marker
from unit.report.hostile import ALL, COMMANDS, Page, gfm, live_commands

texts = st.one_of(
    st.sampled_from(ALL),
    st.text(max_size=60),
    st.text(alphabet="`|\\*_<>&@#[]()!~:-\n\r\t ab1.", max_size=40),
    st.lists(st.sampled_from(ALL), min_size=2, max_size=4).map("".join),
)
TABLE = "| h | k |\n|-|-|\n| {} | z |\n"


def shown(text: str) -> str:
    return encode.one_line(text) or " "


@given(texts)
def test_a_code_span_holds_the_text_and_nothing_else(text: str) -> None:
    page = Page(gfm(f"a {encode.code(text)} b\n"))
    assert page.tags == ["p", "/p"]
    assert page.code == [shown(text)]
    assert page.outside.strip() == "a  b"


@given(texts)
def test_a_code_span_alone_in_a_paragraph_is_no_fence(text: str) -> None:
    page = Page(gfm(f"{encode.code(text)}\n"))
    assert (page.tags, page.code) == (["p", "/p"], [shown(text)])


@given(texts)
def test_a_cell_stays_one_cell(text: str) -> None:
    page, plain = Page(gfm(TABLE.format(encode.cell(text)))), Page(gfm(TABLE.format("`x`")))
    assert page.tags == plain.tags
    assert page.code == [shown(text)]


@given(texts)
def test_a_fence_holds_every_line(text: str) -> None:
    page = Page(gfm(f"{encode.fence(text, 'diff')}\n\nafter\n"))
    assert page.tags == ["pre", "/pre", "p", "/p"]
    assert page.code[0].removesuffix("\n") == encode.block(text).removesuffix("\n")
    assert page.outside.split() == ["after"]


@given(texts)
def test_prose_keeps_the_words_and_lets_nothing_live_outside_code(text: str) -> None:
    for source in (f"- x: {encode.prose(text)} y\n", TABLE.format(f"x: {encode.prose_cell(text)} y")):
        page = Page(gfm(source))
        assert {"a", "img", "strong", "em", "del", "h1", "blockquote", "pre", "input", "hr"}.isdisjoint(page.tags)
        assert f"x: {encode.one_line(text).strip(' ')} y" in page.text
        assert not set("@#<>&|*_`[]~$\\/=") & set(page.outside)


@given(texts)
def test_prose_at_the_start_of_a_paragraph_is_a_paragraph(text: str) -> None:
    page = Page(gfm(f"{encode.prose(text)} end\n"))
    assert page.tags == ["p", "/p"]
    assert page.text.strip().endswith("end")


@pytest.mark.parametrize("text", ALL)
def test_every_crafted_text_is_inert_in_every_markdown_slot(text: str) -> None:
    source = (
        f"{encode.prose(text)} end\n\n{encode.code(text)}\n\n- {encode.prose(text)}.\n- {encode.code(text)}\n\n"
        f"{TABLE.format(encode.cell(text))}\n{encode.fence(text)}\n"
    )
    page = Page(gfm(source))
    plain = Page(gfm(f"a end\n\n`x`\n\n- a.\n- `x`\n\n{TABLE.format('`x`')}\n```\nx\n```\n"))
    assert page.tags == plain.tags
    assert page.links == []


def test_plain_english_stays_plain() -> None:
    sentence = "Replacing it deletes every user's home; nobody gets it (13 homes) \u2013 S3 and EC2 too."
    assert encode.prose(sentence) == sentence


@pytest.mark.parametrize("text", ALL)
def test_a_remedy_lets_nothing_live_outside_code(text: str) -> None:
    for remedy in (text, f"run `{text}` now", f"`{text}`", f"`a` {text} `b`"):
        page = Page(gfm(f"- x: {encode.remedy(remedy)} y\n"))
        assert page.tags == ["ul", "li", "/li", "/ul"]
        assert page.links == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run `stackseal drift` again", "run `stackseal drift` again"),
        ("`stackseal drift`; or `a b --c`.", "`stackseal drift`; or `a b --c`."),
        ("x_y `a b` c_d", "`x_y` `a b` `c_d`"),
        ("x`a b`y", "``x`a b`y``"),
        ("", ""),
    ],
)
def test_a_command_stays_whole_in_a_remedy(text: str, said: str) -> None:
    assert encode.remedy(text) == said


def test_prose_joins_neighbouring_foreign_words_and_leaves_punctuation_out() -> None:
    assert encode.prose("see a_b c_d, (e_f) and @org/x.") == "see `a_b c_d`, (`e_f`) and `@org/x`."


def test_hexadecimal_words_are_no_words_because_github_links_commits() -> None:
    assert encode.prose("feedface defaced") == "`feedface defaced`"


@pytest.mark.parametrize("text", ALL)
def test_crafted_html_text_has_no_markup(text: str) -> None:
    html_text_has_no_markup(text)


@given(st.one_of(texts, st.text(alphabet="<>&\"'a=/ ", max_size=30)))
def test_html_text_has_no_markup(text: str) -> None:
    html_text_has_no_markup(text)


def html_text_has_no_markup(text: str) -> None:
    for encoder, expected in ((encode.html_inline, encode.one_line(text)), (encode.html_block, encode.block(text))):
        page = Page(f'<p title="{encoder(text)}">{encoder(text)}</p>')
        assert page.tags == ["p", "/p"]
        assert page.text == expected
        assert page.titles == [expected]
        assert html.unescape(encoder(text)) == expected


@given(texts)
def test_nothing_invisible_is_left(text: str) -> None:
    for encoder in (encode.code, encode.html_code, encode.title, encode.word, encode.command_property):
        assert encode.visible(encoder(text)) == encoder(text)


def test_visible_names_what_cannot_be_seen() -> None:
    assert encode.visible("a\u202eb\x00\ud800\U000e0041") == "a\\u202eb\\u0000\\ud800\\U000e0041"
    assert encode.one_line("a\r\nb\nc") == "a⏎b⏎c"


@given(st.text(max_size=600))
def test_a_title_is_one_line_that_github_takes(text: str) -> None:
    assert len(encode.title(text)) <= 256
    assert "\n" not in encode.title(text)


def test_a_title_at_its_limit() -> None:
    assert encode.title("x" * 256) == "x" * 256
    assert encode.title("x" * 257) == "x" * 255 + "…"


def test_the_runner_would_obey_the_raw_texts() -> None:
    assert sum(bool(live_commands(text)) for text in COMMANDS) >= 15


@given(texts)
def test_the_runner_finds_no_command_in_a_log(text: str) -> None:
    assert live_commands(f"error: {encode.word(text)}") == []
    assert live_commands(str(encode.word(text))) == []


@given(texts, texts)
def test_a_workflow_command_is_one_line_with_the_message_that_was_meant(message: str, name: str) -> None:
    line = f"::error file=a,line=1,title={encode.command_property(name)}::{encode.command_data(message)}"
    assert len(line.splitlines()) == 1
    head, _, data = line.removeprefix("::").partition("::")
    decoded = data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    assert decoded == encode.block(message).replace("##[", "## [")
    assert head.count(",") == 2
    assert "##[" not in line


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://plain.example/",
        "https://user@evil.example/",
        "https://evil.example/)[x](https://b",
        "https://evil.example/ x",
        "https://evil.example/\n",
        "https://evil.example/<b>",
        "https://evil.example/a`b",
        "https://evil.example/a|b",
        'https://evil.example/"onclick=x',
        "",
    ],
)
def test_only_plain_https_addresses_become_links(url: str) -> None:
    assert encode.link(encode.code("label"), url) == "`label`"


def test_a_link_to_a_line_of_a_file() -> None:
    found = encode.blob_url("https://github.com/o/r", "ab" * 20, "configs/a b.yaml", 7)
    assert found == f"https://github.com/o/r/blob/{'ab' * 20}/configs/a%20b.yaml#L7"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "a/./b", ""])
def test_no_link_to_a_file_outside(path: str) -> None:
    assert encode.blob_url("https://github.com/o/r", "ab" * 20, path, 1) == ""


def test_no_link_without_a_commit_or_a_page() -> None:
    assert encode.blob_url("https://github.com/o/r", "main", "a", 1) == ""
    assert encode.blob_url("", "ab" * 20, "a", 1) == ""


@given(texts, texts)
def test_a_marker_is_one_comment_that_can_be_read_back(key: str, seal: str) -> None:
    line = marker.write("review", id=key, seal=seal)
    inner = line.removeprefix("<!--").removesuffix("-->")
    assert "--" not in inner
    assert not set("<>\n\r") & set(inner)
    assert marker.read(f"{line}\nbody") == {"v": 1, "kind": "review", "id": key, "seal": seal}
    assert Page(gfm(f"{line}\ntext\n")).tags[0] == "!--"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        'text\n<!-- stackseal {"v":1,"kind":"review"} -->',
        "<!-- stackseal {} -->",
        '<!-- stackseal {"v":2,"kind":"review"} -->',
        '<!-- stackseal {"v":1,"kind":7} -->',
        "<!-- stackseal {broken} -->",
        '<!-- other {"v":1,"kind":"review"} -->',
    ],
)
def test_what_is_no_marker_of_ours_is_none(body: str) -> None:
    assert marker.read(body) is None


def test_a_graph_label_has_no_language_in_it() -> None:
    assert encode.label('a"]; click n0 "https://x"') == "a____click_n0__https://x_"


@given(texts)
def test_a_graph_label_cannot_end_its_quotes(text: str) -> None:
    assert not set('"`;[](){}<>#&|\n%') & set(encode.label(text))


def test_a_marker_is_json() -> None:
    text = marker.write("drift", id="a-->b--c<d&").removeprefix("<!-- stackseal ").removesuffix(" -->")
    assert json.loads(text)["id"] == "a-->b--c<d&"
