"""Stands for AWS's command line in a build: the two commands that our build specifications use, by real boto3.

aws.py BUILDS codebuild batch-get-builds --ids ID --query JMESPATH --output text
aws.py BUILDS s3 cp [--only-show-errors] s3://BUCKET/KEY FILE
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
import jmespath
from botocore.config import Config


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("builds", type=Path)
    services = parser.add_subparsers(dest="service", required=True)
    builds = services.add_parser("codebuild").add_subparsers(required=True).add_parser("batch-get-builds")
    builds.add_argument("--ids", required=True)
    builds.add_argument("--query", required=True)
    builds.add_argument("--output", choices=["text"], required=True)
    copy = services.add_parser("s3").add_subparsers(required=True).add_parser("cp")
    copy.add_argument("--only-show-errors", action="store_true")
    copy.add_argument("source")
    copy.add_argument("target", type=Path)
    args = parser.parse_args(argv)
    if args.service == "codebuild":
        known = json.loads(args.builds.read_text(encoding="utf-8"))
        found = jmespath.search(args.query, {"builds": [build for build in known if build["id"] == args.ids]})
        print("\t".join(str(value) for value in found) if isinstance(found, list) else str(found))  # noqa: T201 - its output
        return 0
    bucket, _, key = args.source.removeprefix("s3://").partition("/")
    client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    args.target.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
