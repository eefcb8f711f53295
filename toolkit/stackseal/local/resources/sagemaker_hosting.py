"""AWS::SageMaker::Model, ::EndpointConfig and ::Endpoint, served by moto. `Ref` is the ARN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, tag_list, untagged


@dataclass(frozen=True, kw_only=True)
class _Family:
    """How one of the three types is called."""

    property: str
    """The property with its name, which is the parameter of its calls too."""
    calls: str
    """The end of its calls' names, e.g. `endpoint_config`."""
    resource: str
    """The kind in its ARN."""

    def arn(self, context: Context, name: str) -> str:
        return context.arn("sagemaker", f"{self.resource}/{name}")

    def name(self, physical_id: str) -> str:
        return physical_id.rpartition("/")[2]

    def call(self, context: Context, verb: str, **given: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = getattr(context.client("sagemaker"), f"{verb}_{self.calls}")(**given)
        return found

    def kind(self, *, unread: frozenset[str] = frozenset()) -> Kind:
        return Kind(
            create=self._create,
            update=self._update,
            delete=self._delete,
            read=self._read,
            physical=self._physical,
            name=self.property,
            name_limit=63,
            tags="Tags",
            unread=unread,
        )

    def _physical(self, context: Context, props: Props) -> str:
        return self.arn(context, str(props[self.property])) if props.get(self.property) else ""

    def _attributes(self, name: str) -> Attributes:
        return {self.property: name}

    def _create(self, context: Context, props: Props) -> tuple[str, Attributes]:
        name = context.name(props.get(self.property), limit=63)
        given = {key: value for key, value in props.items() if key not in _CLOUDFORMATION_ONLY}
        self.call(context, "create", **{**given, self.property: name, "Tags": tag_list(props.get("Tags"))})
        return self.arn(context, name), self._attributes(name)

    def _update(self, context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
        client, name = context.client("sagemaker"), self.name(physical_id)
        if self.calls == "endpoint" and old.get("EndpointConfigName") != new.get("EndpointConfigName"):
            # moto has no UpdateEndpoint: the endpoint is made anew under its name.
            self._delete(context, physical_id, old)
            return self._create(context, {**new, self.property: name})[1]
        if gone := untagged(old.get("Tags"), new.get("Tags")):
            client.delete_tags(ResourceArn=physical_id, TagKeys=gone)
        client.add_tags(ResourceArn=physical_id, Tags=tag_list(new.get("Tags")))
        return self._attributes(name)

    def _delete(self, context: Context, physical_id: str, props: Props) -> None:
        if self._read(context, physical_id, props) is not None:
            self.call(context, "delete", **{self.property: self.name(physical_id)})

    def _read(self, context: Context, physical_id: str, _props: Props) -> Props | None:
        try:
            found = dict(self.call(context, "describe", **{self.property: self.name(physical_id)}))
        except ClientError:
            return None
        found["Tags"] = context.client("sagemaker").list_tags(ResourceArn=physical_id)["Tags"]
        return found


_CLOUDFORMATION_ONLY: Final = frozenset({"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"})
_ENDPOINT_UNREAD: Final = frozenset({*_CLOUDFORMATION_ONLY, "DeploymentConfig"})
"""What moto does not keep, or what only an update is told."""

KINDS: Final[Mapping[str, Kind]] = {
    "AWS::SageMaker::Model": _Family(property="ModelName", calls="model", resource="model").kind(),
    "AWS::SageMaker::EndpointConfig": _Family(
        property="EndpointConfigName", calls="endpoint_config", resource="endpoint-config"
    ).kind(),
    "AWS::SageMaker::Endpoint": _Family(property="EndpointName", calls="endpoint", resource="endpoint").kind(
        unread=_ENDPOINT_UNREAD
    ),
}
