"""What code of a consumer imports: read what a deployed ML product publishes, and register models in its registry.

    from stackseal.outputs import get_ml_outputs, get_ml_parameter, register_model

Credentials are those that boto3 finds in the environment; `aws` passes others in. Failures are
`stackseal.errors.StacksealError`: `MissingOutput` where nothing is published under a name, `UsageError` for an argument
that cannot be right, `AwsFailed` with AWS's own reason for everything else.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from stackseal.errors import Failed, UsageError

if TYPE_CHECKING:
    from stackseal.aws.session import Aws
    from stackseal.aws.ssm import Parameters

__all__ = ["MissingOutput", "get_ml_outputs", "get_ml_parameter", "register_model"]

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+\Z")
_MODEL: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+\Z")
_DESCRIPTION_LIMIT: Final = 1024
_CSV: Final = "text/csv"
_IMAGE: Final = "{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"
_REGISTRIES: Final = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""Region -> the account of AWS that holds the image (`image_uri_config/xgboost.json` of the SageMaker Python SDK)."""


class MissingOutput(Failed):
    """The product publishes nothing, or not what was asked for."""


def get_ml_outputs(ml_name: str, region: str, *, aws: Aws | None = None) -> dict[str, str]:
    """Everything that a product publishes below `/ml/{ml_name}/`: the last part of each path -> its value, sorted.

    All pages are read, however many parameters there are. Raises MissingOutput where there are none.
    """
    base = _base(ml_name)
    found = _parameters(region, aws).below(base)
    if not found:
        raise MissingOutput(
            f"The product {ml_name} publishes nothing in {region}",
            why=f"there is no SSM parameter below {base}",
            remedy="deploy the product first, or correct its name, the region or the credentials' account",
        )
    return {path.rpartition("/")[2]: value for path, value in found.items()}


def get_ml_parameter(ml_name: str, key: str, region: str, *, aws: Aws | None = None) -> str:
    """One value that a product publishes, e.g. `ModelPackageGroupArn`.

    Raises MissingOutput where the product does not publish it; the message names what it does publish.
    """
    base = _base(ml_name)
    if not _NAME.match(key):
        raise UsageError(f"{key!r} is no key of a product", why="a key has letters, digits and _.-")
    value = _parameters(region, aws).get(f"{base}/{key}")
    if value is None:
        known = get_ml_outputs(ml_name, region, aws=aws)
        raise MissingOutput(
            f"The product {ml_name} does not publish {key} in {region}",
            why=f"it publishes {', '.join(sorted(known))}",
            remedy="ask for one of these, or deploy a tier that publishes it",
        )
    return value


def register_model(
    ml_name: str,
    region: str,
    model_uri: str,
    description: str,
    *,
    image_uri: str | None = None,
    aws: Aws | None = None,
) -> str:
    """Register a new version of a product's model and return its ARN; it waits for somebody's approval.

    `model_uri` is the archive, `s3://bucket/path/model.tar.gz`. The package takes and gives CSV. It is served by
    `image_uri`, without one by AWS's XGBoost 1.7 container of the region.
    """
    _check(model_uri, description)
    image = image_uri or _image(region)
    group = get_ml_parameter(ml_name, "ModelPackageGroupArn", region, aws=aws).rpartition("/")[2]
    return _create(aws or _ambient(region), region, group, _package(image, model_uri, description))


def _create(aws: Aws, region: str, group: str, package: dict[str, Any]) -> str:
    from stackseal.aws.errors import translated, unreadable

    what = f"could not register a model in {group}"
    with translated(what, changes=f"look whether {group} has a new version before you register it again"):
        answer = aws.client("sagemaker", region).create_model_package(ModelPackageGroupName=group, **package)
    arn = answer.get("ModelPackageArn")
    if not isinstance(arn, str):
        raise unreadable(what)
    return arn


def _package(image: str, model_uri: str, description: str) -> dict[str, Any]:
    return {
        "ModelPackageDescription": description,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": image, "ModelDataUrl": model_uri}],
            "SupportedContentTypes": [_CSV],
            "SupportedResponseMIMETypes": [_CSV],
        },
    }


def _check(model_uri: str, description: str) -> None:
    if not _MODEL.match(model_uri):
        raise UsageError(
            f"{model_uri!r} is no model",
            why="a model is an archive in S3",
            remedy="give s3://bucket/path/model.tar.gz",
        )
    if len(description) > _DESCRIPTION_LIMIT:
        raise UsageError(
            f"The description has {len(description)} characters",
            why=f"SageMaker keeps {_DESCRIPTION_LIMIT}",
            remedy="shorten it",
        )


def _image(region: str) -> str:
    account = _REGISTRIES.get(region)
    if account is None:
        raise UsageError(
            f"There is no usual image for models in {region}",
            why="stackseal does not know where AWS keeps its XGBoost container there",
            remedy="give image_uri",
        )
    return _IMAGE.format(account=account, region=region)


def _base(ml_name: str) -> str:
    if not _NAME.match(ml_name):
        raise UsageError(f"{ml_name!r} is no name of a product", why="a name has letters, digits and _.-")
    return f"/ml/{ml_name}"


def _parameters(region: str, aws: Aws | None) -> Parameters:
    from stackseal.aws.ssm import Parameters

    return Parameters(aws or _ambient(region), region)


def _ambient(region: str) -> Aws:
    from stackseal.aws.session import Aws

    return Aws(os.environ, region=region)
