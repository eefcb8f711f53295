"""What a template or an expression of a product cannot do: leave its process, outgrow it, or hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal.errors import ConfigError
from stackseal.model import Location
from stackseal.sandbox import Bundle, Sandbox, child

WHERE = Location(path="products/x/product.yaml")
CONTEXT = {"client": {"company_name": "Tech Corp"}, "items": ["a", "b"]}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=2) as running:
        yield running


def render(sandbox: Sandbox, body: str, **files: str) -> str:
    every = {"t": body, **files}
    bundle = Bundle(files=every, paths={name: f"products/x/{name}" for name in every})
    return sandbox.render(bundle, "t", CONTEXT, {}).text


ESCAPES = (
    "''.__class__",
    "''.__class__.__mro__[1].__subclasses__()",
    "().__class__.__base__.__subclasses__()",
    "[].__class__.__base__",
    "{}.__class__.__init__.__globals__",
    "(1).__class__.__bases__",
    "none.__class__",
    "true.__class__.__mro__",
    "self.__init__.__globals__",
    "self._TemplateReference__context",
    "config.__class__.__init__.__globals__['os'].popen('id').read()",
    "request.application.__globals__",
    "lipsum.__globals__['os'].popen('id').read()",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "joiner.__init__.__globals__.os.popen('id').read()",
    "namespace.__init__.__globals__.os.popen('id').read()",
    "range.__init__.__globals__",
    "dict.__mro__",
    "dict.fromkeys.__self__.__mro__",
    "''|attr('__class__')",
    "''|attr('__class__')|attr('__mro__')",
    "''['__class__']",
    "''|attr('\\x5f\\x5fclass\\x5f\\x5f')",
    "''|attr(['_','_class_','_']|join)",
    "''[['__cla','ss__']|join]",
    "['']|map(attribute='__class__')|list",
    "['']|map('attr','__class__')|list",
    "[client]|map(attribute='__class__.__init__')|first",
    "['']|groupby('__class__')",
    "['']|selectattr('__class__')|list",
    "['']|sort(attribute='__class__.__name__')",
    "'{0.__class__.__mro__}'.format('')",
    "'{x.__class__}'.format_map({'x': ''})",
    "client.items.__self__",
    "client.items.__func__",
    "client.update({'a': 1})",
    "client.pop('company_name')",
    "client.clear()",
    "items.append('c')",
    "(client|map('upper')).gi_frame",
    "(client|map('upper')).gi_code",
    "client.keys().mapping.__class__",
    "__import__('os').system('id')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "globals()",
    "getattr('', '__class__')",
    "loop.__class__",
    "caller.__globals__",
    "('' | tojson).__class__",
    "('' | tojson).__html__.__globals__",
    "client.company_name.origin",
)


@pytest.mark.parametrize("payload", ESCAPES)
def test_nothing_leaves_the_sandbox(payload: str, sandbox: Sandbox) -> None:
    assert len(ESCAPES) >= 30
    with pytest.raises(ConfigError, match="The template cannot be rendered") as first:
        render(sandbox, f"ok: 1\nbad: {{{{ ({payload}) | tojson }}}}\n")
    assert str(first.value.where) == "products/x/t:2:1"
    if "tojson" in payload:
        return  # expressions have no such filter
    with pytest.raises(ConfigError, match=r"The template cannot be rendered \(key\)") as second:
        sandbox.evaluate([("key", payload)], CONTEXT, where=WHERE)
    assert second.value.where == WHERE


@pytest.mark.parametrize(
    "body",
    [
        "{% include '/etc/passwd' %}",
        "{% include '../../etc/passwd' %}",
        "{% include 'file:///etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% from '/proc/self/environ' import x %}",
        "{% extends '/etc/passwd' %}",
    ],
)
def test_only_the_bundles_files_can_be_included(body: str, sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError, match="The template cannot be rendered"):
        render(sandbox, body)


GREEDY = (
    "'a' * 10**9",
    "'a' * 10**18",
    "[0] * 10**10",
    "'a'|center(2000000000)",
    "'%2000000000d' % 1",
    "'{:>2000000000}'.format(1)",
    "'a\\nb'|indent(1000000000)",
    "9**(9**9)",
    "range(10**9)|list",
    "range(100000)|list * 100000",
    "(range(99999)|join(',')) * 9999",
    "'a'.ljust(10**10)",
    "'a'.zfill(10**10)",
    "('a' * 10**7).replace('a', 'b' * 10**4)",
    "(('a' * 99999)|list)|map('center', 99999)|join",
    "'ab'.join(['x' * 10**6] * 10**6)",
    "range(10**5)|batch(1)|map('list')|list * 10**6",
)
ENDLESS = (
    "{% for a in range(9**5) %}{% for b in range(9**5) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(99999) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(99999) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% include 't' %}",
    "{% import 't' as t %}",
    "{% extends 't' %}",
    "{% for x in [[[]]] recursive %}{{ loop([[x]]) }}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'text' | tojson }}\n{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{{ (client.company_name * 9999) | striptags | wordcount | tojson }}{% endfor %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " | tojson }}",
    "{{ " + "-" * 5000 + "1 | tojson }}",
    "{{ " + "[" * 5000 + "]" * 5000 + " | tojson }}",
    "{% if true %}" * 120 + "{% endif %}" * 120,
    "{% for x in items %}" * 25 + "{% endfor %}" * 25,
)


def limited(sandbox: Sandbox, body: str) -> None:
    """It ends with a typed error, in the limits of time and of our own memory."""
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"The template (was stopped|cannot be rendered)"):
        render(sandbox, body)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("payload", GREEDY)
def test_a_greedy_expression_is_stopped(payload: str, sandbox: Sandbox) -> None:
    limited(sandbox, f"{{{{ ({payload}) | tojson }}}}")
    with pytest.raises(ConfigError, match=r"The template (was stopped|cannot be rendered)"):
        sandbox.evaluate([("key", payload)], CONTEXT, where=WHERE)


@pytest.mark.parametrize("body", ENDLESS, ids=range(len(ENDLESS)))
def test_an_endless_template_is_stopped(body: str, sandbox: Sandbox) -> None:
    limited(sandbox, body)


def test_a_stopped_child_is_replaced() -> None:
    with Sandbox(seconds=0.5) as sandbox:
        with pytest.raises(ConfigError, match=r"it took longer than 0\.5 seconds"):
            render(sandbox, ENDLESS[0])
        assert render(sandbox, "a: {{ 1 | tojson }}\n") == "a: 1\n"


def _pid(sandbox: Sandbox) -> int:
    assert sandbox._child is not None
    return sandbox._child.pid


def test_a_killed_child_is_one_typed_error_and_replaced() -> None:
    with Sandbox() as sandbox:
        assert render(sandbox, "a") == "a"
        first = _pid(sandbox)
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ConfigError, match="The template was stopped"):
            render(sandbox, "a")
        assert render(sandbox, "a") == "a"
        assert _pid(sandbox) != first


def test_the_child_has_no_environment_no_folder_and_no_file() -> None:
    with Sandbox() as sandbox:
        render(sandbox, "a")
        proc = Path(f"/proc/{_pid(sandbox)}")
        if not proc.is_dir():
            pytest.skip("this system shows no processes as files")
        assert (proc / "environ").read_bytes() == b"PYTHONHASHSEED=0\0"
        assert (proc / "cwd").readlink() == Path("/")
        assert sorted(path.name for path in (proc / "fd").iterdir()) == ["0", "1", "2"]
        limits = {line[:26].strip(): line[26:].split()[0] for line in (proc / "limits").read_text().splitlines()}
        assert limits["Max address space"] == str(child.MEMORY)
        assert limits["Max file size"] == "0"
        assert limits["Max open files"] == "3"
        assert limits["Max core file size"] == "0"


def test_the_child_dies_with_us() -> None:
    program = (
        "import os, signal\nfrom stackseal.sandbox import Sandbox\nfrom stackseal.model import Location\n"
        "s = Sandbox()\ns.evaluate([('a', '1')], {}, where=Location(path='x'))\n"
        "print(s._child.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while _alive(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(int(done.stdout))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_is_left_alone_with_an_endless_request_ends_itself() -> None:
    assert child.LIFETIME > 10
    program = "import signal\nfrom stackseal.sandbox import child\nchild.LIFETIME = 1\nchild.serve()"
    request = '{"op": "evaluate", "expressions": [["k", "9**(9**9)"]], "context": {}}\n'
    done = subprocess.run([sys.executable, "-c", program], input=request, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, "")


def test_two_children_give_the_same_bytes() -> None:
    body = "{% for k, v in client.items() %}{{ k | tojson }}: {{ v | tojson }}\n{% endfor %}{{ items | tojson }}\n"
    found = []
    for _ in range(2):
        with Sandbox() as sandbox:
            found.append(render(sandbox, body))
    assert found[0] == found[1] == '"company_name": "Tech Corp"\n["a", "b"]\n'
