"""What creating, changing and deleting resources of IAM asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import OBSERVED, SAR, TAGS, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::IAM::ManagedPolicy": Row(
        arn="arn:{partition}:iam::{account}:policy{path}{ManagedPolicyName}",
        sources=(f"{SAR}awsidentityandaccessmanagementiam.html", OBSERVED),
        create=(
            *of("iam:CreatePolicy"),
            *of("iam:AttachRolePolicy", on="{role}", over="Roles", context={"iam:PolicyARN": "{arn}"}),
        ),
        read=of("iam:GetPolicy iam:GetPolicyVersion"),
        compare=of("iam:ListEntitiesForPolicy", when=("Roles", "Users", "Groups")),
        update=(
            *of("iam:CreatePolicyVersion iam:ListPolicyVersions", when=("PolicyDocument",)),
            *of("iam:AttachRolePolicy", on="{role}", over="Roles", when=("Roles",), context={"iam:PolicyARN": "{arn}"}),
            *of("iam:DetachRolePolicy", on="{role}", over="Roles", when=("Roles",), context={"iam:PolicyARN": "{arn}"}),
        ),
        delete=(
            *of("iam:DetachRolePolicy", on="{role}", over="Roles", context={"iam:PolicyARN": "{arn}"}),
            *of("iam:ListPolicyVersions iam:DeletePolicy"),
        ),
    ),
    "AWS::IAM::OIDCProvider": Row(
        arn="arn:{partition}:iam::{account}:oidc-provider/*",
        sources=(f"{SAR}awsidentityandaccessmanagementiam.html",),
        create=(*of("iam:CreateOpenIDConnectProvider"), *of("iam:TagOpenIDConnectProvider", when=TAGS, tags=True)),
        read=of("iam:GetOpenIDConnectProvider"),
        update=(
            *of("iam:AddClientIDToOpenIDConnectProvider", when=("ClientIdList",)),
            *of("iam:RemoveClientIDFromOpenIDConnectProvider", when=("ClientIdList",)),
            *of("iam:UpdateOpenIDConnectProviderThumbprint", when=("ThumbprintList",)),
            *of("iam:TagOpenIDConnectProvider iam:UntagOpenIDConnectProvider", when=TAGS, tags=True),
        ),
        delete=of("iam:DeleteOpenIDConnectProvider"),
    ),
    "AWS::IAM::Role": Row(
        arn="arn:{partition}:iam::{account}:role{path}{id}",
        sources=(f"{SAR}awsidentityandaccessmanagementiam.html", OBSERVED),
        create=(
            *of("iam:CreateRole", context={"iam:PermissionsBoundary": "{boundary}"}, tags=True),
            *of("iam:TagRole", when=TAGS, tags=True),
            *of("iam:PutRolePolicy", when=("Policies",), context={"iam:PermissionsBoundary": "{boundary}"}),
            *of(
                "iam:AttachRolePolicy",
                over="ManagedPolicyArns",
                context={"iam:PolicyARN": "{item}", "iam:PermissionsBoundary": "{boundary}"},
            ),
        ),
        read=of("iam:GetRole"),
        compare=(
            *of("iam:ListRolePolicies iam:GetRolePolicy", when=("Policies",)),
            *of("iam:ListAttachedRolePolicies", when=("ManagedPolicyArns",)),
        ),
        update=(
            *of("iam:UpdateAssumeRolePolicy", when=("AssumeRolePolicyDocument",)),
            *of("iam:UpdateRole", when=("Description", "MaxSessionDuration")),
            *of(
                "iam:PutRolePermissionsBoundary",
                when=("PermissionsBoundary",),
                context={"iam:PermissionsBoundary": "{boundary}"},
            ),
            *of("iam:PutRolePolicy", when=("Policies",), context={"iam:PermissionsBoundary": "{boundary}"}),
            *of(
                "iam:AttachRolePolicy iam:DetachRolePolicy",
                over="ManagedPolicyArns",
                when=("ManagedPolicyArns",),
                context={"iam:PolicyARN": "{item}", "iam:PermissionsBoundary": "{boundary}"},
            ),
            *of("iam:TagRole iam:UntagRole", when=TAGS, tags=True),
        ),
        delete=(
            *of("iam:DeleteRolePolicy", when=("Policies",)),
            *of("iam:DetachRolePolicy", over="ManagedPolicyArns", context={"iam:PolicyARN": "{item}"}),
            *of("iam:DeleteRole"),
        ),
    ),
}
