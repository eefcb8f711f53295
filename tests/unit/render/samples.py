"""A small product of an organisation and its config, written below a folder, and the ways to a template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stackseal import assets, config, render
from stackseal.catalogue import Catalogue, Resolved
from stackseal.model import Template
from stackseal.sandbox import Sandbox

EXAMPLES = sorted((assets.PRODUCTS / "ml/examples").glob("*.yaml"))
ENTERPRISE = next(path for path in EXAMPLES if path.stem.endswith("codecommit-standalone-direct-rtb"))
PRODUCT = """\
name: topic
title: Topic
section: topic
variants: [plain]
schema:
  type: object
  required: [title]
  additionalProperties: false
  properties:
    title: {type: string}
    days: {type: integer, default: 7}
variables:
  topic_name: client.company_prefix ~ '-topic'
slug: topic_name
stack: topic_name ~ '-stack'
scenario: "''"
variant: "'plain'"
names:
  TopicName: {name: topic_name, limit: 256}
tags:
  "stackseal:product": "'topic'"
resources:
  - {variant: plain, when: 'true', count: 1}
"""
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: {{ names.TopicName | tojson }}
      DisplayName: {{ topic.title | tojson }}
"""
CONFIG = """\
client:
  company_name: Tech Corp
  company_prefix: techcorp
  account_id: "111122223333"
  tenant_id: a001
environment:
  env: prod
  region: us-west-2
topic:
  title: Alarms
"""


def catalogue(folder: Path, product: str = PRODUCT, template: str = TEMPLATE, **parts: str) -> Catalogue:
    """The catalogue with one product, `folder/topic`."""
    root = folder / "topic"
    root.mkdir(exist_ok=True)
    (root / "product.yaml").write_text(product, encoding="utf-8")
    (root / "template.yaml.j2").write_text(template, encoding="utf-8")
    for name, text in parts.items():
        (root / f"{name}.yaml.j2").write_text(text, encoding="utf-8")
    return Catalogue.load([folder])


def rendered(products: Catalogue, text: str | bytes, sandbox: Sandbox, path: str = "configs/x.yaml") -> Template:
    """Stages 1 to 3 of a config's text."""
    raw = text.encode() if isinstance(text, str) else text
    resolved: Resolved = products.resolve(config.parse(raw, path), sandbox)
    return render.render(resolved.stack, resolved.origins, sandbox, path="ml/templates/x.yaml")


@contextmanager
def shipped() -> Iterator[tuple[Catalogue, Sandbox]]:
    """The shipped catalogue and a sandbox."""
    with Sandbox() as sandbox:
        yield Catalogue.load(), sandbox
