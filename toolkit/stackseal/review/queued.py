"""A merge queue's commit, held against what the pull request's review says that it sealed. No AWS is asked.

An early warning and nothing more: the records lie in AWS, where a queue has no identity, so the comment is read, and
whoever may write can edit a comment. A deployment believes the records only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stackseal.errors import Refused
from stackseal.hosts.base import Shown
from stackseal.model import word
from stackseal.plan import seal
from stackseal.review.planning import Pair
from stackseal.settings import Settings


def hold(pairs: Sequence[Pair], ours: Settings, shown: Shown | None, number: int | None) -> None:
    """Nothing, if the review has sealed every stack of the queue's commit as it is there.

    Raises Refused with every stack that is another one, and where nobody can tell.
    """
    if reasons := tuple(_against(pairs, ours, shown, number)):
        raise Refused(
            "The queue's commit is not what was reviewed",
            why=" ".join(reasons),
            remedy="take it out of the queue, bring its branch up to date and let it be reviewed again; a deployment "
            "would stop there, too",
        )


def _against(pairs: Sequence[Pair], ours: Settings, shown: Shown | None, number: int | None) -> Iterator[str]:
    if not pairs:
        return
    if number is None:
        yield "The event does not name the pull request."
    elif shown is None:
        yield f"Pull request {number} has no comment of a review."
    elif shown.commit != shown.head:
        yield f"The review is of {shown.commit[:12]}, and pull request {number} is at {shown.head[:12]}."
    elif shown.words is None:
        yield f"The review of pull request {number} has sealed nothing, or more stacks than its comment can name."
    else:
        for pair in pairs:
            if _word(pair, ours) not in shown.words:
                yield f"The stack {pair.id.name} is not the sealed one."


def _word(pair: Pair, ours: Settings) -> str:
    if pair.head is None:
        return word(pair.id, None)
    account, owner = ours.account(pair.id.account), pair.head.stack
    role = account.role_for(owner) if owner else account.role_of(pair.id)
    return word(pair.id, seal.inputs(pair.head, stack=pair.id, execution_role=role).digest)
