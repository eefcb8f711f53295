"""Prints the figures of docs/explanation/least-privilege.md, from the repository's own examples and observed data.

`--write` puts them into the page, `--check` says whether the page has them. Times are printed on stderr and stand in no
page, because every machine has its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "explanation" / "least-privilege.md"
BEGIN, END = "<!-- figures: written by scripts/privilege.py -->\n", "<!-- end of figures -->\n"
CORPUS: Final = ("<!-- corpus: written by scripts/privilege.py -->\n", "<!-- end of corpus -->\n")
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from e2e.privilege import EDITS  # noqa: E402
from stackseal import facts, policy  # noqa: E402 - found through the path above
from stackseal.model import Policy, Role, Template  # noqa: E402
from stackseal.policy import escalation  # noqa: E402
from unit.policy import judge, public, test_observed, test_second_truth  # noqa: E402
from unit.policy import proof as proofs  # noqa: E402
from unit.products import cases  # noqa: E402

Found = dict[Role, list[Policy]]
WORDS: Final = {
    Role.OPERATOR: "operator",
    Role.EXECUTION: "execution",
    Role.PLAN: "plan",
    Role.DEPLOY: "deploy",
    Role.DRIFT: "drift",
    Role.BOUNDARY: "boundary",
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="put the figures into the page")
    mode.add_argument("--check", action="store_true", help="exit 1 if the page has other figures")
    options = parser.parse_args(argv)
    text, seconds = figures()
    old = PAGE.read_text(encoding="utf-8")
    tried = public.tried(list(public.templates()))
    new = inserted(inserted(old, text), corpus(tried), CORPUS)
    if options.check:
        return 0 if old == new else 1
    if options.write:
        PAGE.write_text(new, encoding="utf-8")
    else:
        print(text, *new.partition(CORPUS[0])[2].partition(CORPUS[1])[:1], sep="\n", end="")
    print(f"Six policies of a stack take {seconds * 1000:.0f} ms (median)", file=sys.stderr)
    public_ms = statistics.median(tried.seconds) * 1000
    print(
        f"The policy of a public template, with what is doubted about it: {public_ms:.0f} ms (median)", file=sys.stderr
    )
    return 0


def figures() -> tuple[str, float]:
    """The figures as Markdown, and the median seconds for the policies of one stack."""
    templates = [cases.rendered(cases.example(path)) for path in cases.EXAMPLES]
    found: Found = {role: [] for role in Role}
    seconds = []
    for template in templates:
        begin = time.perf_counter()
        for item in policy.generate(template):
            found[item.role].append(item)
        seconds.append(time.perf_counter() - begin)
    return "\n".join([*sizes(found), "", *proof(templates, found[Role.EXECUTION]), ""]), statistics.median(seconds)


def inserted(page: str, text: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The page with these figures between two marks."""
    before, _, rest = page.partition(marks[0])
    _, _, after = rest.partition(marks[1])
    return f"{before}{marks[0]}\n{text}\n{marks[1]}{after}"


def corpus(tried: public.Tried) -> str:
    """What holds on the templates that others wrote, as Markdown."""
    documents = sorted(tried.documents)
    findings = ", ".join(f"{number} `{check}`" for check, number in sorted(tried.named.items()))
    rows = [
        ("Templates of three collections, and their resources", f"{len(documents)}, {sum_of(tried.resources)}"),
        ("of which something broke, was wider than it could be, or had no source", str(len(tried.breaks))),
        ("Documents that the execution role needs, median / p90 / most", spread_of(documents)),
        ("Templates with a finding", findings),
        *(
            (f"Requests for another {kind}, and how many are denied", f"{sum_of(asked)}, {percent(tried, kind)}")
            for kind, asked in sorted(tried.asked.items())
        ),
    ]
    return "\n".join(
        ["| On public templates | Figure |", "|-|-|", *(f"| {what} | {value} |" for what, value in rows), ""]
    )


def percent(tried: public.Tried, kind: str) -> str:
    """How much of what a stranger asks is denied, rounded down."""
    return f"{tried.denied[kind] * 10_000 // tried.asked[kind] / 100:.2f} %"


def sum_of(number: int) -> str:
    return f"{number:,}"


def ninth(counts: Iterable[int]) -> str:
    """Ninth tenth and most."""
    numbers = sorted(counts)
    return f"{numbers[int(len(numbers) * 0.9)]} / {numbers[-1]}"


def spread_of(numbers: Sequence[int]) -> str:
    """Median, ninth tenth and most of sorted numbers."""
    return f"{numbers[len(numbers) // 2]} / {numbers[int(len(numbers) * 0.9)]} / {numbers[-1]}"


