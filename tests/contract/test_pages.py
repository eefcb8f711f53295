"""The documentation as HTML: every page is there, says what GitHub shows, every link works, nothing is loaded."""

from __future__ import annotations

import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest

from contract.support import ROOT, script

PAGES: Final = script("pages")
MARKDOWN: Final = tuple(source for source in PAGES.sources() if source.suffix == ".md")
LOADING: Final = {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "source", "form", "base"}
STRUCTURE: Final = {
    "h1",
    "h2",
    "h3",
    "h4",
    "a",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "th",
    "td",
    "pre",
    "em",
    "strong",
}


class Read(HTMLParser):
    """What a page consists of: its tags, its texts, its links, its names, everything that an attribute loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            if key == "id":
                self.names.append(value or "")
            elif key == "href" and tag == "a":
                self.links.append(value or "")
            elif key in {"src", "href", "srcset", "data", "poster", "action", "background", "style"}:
                self.loaded.append(f"{tag} {key}={value}")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def words(self) -> str:
        return "".join("".join(self.texts).split())


@cache
def made() -> dict[PurePosixPath, str]:
    return dict(PAGES.pages())


@cache
def read(path: PurePosixPath) -> Read:
    return Read(made()[path])


@pytest.mark.spec("A04")
def test_every_page_of_the_documentation_is_there() -> None:
    wanted = {PurePosixPath(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    wanted |= {PurePosixPath(path.name) for path in ROOT.glob("*.md")}
    assert len(wanted) > 30
    assert wanted <= set(PAGES.sources())
    assert {PAGES.place(source) for source in PAGES.sources()} == set(made())
    assert len(made()) == len(PAGES.sources()), "two files have one page"


@pytest.mark.spec("A04")
def test_the_start_page_leads_to_every_page_of_the_documentation() -> None:
    todo, seen = [PurePosixPath("index.html")], set()
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            todo += [inside(page, link) for link in read(page).links if not elsewhere(link)]
    assert seen == set(made())


def elsewhere(link: str) -> bool:
    return bool(urlsplit(link).scheme)


def inside(page: PurePosixPath, link: str) -> PurePosixPath:
    """The page that a link means."""
    path = unquote(urlsplit(link).path)
    return PurePosixPath(os.path.normpath(page.parent / path)) if path else page


@pytest.mark.parametrize("page", made(), ids=str)
def test_every_link_leads_to_a_page_and_to_a_name_in_it(page: PurePosixPath) -> None:
    for link in read(page).links:
        if elsewhere(link):
            assert urlsplit(link).scheme in {"https", "mailto"}, link
            continue
        target = inside(page, link)
        assert target in made(), link
        if name := urlsplit(link).fragment:
            assert name in read(target).names, link
    assert len(set(read(page).names)) == len(read(page).names)


@pytest.mark.spec("A04")
@pytest.mark.parametrize("page", made(), ids=str)
def test_a_page_opens_offline_and_loads_nothing(page: PurePosixPath) -> None:
    found = read(page)
    assert not LOADING & set(found.tags)
    assert found.loaded == []
    assert "Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"" in made()[page]
    style = "".join(re.findall(r"<style>(.*?)</style>", made()[page], flags=re.DOTALL))
    assert "--ink" in style
    assert not re.search(r"@import|url\(|https?:", style)


def github(text: str) -> Read:
    """What GitHub's renderer makes of a text; addresses that are not marked as links stay text, as on our pages."""
    import cmarkgfm
    from cmarkgfm.cmark import Options

    options = Options.CMARK_OPT_UNSAFE
    return Read(cmarkgfm.markdown_to_html_with_extensions(text, options=options, extensions=["table", "strikethrough"]))


@pytest.mark.parametrize("source", MARKDOWN, ids=str)
def test_a_page_says_what_github_shows(source: PurePosixPath) -> None:
    """Another renderer, GitHub's own, is the judge: of the text, and of headings, lists, tables, code and links."""
    theirs = github((ROOT / source).read_text(encoding="utf-8"))
    body = made()[PAGES.place(source)].partition("<main>")[2].partition("</main>")[0]
    ours = Read(body.replace("<figcaption>A diagram as Mermaid text.</figcaption>", ""))
    assert ours.words == theirs.words
    assert [tag for tag in ours.tags if tag in STRUCTURE] == [tag for tag in theirs.tags if tag in STRUCTURE]


LISTS: Final = """\
# A

1. one

   ```sh
   a --b   # c

     d
   ```

   and so on

       by indentation
2. two
  lazy

Between

- three
  - nested

  of three

none of it

```sh
  not in a list
```
"""


def test_lists_with_code_and_lists_in_them_are_what_github_makes_of_them(tmp_path: Path) -> None:
    body = PAGES.pages(repository(tmp_path / "r", LISTS))[PurePosixPath("repository/README.html")]
    ours, theirs = Read(body.partition("<main>")[2]), github(LISTS)
    assert ours.words == theirs.words
    kept = {"ul", "ol", "li", "pre"}
    assert [tag for tag in ours.tags if tag in kept] == [tag for tag in theirs.tags if tag in kept]
    assert "a --b   # c\n\n  d\n" in "".join(ours.texts)


def test_a_diagram_that_cannot_be_drawn_says_what_it_is() -> None:
    blocks = sum((ROOT / source).read_text(encoding="utf-8").count("```mermaid\n") for source in MARKDOWN)
    assert blocks
    assert sum(text.count("<figcaption>A diagram as Mermaid text.") for text in made().values()) == blocks
    assert not [page for page, text in made().items() if "language-mermaid" in text]


def test_the_same_files_are_the_same_pages() -> None:
    assert PAGES.pages() == made()


def repository(folder: Path, text: str) -> Path:
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "README.md").write_text("# Documentation\n", encoding="utf-8")
    for name in ("README", "CHANGELOG", "SECURITY", "CONTRIBUTING"):
        (folder / f"{name}.md").write_text("# A\n", encoding="utf-8")
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("link", ["gone.md", "docs", "../outside.md", "docs/../../x.md"])
def test_a_link_that_leads_nowhere_is_an_error(link: str, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("", encoding="utf-8")
    with pytest.raises(PAGES.BrokenLinkError, match=r"README.md links to .* which is no file of the repository"):
        PAGES.pages(repository(tmp_path / "r", f"[x]({link})\n"))


def test_a_linked_file_is_a_page_whose_text_does_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "[x](a.yaml)\n\n```mermaid\na --> b\n```\n")
    (root / "a.yaml").write_text("<script>alert(1)</script>", encoding="utf-8")
    found = PAGES.pages(root)
    assert "&lt;script&gt;alert(1)" in found[PurePosixPath("repository/a.yaml.html")]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match="would be deleted"):
        list(PAGES.write(tmp_path))
    assert (tmp_path / "mine.txt").is_file()


def test_pages_that_are_gone_leave_the_folder(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "[x](a.yaml)\n")
    (root / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    target = tmp_path / "out"
    assert target / "repository" / "a.yaml.html" in list(PAGES.write(target, root))
    (root / "README.md").write_text("# Nothing\n", encoding="utf-8")
    assert target / "index.html" in list(PAGES.write(target, root))
    assert not (target / "repository" / "a.yaml.html").exists()
