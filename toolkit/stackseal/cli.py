"""The command line: COMMANDS → parser, the World built once, errors → sentences and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from stackseal import __version__, assets, hosts
from stackseal.commands import ACTIONS, COMMANDS
from stackseal.errors import ConfigErrors, Failed, StacksealError, UsageError
from stackseal.hiding import of_environment
from stackseal.hosts import github_action
from stackseal.output import Output
from stackseal.sandbox import Sandbox
from stackseal.workers import Workers
from stackseal.world import EMBEDDED, Clock, World, connector

EDITIONS: Final = ("starter", "professional", "enterprise")
_EPILOG: Final = """\
The form of the originals works too: stackseal -con CONFIG -act ACTION, for the actions
{actions}.

Licence: Apache-2.0. No subscription is asked for or checked; stackseal --license shows the text.
Exit codes: 0 done, 1 blocked or drifted, 2 usage or invalid config, 3 failed, 4 refused, 5 unknown outcome.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, remedy=f"see {self.prog} --help")


def entry() -> NoReturn:
    """The console script; in a step of action.yml the command line comes from the environment."""
    if os.environ.get("STACKSEAL_ACTION") == "1":
        sys.exit(github_action.run(os.environ, main))
    sys.exit(main(sys.argv[1:], os.environ))


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one command line and return its exit code; no exception leaves it."""
    output = Output(level=_level(env), hidden=of_environment(env))
    try:
        arguments = parse(argv, env)
        output.level = arguments.log_level
        output.live = sys.stderr.isatty() and "CI" not in env
        with heard(output):
            return run(arguments, env, output)
    except StacksealError as error:
        report(error, output, as_json=_wants_json(argv))
        return error.exit_code
    except SystemExit as done:  # argparse has printed the help or the version
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        way = "stackseal recover STACK --region REGION"
        output.say(f"Interrupted. What CloudFormation has begun goes on; follow it with: {way}", "error")
        return 130
    except BrokenPipeError:
        # The reader has gone; nothing more can be said, and Python must not try to at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person never sees a traceback unasked
        if env.get("STACKSEAL_TRACEBACK"):
            output.say(traceback.format_exc(), "error")
        failure = Failed(
            "stackseal itself failed",
            why=f"{type(error).__name__}: {error}",
            remedy="please report it, with the output of the same command after `export STACKSEAL_TRACEBACK=1`",
        )
        report(failure, output, as_json=_wants_json(argv))
        return failure.exit_code


@contextmanager
def heard(output: Output) -> Iterator[None]:
    """What libraries log or warn of goes where our words go: Python itself would write it past the printer."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                text = record.getMessage()
            except (TypeError, ValueError, KeyError):  # a library's own mistake in its format
                text = str(record.msg)
            output.say(f"{record.name}: {text}", "warning")

    handler = Handler(logging.WARNING)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)


def parse(argv: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    """The command line as a namespace, its global options filled in from wherever they stood.

    Raises UsageError with one sentence for anything that is wrong with it.
    """
    arguments = parser(_version(env)).parse_args(_modern(list(argv)))
    if not arguments.command and not arguments.install_checkov and not arguments.license:
        raise UsageError("No command is given", remedy="see stackseal --help")
    arguments.root = Path(getattr(arguments, "root", None) or "ml")
    arguments.format = getattr(arguments, "format", "text")
    arguments.log_level = getattr(arguments, "log_level", None) or _level(env)
    arguments.aws = getattr(arguments, "aws", "default")
    arguments.edition = getattr(arguments, "edition", None) or env.get("STACKSEAL_EDITION") or None
    if arguments.edition is not None and arguments.edition not in EDITIONS:
        raise UsageError(f"There is no edition {arguments.edition!r}", why=f"they are {', '.join(EDITIONS)}")
    cache_dir = getattr(arguments, "cache_dir", None) or env.get("STACKSEAL_CACHE_DIR")
    home = env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "/tmp"), ".cache").as_posix()  # noqa: S108
    arguments.cache_dir = Path(cache_dir) if cache_dir else Path(home, "stackseal")
    private = cache_dir or env.get("XDG_CACHE_HOME") or env.get("HOME")  # else everybody may write there
    arguments.no_cache = getattr(arguments, "no_cache", False) or not private
    return arguments


def run(arguments: argparse.Namespace, env: Mapping[str, str], output: Output) -> int:
    """Build the World and run the command."""
    if arguments.license:
        output.data(assets.LICENSE.read_text(encoding="utf-8"))
        return 0
    if arguments.install_checkov:
        from stackseal.checks import checkov_env

        checkov_env.install(env=env, progress=output.say)
        return 0
    if (arguments.root / "products").is_dir():
        raise UsageError(
            f"The root {arguments.root} cannot be used",
            why="it holds a folder 'products', so it is a catalogue, and files would be written between its products",
            remedy="give another --root",
        )
    with ExitStack() as stack:
        aws_env = dict(env)
        if arguments.aws == "local":
            aws_env |= _embedded(stack)
        runner, clock = hosts.runner(env), Clock()
        output.folds = runner.annotates
        world = World(
            env=env,
            here=Path.cwd(),
            root=arguments.root,
            cache=arguments.cache_dir,
            out=output,
            sandbox=stack.enter_context(Sandbox()),
            aws=connector(aws_env),
            runner=runner,
            forge=_forge(arguments, env, runner, clock),
            clock=clock,
            badge=None if arguments.aws == "local" else _badge(runner, clock, output),
            json=arguments.format == "json",
            confirm=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
            workers=stack.enter_context(Workers()),
            caching=not arguments.no_cache,
            edition=arguments.edition,
        )
        return _done(arguments, world)


