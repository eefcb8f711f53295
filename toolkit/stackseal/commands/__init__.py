"""ADD A COMMAND: one file, and its line here. A command's module imports what it needs when it runs."""

from __future__ import annotations

from typing import Final

from stackseal.commands import (
    bootstrap,
    check,
    check_drift,
    cleanup,
    create_policy,
    create_prov_template,
    create_review_report,
    delete_product,
    demo,
    deploy,
    deploy_product,
    doctor,
    drift,
    init,
    list_products,
    local,
    outputs,
    policy,
    publish,
    recover,
    replan,
    report,
    review,
    schema,
    show_changes,
    show_product,
    show_pull_request,
    test_deploy,
    upgrade,
    validate_config,
    validate_prov_template,
    verify,
)
from stackseal.commands.base import Command

COMMANDS: Final[dict[str, Command]] = {
    "list-products": list_products,
    "show-product": show_product,
    "validate-config": validate_config,
    "create-policy": create_policy,
    "create-prov-template": create_prov_template,
    "validate-prov-template": validate_prov_template,
    "create-review-report": create_review_report,
    "test-deploy": test_deploy,
    "deploy-product": deploy_product,
    "show-changes": show_changes,
    "check-drift": check_drift,
    "delete-product": delete_product,
    "review": review,
    "report": report,
    "publish": publish,
    "deploy": deploy,
    "drift": drift,
    "cleanup": cleanup,
    "replan": replan,
    "show-pull-request": show_pull_request,
    "recover": recover,
    "verify": verify,
    "upgrade": upgrade,
    "check": check,
    "policy": policy,
    "schema": schema,
    "init": init,
    "bootstrap": bootstrap,
    "outputs": outputs,
    "doctor": doctor,
    "local": local,
    "demo": demo,
}

ACTIONS: Final = tuple(COMMANDS)[:12]
"""The twelve actions of the ML Provisioner (spec A11), also reached by `-con CONFIG -act ACTION`."""
