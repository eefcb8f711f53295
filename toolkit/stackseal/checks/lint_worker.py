"""cfn-lint as a worker: one process loads it and forks itself, so that two cores share one load.

    python -s -P -c "from stackseal.checks.lint_worker import main; main()" IN:OUT [IN:OUT]

Every question is a text with its region, every answer the results of `engines.cfn_lint`, so that a worker and a call in
this process cannot differ. Garbage collection is off while modules and rules load, and never looks at them again.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any

from stackseal.checks.base import Job
from stackseal.checks.checkov_worker import offline
from stackseal.checks.engines import cfn_lint
from stackseal.checks.raws import encode
from stackseal.errors import StacksealError

_FIRST = Job(text="Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n", region="us-east-1", resources=1)


def main() -> None:
    """Load, fork, say so, answer until the questions end."""
    gc.disable()
    pipes = [(int(question), int(answer)) for question, _, answer in (word.partition(":") for word in sys.argv[1:])]
    sys.argv[1:] = []  # cfn-lint must not take them for options
    sys.addaudithook(offline)
    cfn_lint.lint(_FIRST, informational=False)
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 1_000)
    for pair in pipes[1:]:
        if os.fork() == 0:
            serve(pair, pipes)
            return
    serve(pipes[0], pipes)


def serve(mine: tuple[int, int], pipes: list[tuple[int, int]]) -> None:
    """Answer on one pair of pipes. The others are closed here, so that whoever waits on them sees their owner end."""
    for descriptor in (each for pair in pipes if pair != mine for each in pair):
        os.close(descriptor)
    with os.fdopen(mine[0], encoding="utf-8") as questions, os.fdopen(mine[1], "w", encoding="utf-8") as answers:
        answers.write(json.dumps({"ready": True}) + "\n")
        answers.flush()
        for line in questions:
            answers.write(json.dumps(_answered(json.loads(line))) + "\n")
            answers.flush()


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        job = Job(text=asked["text"], region=asked["region"], resources=asked["resources"])
        return {"raws": encode(cfn_lint.lint(job, informational=asked["informational"]))}
    except StacksealError as error:
        return {"failed": [error.what, error.why, error.remedy]}
