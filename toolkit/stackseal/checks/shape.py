"""What many templates have in common: the text without the names in the Defaults of its parameters.

cfn-lint and checkov judge names by their length, their characters, and by comparing them with fixed words and with each
other. Names of the kind of `_NAME` cannot be told apart by characters or by words; what compares equal in one template
of a shape compares equal in every other; and a limit that the longest names keep, shorter ones keep as well. So where
an engine says nothing about names of the template with the longest ones, it says the same of all others. That no
pattern, word or minimum of cfn-lint's schemas for `TYPES` tells such names apart is proven over the schemas, and the
whole by comparing with what the engines say of every text (`tests/unit/checks/test_shape.py`).

Only what is written as `yamltext.dump` writes it has a shape; any other text has none, and is read for itself.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from stackseal.model import canonical_json, sha256

T = TypeVar("T", bound=Hashable)

_TYPES: Final = """
    ApplicationAutoScaling::ScalableTarget ApplicationAutoScaling::ScalingPolicy CloudWatch::Alarm CloudWatch::Dashboard
    CodeBuild::Project CodeCommit::Repository CodePipeline::Pipeline EC2::EIP EC2::FlowLog EC2::InternetGateway
    EC2::NatGateway EC2::Route EC2::RouteTable EC2::SecurityGroup EC2::SecurityGroupEgress EC2::SecurityGroupIngress
    EC2::Subnet EC2::SubnetRouteTableAssociation EC2::VPC EC2::VPCEndpoint EC2::VPCGatewayAttachment Events::Rule
    IAM::ManagedPolicy IAM::OIDCProvider IAM::Role KMS::Alias KMS::Key Logs::LogGroup Logs::MetricFilter S3::Bucket
    S3::BucketPolicy SNS::Subscription SNS::Topic SSM::Parameter SageMaker::Endpoint SageMaker::Model
    SageMaker::ModelPackageGroup StepFunctions::StateMachine
"""
TYPES: Final = frozenset(f"AWS::{name}" for name in _TYPES.split())
"""The resource types that the shipped products are made of. A template with any other has no shape."""
LEAST: Final = 20
"""Characters of the shortest name; a shorter one could be any word."""
_WORD: Final = 24
"""Characters of the longest word of a name: what is longer could be a key."""
_NAME: Final = re.compile(r"(?<![^/])[a-z][a-z0-9]*(?:-[a-z0-9]+){3,}(?![^/])")
_RESERVED: Final = frozenset({"al2", "al2023", "amazon", "aws", "public", "sagemaker", "ssm", "sthree", "xn"})
"""First words of names that AWS keeps for itself."""
_ENDS: Final = ("arn", "s3alias")
"""Ends of names that mean something: before a colon `arn` begins an ARN."""
_PARAMETERS: Final = re.compile(r"^Parameters:\n((?: .*\n)+)", re.MULTILINE)
_DECLARED: Final = re.compile(
    r"^  (\w+):\n"
    r"    Type: (?:String|AWS::SSM::Parameter::Value<[\w:<>]+>)\n"
    r"(?:    Description: .*\n)?"
    r"    Default: (\S+)\n"
    r"(?=  \w|\Z)",
    re.MULTILINE,
)
_TYPE: Final = re.compile(r"\n    Type: (.*)")
_FUNCTION: Final = re.compile(r"\b(Ref|Fn::\w+):(?: (.*))?")
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_HARMLESS: Final = frozenset({"Fn::GetAtt", "Fn::If", "Fn::Sub", "Ref"})
"""Functions that do not look into a value; what others are given counts."""
_SECTION: Final = re.compile(r"^(?:Conditions|Mappings|Rules|Transform):", re.MULTILINE)
"""Parts of a template in which a value may decide something."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a text shares with others, and how long its names are."""

    key: str
    lengths: tuple[int, ...]


def no_longer(lengths: Sequence[int], longest: Sequence[int]) -> bool:
    """Whether names of these lengths are no longer than those."""
    return len(lengths) == len(longest) and all(mine <= other for mine, other in zip(lengths, longest, strict=True))


