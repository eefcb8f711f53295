"""A GitHub for tests: `with GitHubFake(directory) as fake`, then `fake.repository("acme/infra")` and `fake.token(…)`.

Start reading at fake.py (what a test sees), then app.py (the way of a call). Behaviour that GitHub's description does
not tell is in the docstring of its handler, with its source.

Not here, so no test may rely on it: organisations and teams, review comments on lines, milestones, reactions to
anything but a comment, search (404 and a violation), webhooks that are sent, running workflows, the limits of content
creation per minute (use `secondary_limit`), rulesets that stop a merge. Fields that the
fake does not model hold values that say so: "unmodelled", https://unmodelled.invalid/, 0, 1970.
"""

from fakes.github.exchange import Record, Reply
from fakes.github.fake import FakeDefect, GitHubFake
from fakes.github.faults import Fault, Faults, page, reset, secondary_limit, slow, status
from fakes.github.git import BOT, Git
from fakes.github.models import Issue, Pull
from fakes.github.repository import Repository

__all__ = [
    "BOT",
    "FakeDefect",
    "Fault",
    "Faults",
    "Git",
    "GitHubFake",
    "Issue",
    "Pull",
    "Record",
    "Reply",
    "Repository",
    "page",
    "reset",
    "secondary_limit",
    "slow",
    "status",
]
