"""The resource types that we add to ministack or do better: add one more here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.resources import codebuild, codecommit, codepipeline, sagemaker
from stackseal.local.resources.kind import Kind

REGISTRY: Final[Mapping[str, Kind]] = {
    **codebuild.KINDS,
    **codecommit.KINDS,
    **codepipeline.KINDS,
    **sagemaker.KINDS,
}
"""CloudFormation type -> its handlers and its reader."""
