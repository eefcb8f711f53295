"""CodeBuild on this machine: projects, builds, phases, sources and artifacts, without a container.

What it does not have: images (commands run on the host), caches, VPCs, batches, time limits.
"""

from fakes.codebuild.build import Outcome, run
from fakes.codebuild.service import Build, CodeBuildFake, Project

__all__ = ["Build", "CodeBuildFake", "Outcome", "Project", "run"]
