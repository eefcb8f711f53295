"""Writes the documentation as HTML into a folder (default: build/docs): pages that open from disk and load nothing.

Pages are those below docs/ and the Markdown files of the repository's top, and every file of the repository that one of
them links to; `index.html` is docs/README.md. A Mermaid block stays text, with a note that it is one: drawing it would
take a script. The same files give the same bytes. A link that leads nowhere is an error.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

import markdown
from markdown.extensions import Extension
from markdown.extensions.toc import TocExtension
from markdown.treeprocessors import Treeprocessor

ROOT: Final = Path(__file__).parents[1]
START: Final = PurePosixPath("docs/README.md")
STYLE: Final = (ROOT / "templates" / "reports" / "report.css", Path(__file__).with_name("pages.css"))
_MERMAID: Final = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)
_DRAWING: Final = "<figure><pre><code>{}</code></pre><figcaption>A diagram as Mermaid text.</figcaption></figure>"
_SHELL: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · stackseal</title>
<style>
{style}</style>
</head>
<body>
<div class="site">
<nav aria-label="All pages">
{nav}
</nav>
<main>
{body}
</main>
</div>
</body>
</html>
"""


class BrokenLinkError(ValueError):
    """A page links to what is not there."""


def sources(root: Path = ROOT) -> tuple[PurePosixPath, ...]:
    """The files that are pages, sorted: the documentation, the texts of the top, and what they link to."""
    todo = [path.relative_to(root) for path in (*root.glob("*.md"), *(root / "docs").rglob("*.md"))]
    found: set[PurePosixPath] = set()
    while todo:
        source = PurePosixPath(todo.pop())
        if source not in found:
            found.add(source)
            if source.suffix == ".md":
                links = _Page(source, root)
                links.convert((root / source).read_text(encoding="utf-8"))
                todo += [Path(one) for one in links.linked]
    return tuple(sorted(found))


def place(source: PurePosixPath) -> PurePosixPath:
    """Where the page of a file lies: docs/ is the top, everything else is below `repository/`."""
    inside = source.is_relative_to("docs")
    target = source.relative_to("docs") if inside else PurePosixPath("repository") / source
    if inside and target.name == "README.md":
        return target.with_name("index.html")
    return target.with_suffix(".html") if target.suffix == ".md" else target.with_name(f"{target.name}.html")


def pages(root: Path = ROOT) -> Mapping[PurePosixPath, str]:
    """Every page by its path."""
    style = "".join(path.read_text(encoding="utf-8") for path in STYLE)
    contents = (root / START).read_text(encoding="utf-8")
    return {place(source): _whole(source, root, style, contents) for source in sources(root)}


def _whole(source: PurePosixPath, root: Path, style: str, contents: str) -> str:
    text = (root / source).read_text(encoding="utf-8")
    if source.suffix == ".md":
        body = _Page(source, root).convert(text)
        title = next(iter(re.findall(r"^# (.+)$", text, flags=re.MULTILINE)), source.name).replace("`", "")
    else:
        title, body = source.name, f"<h1>{html.escape(source.name)}</h1>\n<pre>{html.escape(text)}</pre>"
    nav = _Page(START, root, seen_from=source).convert(contents + _REST)
    nav = re.sub(r' id="[^"]*"', "", nav).replace("<h1>", "<p><b>").replace("</h1>", "</b></p>")
    return _SHELL.format(title=html.escape(title), style=style, nav=nav, body=body)


_REST: Final = """
**The project**

- [readme](../README.md)
- [changes](../CHANGELOG.md)
- [security](../SECURITY.md)
- [contributing](../CONTRIBUTING.md)
"""
"""What stands in the contents besides what docs/README.md lists."""


class _Page(Extension):
    """One page's Markdown to HTML, with links between files turned into links between pages."""

    def __init__(self, source: PurePosixPath, root: Path, *, seen_from: PurePosixPath | None = None) -> None:
        super().__init__()
        self.source, self.root = source, root
        self.here = place(seen_from or source)
        self.linked: list[PurePosixPath] = []

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802 - the library's name
        md.treeprocessors.register(_Links(self, md), "links", 0)

    def convert(self, text: str) -> str:
        toc = TocExtension(slugify=_Slugs())
        body = markdown.markdown(_indented(text), extensions=["tables", "fenced_code", "sane_lists", toc, self])
        return _MERMAID.sub(lambda found: _DRAWING.format(found[1]), body)

    def link(self, href: str) -> str:
        """The same link between pages; one to somewhere else stays as it is."""
        parts = urlsplit(href)
        if parts.scheme or parts.netloc or not parts.path:
            return href
        target = PurePosixPath(os.path.normpath(self.source.parent / unquote(parts.path)))
        if target.parts[0] == ".." or not (self.root / target).is_file():
            raise BrokenLinkError(f"{self.source} links to {href}, which is no file of the repository")
        self.linked.append(target)
        path = os.path.relpath(place(target), self.here.parent)
        return f"{path}#{parts.fragment}" if parts.fragment else path


class _Links(Treeprocessor):
    """Passes every link of a page through `_Page.link`."""

    def __init__(self, page: _Page, md: markdown.Markdown) -> None:
        super().__init__(md)
        self._page = page

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            link.set("href", self._page.link(link.get("href", "")))


def _indented(text: str) -> str:
    """The same Markdown as the library wants it in lists: four spaces in, and code there by indentation, not fences."""
    lines: list[str] = []
    # How far in the item's text stands (0: no list), whether it has a blank line, how far in an open fence stands.
    item, loose, fence = 0, False, -1
    for line in text.splitlines():
        inner = line.lstrip(" ")
        depth = len(line) - len(inner)
        within = bool(item) and depth >= item
        if inner.startswith("```"):
            fence = depth if fence < 0 else -1
            lines.append("" if within else line)
        elif fence >= 0:
            lines.append(f"{'':8}{line[fence:]}".rstrip() if item and fence else line)
        else:
            if marker := re.match(r"(?:[-*+]|\d+\.) +", line):
                lines += [""] if item and loose else []
                item, loose = marker.end(), False
            elif line and not depth and lines and not lines[-1]:
                item = 0
            loose = loose or not line
            lines.append(f"{'':{4 + depth - item}}{inner}" if within and not marker else line)
    return "\n".join(lines) + "\n"


class _Slugs:
    """The names that GitHub gives to headings, so that links work in both places; a second of a kind gets `-1`."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, text: str, separator: str) -> str:
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)
        count = self._given[slug] = self._given.get(slug, -1) + 1
        return f"{slug}{separator}{count}" if count else slug


def write(folder: Path, root: Path = ROOT) -> Iterator[Path]:
    """The pages as files of the folder, which holds nothing else then.

    Raises SystemExit for a folder with something in it that is no documentation: it would be deleted.
    """
    found = pages(root)
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / "index.html").is_file():
            sys.exit(f"error: {folder} holds other files, which would be deleted; name an empty folder")
        shutil.rmtree(folder)
    for path, text in found.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        yield target


def main(arguments: Sequence[str]) -> int:
    """Write the pages and say how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    folder: Path = parser.parse_args(arguments).folder
    try:
        count = len(list(write(folder)))
    except BrokenLinkError as error:
        sys.exit(f"error: {error}")
    sys.stderr.write(f"wrote {count} pages, start at {folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