def of(text: str) -> Shape | None:
    """The shape of a template's text; None where it has none, or no name."""
    section = _PARAMETERS.search(text)
    if section is None:
        return None
    rest = text[: section.start()] + text[section.end() :]
    used = _used(rest)
    if used is None:
        return None
    declared = {found[1]: name for found in _DECLARED.finditer(section[1]) if (name := _name(found[2])) is not None}
    names = {key: name for key, name in declared.items() if key not in used.looked_into and name not in rest}
    if not names:
        return None
    masked = _DECLARED.sub(lambda found: found[0].replace(names.get(found[1], "\0"), "{}"), section[1])
    key = canonical_json([masked, sha256(rest), _equal(used, names)])
    return Shape(key=sha256(key), lengths=tuple(map(len, names.values())))


def spread(shapes: Mapping[T, Shape]) -> dict[T, T]:
    """For every text the one that speaks for it: of the same shape, and with no shorter name; perhaps itself."""
    speakers: dict[str, list[T]] = {}
    found: dict[T, T] = {}
    for each in sorted(shapes, key=lambda each: -sum(shapes[each].lengths)):
        mine = speakers.setdefault(shapes[each].key, [])
        found[each] = next((other for other in mine if no_longer(shapes[each].lengths, shapes[other].lengths)), each)
        if found[each] == each:
            mine.append(each)
    return found


def _name(value: str) -> str | None:
    """The one name in a Default, where it is of the kind that no rule knows."""
    found = _NAME.findall(value)
    if len(found) != 1:
        return None
    name = str(found[0])
    words = name.split("-")
    known = words[0] in _RESERVED or name.endswith(_ENDS) or max(map(len, words)) > _WORD
    return None if known or len(name) < LEAST or not any(letter.isdigit() for letter in name) else name


@dataclass(frozen=True, kw_only=True)
class _Used:
    """What becomes of the parameters in the rest of a text."""

    texts: tuple[tuple[str, ...], ...]
    """What is made with them, as `Fn::Sub` writes it: by turns plain text and the name of a variable."""
    looked_into: frozenset[str]
    """Those of whose values more is made than a text."""


@lru_cache(maxsize=256)
def _used(rest: str) -> _Used | None:
    """What the rest of a text does with parameters; None where it has parts in which a value may decide something.

    The rest is the same for every text of a shape, and so is read once.
    """
    if _SECTION.search(rest) or not set(_TYPE.findall(rest)) <= TYPES:
        return None
    texts: set[str] = set()
    looked: set[str] = set()
    for found in _FUNCTION.finditer(rest):
        function, written = found[1], found[2] or ""
        if function == "Ref":
            texts.add(f"${{{written}}}")
        elif function == "Fn::Sub" and written:
            texts.add(written)
        elif function == "Fn::Sub" or function not in _HARMLESS:
            looked.update(_mentioned(_below(rest, found.start())))
    made = tuple(tuple(_VARIABLE.split(text)) for text in sorted(texts))
    return _Used(texts=made, looked_into=frozenset(looked))


def _mentioned(text: str) -> Iterator[str]:
    """The parameters that a part of a text may refer to."""
    yield from _VARIABLE.findall(text)
    yield from (found[2] for found in _FUNCTION.finditer(text) if found[1] == "Ref" and found[2])


def _below(rest: str, place: int) -> str:
    """What is given to the function that stands at this place: the lines that are deeper, and a list beside it."""
    start = rest.rfind("\n", 0, place) + 1
    deep, end = place - start, rest.find("\n", place) + 1
    while 0 < end < len(rest):
        after = rest.find("\n", end) + 1 or len(rest)
        line = rest[end:after]
        indent = len(line) - len(line.lstrip(" "))
        if indent < deep or (indent == deep and not line.startswith("- ", indent)):
            break
        end = after
    return rest[start:end]


def _equal(used: _Used, names: Mapping[str, str]) -> list[list[int]]:
    """The names, and the texts made with them, that come out the same: their numbers, in groups."""
    made: dict[str, list[int]] = {}
    for number, parts in enumerate((*(("", name, "") for name in names), *used.texts)):
        if not names.keys().isdisjoint(parts[1::2]):
            text = "".join(names.get(part, f"${{{part}}}") if odd % 2 else part for odd, part in enumerate(parts))
            made.setdefault(text, []).append(number)
    return [group for group in made.values() if len(group) > 1]
