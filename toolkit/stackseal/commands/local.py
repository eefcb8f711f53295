"""`local`: the embedded AWS as a server, so that several commands see one account."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import EMBEDDED, World

SUMMARY: Final = "serve the embedded AWS until Ctrl-C"
HELP: Final = """\
Start the embedded AWS on a loopback port, print the environment that points boto3, the AWS CLI and stackseal at it,
and serve until Ctrl-C. Nothing is kept afterwards. What it cannot do: stackseal doctor --aws local

    stackseal local > env.sh &
    source env.sh
    stackseal deploy-product configs/my.yaml --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The account that the printed credentials belong to."""
    parser.add_argument("--account", default="123456789012", help="twelve digits (default: 123456789012)")
    parser.add_argument("--region", default="us-west-2", help="default region (default: us-west-2)")


def run(args: argparse.Namespace, world: World) -> int:
    """Serve."""
    from stackseal.local import EmbeddedAws

    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with EmbeddedAws(account=args.account, region=args.region) as aws:
        environ = {**aws.environ(), EMBEDDED: "1"}
        lines = "\n".join(f"export {key}={value}" for key, value in sorted(environ.items()))
        emit(world, environ, lines)
        world.out.say(f"The embedded AWS serves {aws.endpoint_url} until Ctrl-C")
        done.wait()
    return 0
