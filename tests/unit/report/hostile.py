"""Texts that break out of something somewhere: written for these tests, in the manner of the public collections."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

import cmarkgfm
from cmarkgfm.cmark import Options

MARKDOWN: Final = (
    "*bold* _it_ **x** __y__ ~~z~~",
    "`code` ``two`` ```three```",
    "`",
    "``",
    "` a `",
    " lead and trail ",
    "a|b",
    "a\\|b",
    "\\",
    "a\\",
    "|-|-|",
    "| a | b |",
    "[link](https://evil.example)",
    "![image](https://evil.example/a.png)",
    "[ref]: https://evil.example",
    "<https://evil.example>",
    "https://evil.example/a?b=c",
    "www.evil.example",
    "mail@evil.example",
    "mailto:a@evil.example",
    "@org/team",
    "@octocat, look",
    "#1 GH-2 org/repo#3",
    "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "# heading",
    "- item",
    "* item",
    "+ item",
    "1. item",
    "1) item",
    "> quote",
    "> [!WARNING]",
    "---",
    "===",
    "***",
    "```\nfence\n```",
    "~~~\nfence\n~~~",
    "````markdown",
    "    indented",
    "\tindented",
    "two  \nlines",
    "a\n\nb",
    "a\r\nb\rc",
    "</details>",
    "</summary></details><h1>x</h1>",
    "<details open>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- comment",
    "-->",
    "<!-- stackseal {} -->",
    "<![CDATA[ x ]]>",
    "<?php x ?>",
    "&lt;b&gt; &amp; &#64; &nbsp;",
    "$a$ $$b$$ \\(c\\)",
    ":smile: :+1:",
    "- [ ] task",
    "[^1]",
    "[^1]: note",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<b>unclosed",
    "\"quotes\" 'single'",
    "{{ 7*7 }} {% raw %} {# x #}",
    "${{ secrets.X }}",
    "%s %n %d",
    "../../etc/passwd",
    "C:\\Windows\\x",
)
CHARACTERS: Final = (
    "\u202eevil\u202c",
    "a\u200bb\u200d\u2060",
    "\ufeffbom",
    "\x00nul",
    "\x1b[31mred\x1b[0m",
    "\x07\x08\x7f\x85",
    "\u2028\u2029",
    "\u061c\u2066\u2069",
    "Ω≈ç√∫ 田中さん 👩‍🚀 ﷽",
    "Z̷̡a̸l̶g̵o̴",
    "\ufb01 \uff46\uff55\uff4c\uff4c",
    "\U000e0041\U000e0042",
    "\xa0nbsp\xa0",
    "NULL",
    "undefined",
    "-1e309",
    "0x0",
    "x" * 600,
)
COMMANDS: Final = (
    "::add-mask::e",
    "::stop-commands::x",
    "::error file=a,line=1::forged",
    "  ::warning::x",
    "\t::notice::x",
    "a\n::set-output name=x::y",
    "a\r\n::error::x",
    "a\r::error::x",
    "a\u2028::error::x",
    "\u00a0::error::x",
    "\u3000::error::x",
    "##[error]x",
    "text ##[set-output name=verdict]pass",
    "###[add-mask]e",
    "##[##[set-env name=A]b",
    "a%0A::error::x",
    "%25%0D%0A",
    ":::error::x",
    "::::",
    "Stack failed: ##[set-output name=verdict]pass",
)
ALL: Final = (*MARKDOWN, *CHARACTERS, *COMMANDS)

_OPTIONS: Final = Options.CMARK_OPT_UNSAFE


def gfm(text: str) -> str:
    """Markdown as cmark-gfm turns it into HTML, raw HTML and all."""
    return str(cmarkgfm.github_flavored_markdown_to_html(text, _OPTIONS))


class Page(HTMLParser):
    """A page's structure without its `code` elements, the text in them, and the text outside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.titles: list[str] = []
        self.code: list[str] = []
        self.outside = ""
        self.text = ""
        self._depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "code":
            self._depth += 1
            self.code.append("")
            return
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.titles += [value or "" for name, value in attrs if name == "title"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._depth -= 1
        else:
            self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the base class asks for it
        self.tags.append("!--")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._depth:
            self.code[-1] += data
        else:
            self.outside += data


def live_commands(output: str) -> list[str]:
    """The lines in which the GitHub runner sees a command, by its two grammars.

    Source: actions/runner, ActionCommand.cs: `TryParseV2` trims the line and wants `::` first and once more;
    `TryParse` looks for `##[` anywhere and a `]` behind it.
    """
    lines = re.split(r"\r\n|\r|\n", output)
    second = [line for line in lines if re.match(r"::[^:]*.*::", line.strip())]
    first = [line for line in lines if re.search(r"##\[[^\]]*\]", line)]
    return second + first
