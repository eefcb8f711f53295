"""The part of the family that trains and hosts: a state machine, a model, its endpoint, its scaling."""

from __future__ import annotations

from typing import Any

_IMAGE = {"Image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/ml:1"}


def hosting() -> dict[str, Any]:
    """Logical id to resource; nothing outside is referred to."""
    return {
        "HostingRole": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "ml-hosting", **_trust()}},
        "StateMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "ml",
                "RoleArn": {"Fn::GetAtt": ["HostingRole", "Arn"]},
                "Definition": {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": "${Word}", "End": True}}},
                "DefinitionSubstitutions": {"Word": "done"},
                "TracingConfiguration": {"Enabled": True},
            },
        },
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ModelName": "ml",
                "ExecutionRoleArn": {"Fn::GetAtt": ["HostingRole", "Arn"]},
                "PrimaryContainer": _IMAGE,
            },
        },
        "EndpointConfig": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": "ml",
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.m5.xlarge",
                        "InitialInstanceCount": 2,
                        "InitialVariantWeight": 1,
                    }
                ],
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "ml",
                "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
            },
        },
        "ScalableTarget": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/AllTraffic"},
                "MinCapacity": 2,
                "MaxCapacity": 4,
            },
        },
        "ScalingPolicy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "requests",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "ScalableTarget"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                    "TargetValue": 600,
                    "ScaleInCooldown": 300,
                },
            },
        },
    }


def _trust() -> dict[str, Any]:
    services = {"Service": ["sagemaker.amazonaws.com", "states.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