def sizes(found: Found) -> Iterator[str]:
    """A row per role: how much its policies are, over all examples."""
    count = len(found[Role.EXECUTION])
    yield f"Over the {count} examples of the ML product, median / most:"
    yield ""
    yield (
        "| Role | Statements | Actions | of which writes | Managed policies, p90 / most |"
        " one of them inline, p90 / most | Writes on `*` | of which scopable |"
    )
    yield "|-|-|-|-|-|-|-|-|"
    for role, policies in found.items():
        if role is Role.BOUNDARY:
            continue
        starred = {name for item in policies for name in on_everything(item)}
        scopable = {name for name in starred if (known := facts.action(name)) and known.resources}
        cells = [
            WORDS[role],
            spread(policies, lambda item: len(item.statements)),
            spread(policies, lambda item: len(actions(item))),
            spread(policies, lambda item: len(writes(item))),
            ninth(len(policy.documents(item)) for item in policies),
            ninth(len(policy.documents(item, inline=True)) for item in policies),
            ", ".join(f"`{name}`" for name in sorted(starred)) or "0",
            str(len(scopable)),
        ]
        yield f"| {' | '.join(cells)} |"


def spread(policies: Sequence[Policy], count: Callable[[Policy], int]) -> str:
    """`median / most` of a number."""
    numbers = sorted(count(item) for item in policies)
    return f"{numbers[len(numbers) // 2]} / {numbers[-1]}"


def proof(templates: Sequence[Template], policies: Sequence[Policy]) -> Iterator[str]:
    """What the judges say."""
    asked, denied = judged(templates, policies)
    needed, allowed = test_observed.measured()
    requests = test_observed.REQUESTS
    granted = sum(
        test_observed.allows(test_observed.POLICY, action, resource, **test_observed.context(action, resource))
        for action, resource in requests
    )
    yield "| Proof | Figure |"
    yield "|-|-|"
    yield f"| Requests of the embedded AWS's own table for creating, changing and deleting the examples | {asked} |"
    yield f"| of which the execution policies deny | {denied} |"
    yield f"| Requests that a real account denied until they were granted | {len(requests)} |"
    yield f"| of which the policy allows (recall) | {granted} |"
    yield f"| Writes for creating and deleting that the policy allows | {allowed} |"
    yield f"| of which the real account asked for (precision) | {needed} = {needed / allowed:.2f} |"
    rows = [row for row in test_second_truth.rows() if row not in test_second_truth.NOT_NEEDED]
    held = sum(action in test_second_truth.granted(kind, test_second_truth.NEEDS.get(kind)) for kind, action in rows)
    yield f"| Actions of a second list, kept from CloudTrail, and how many the policies hold | {len(rows)}, {held} |"
    names, edits = proofs.examples(), sum(map(len, EDITS.values()))
    ways = sum(len(proofs.escalations(item.statements)) for name in names for item in granting(name))
    yield f"| Templates of all products, and roles that are generated for them | {len(names)}, {len(names) * 5} |"
    lists = f"{len(proofs.prowler())}, {len(escalation.WAYS)}"
    yield f"| Ways to the rights of others that Prowler knows, and that pathfinding.cloud does | {lists} |"
    yield f"| of which a generated role leaves open | {ways} |"
    yield f"| Edits of an ML product that are deployed under the union of two versions' roles | {edits} |"


def granting(name: str) -> Iterator[Policy]:
    """The policies of one of all products' templates, without the boundary, which grants nothing."""
    return (found for role, found in proofs.policies(name).items() if role in proofs.GRANTING)


def judged(templates: Sequence[Template], policies: Sequence[Policy]) -> tuple[int, int]:
    """How many requests, and how many of them the policy denies."""
    asked = denied = 0
    for template, found in zip(templates, policies, strict=True):
        parts, nothing = judge.by_action(found), Policy(role=found.role, statements=())
        for request in (*judge.creation(template), *judge.release(template), *judge.deletion(template)):
            asked += 1
            denied += not judge.allowed(parts.get(request.action, nothing), request)
    return asked, denied


def actions(found: Policy) -> set[str]:
    return {name for statement in found.statements for name in statement.actions}


def writes(found: Policy) -> set[str]:
    return {name for name in actions(found) if (known := facts.action(name)) and not known.reads}


def on_everything(found: Policy) -> set[str]:
    """Writes that are allowed on `*`."""
    return {
        name
        for statement in found.statements
        if "*" in statement.resources
        for name in writes(Policy(role=found.role, statements=(statement,)))
    }


if __name__ == "__main__":
    sys.exit(main())