def _done(arguments: argparse.Namespace, world: World) -> int:
    """Run the command; the twelve actions leave an execution log."""

    def do(world: World) -> int:
        return COMMANDS[arguments.command].run(arguments, world)

    if arguments.command not in ACTIONS:
        return do(world)
    from stackseal import journal

    given = getattr(arguments, "config", [])
    names = [given] if isinstance(given, str) else given
    return journal.kept(arguments.command, names, world, do, dry_run=getattr(arguments, "dry_run", False))


def _badge(runner: hosts.Runner, clock: Clock, output: Output) -> hosts.Badge | None:
    """The job's identity, whose tokens the runner is told to hide."""
    found = runner.badge(clock.sleep)
    if found is None or (token := found.token) is None:
        return found
    return replace(found, token=lambda: _hidden(token(), output))


def _hidden(token: str, output: Output) -> str:
    output.mask(token)
    return token


def _forge(arguments: argparse.Namespace, env: Mapping[str, str], runner: hosts.Runner, clock: Clock) -> hosts.Forge:
    from stackseal.report import marker

    link = hosts.Link(
        env=env,
        root=arguments.root,
        agent=f"stackseal/{__version__} ({arguments.command})",
        marks=marker,
        now=clock.now,
        sleep=clock.sleep,
    )
    return hosts.forge(link, runner)


def report(error: StacksealError, output: Output, *, as_json: bool) -> None:
    """Say what is wrong: one line for each error, `file:line:column` first."""
    errors = list(error.errors) if isinstance(error, ConfigErrors) else [error]
    for each in errors:
        place = f"{each.where}: " if each.where else ""
        output.say(f"{place}error: {' '.join(str(each).split())}", "error")
    if as_json:
        rows = [_row(each) for each in errors]
        output.json({"errors": rows, "exit_code": error.exit_code})


def _row(error: StacksealError) -> dict[str, Any]:
    where = error.where
    place = {"file": where.path, "line": where.line, "column": where.column} if where else {}
    return {"what": error.what, "why": error.why, "remedy": error.remedy, **place}


def parser(version: str = f"stackseal {__version__}") -> _Parser:
    """The whole command line, as `--help` shows it."""
    shared = _globals()
    main_parser = _Parser(
        prog="stackseal",
        description="GitOps for machine-learning infrastructure on AWS: what was reviewed is what is deployed.",
        epilog=_EPILOG.format(actions=", ".join(ACTIONS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_globals()],
        allow_abbrev=False,
    )
    main_parser.add_argument("--version", action="version", version=version)
    main_parser.add_argument("--license", "--licence", action="store_true", help="show the licence's text and exit")
    main_parser.add_argument("--install-checkov", action="store_true", help=argparse.SUPPRESS)
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=command.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[shared],
            allow_abbrev=False,
        )
        command.configure(sub)
    return main_parser


def _globals() -> _Parser:
    """Options that stand before or after the command; suppressed defaults keep one from hiding the other."""
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = shared.add_argument_group("global options")
    group.add_argument("--root", metavar="DIR", help="working root for templates, policies, reports (default: ml)")
    group.add_argument("--format", choices=("text", "json"), help="what stdout holds (default: text)")
    group.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="what stderr says")
    group.add_argument("--cache-dir", metavar="DIR", help="(STACKSEAL_CACHE_DIR; default: ~/.cache/stackseal)")
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    group.add_argument("--aws", choices=("default", "local"), help="local: an embedded AWS for this command only")
    group.add_argument("--edition", metavar="TIER", help="serve this tier only (STACKSEAL_EDITION)")
    return shared


_ORIGINALS: Final = {"-con": "config", "--config": "config", "-act": "action", "--action": "action"}


def _modern(argv: list[str]) -> list[str]:
    """`-con CONFIG -act ACTION` as `ACTION CONFIG`."""
    found: dict[str, str] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _ORIGINALS:
            rest.append(word)
            continue
        what = _ORIGINALS[name]
        given = value if equals else next(words, None)
        if given is None:
            raise UsageError(f"{name} has no value", remedy=f"give the {what} after it")
        if what in found:
            raise UsageError(f"{name} is given twice", why=f"{found[what]!r} and {given!r}", remedy=f"give one {what}")
        found[what] = given
    if not found:
        return argv
    if "action" not in found:
        raise UsageError("No action is given", why="-act is missing", remedy=f"it is one of {', '.join(ACTIONS)}")
    if found["action"] not in ACTIONS:
        raise UsageError(f"There is no action {found['action']!r}", remedy=f"it is one of {', '.join(ACTIONS)}")
    if "config" not in found and found["action"] != "list-products":
        raise UsageError("No config is given", why="-con is missing", remedy="name a file, or one in configs/")
    config = [found["config"]] if "config" in found and found["action"] != "list-products" else []
    return [found["action"], *config, *rest]


def _version(env: Mapping[str, str]) -> str:
    edition = env.get("STACKSEAL_EDITION")
    return f"stackseal {edition}-{__version__}" if edition in EDITIONS else f"stackseal {__version__}"


def _level(env: Mapping[str, str]) -> str:
    level = env.get("STACKSEAL_LOG_LEVEL", "info")
    return level if level in {"debug", "info", "warning", "error"} else "info"


def _wants_json(argv: Sequence[str]) -> bool:
    return any(
        word == "--format=json" or (word == "--format" and list(argv[index + 1 : index + 2]) == ["json"])
        for index, word in enumerate(argv)
    )


def _embedded(stack: ExitStack) -> dict[str, str]:
    try:
        from stackseal.local import EmbeddedAws
    except ImportError as error:
        raise UsageError(
            "The embedded AWS is not installed", why=str(error), remedy="pip install 'stackseal[local]'"
        ) from error
    return {**stack.enter_context(EmbeddedAws()).environ(), EMBEDDED: "1"}


def _ask(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
