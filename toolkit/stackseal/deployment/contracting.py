"""The end of a deployment: roles lose what only the old versions of their stacks needed.

The template that a role has then is named by its digest in the one that the review sealed, so that it is sealed, too.
Its change set is made when everything else is done, and must do nothing that does not follow from these two templates.
Where a stack fails, its role stays as it is, and the stack's next change takes away what is too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stackseal import deploy as stage
from stackseal import naming
from stackseal.deployment import proving, sealed
from stackseal.deployment.proving import Turn
from stackseal.errors import Refused, StacksealError
from stackseal.model import Deployment, Plan, PlanOperation, StackId, Template
from stackseal.plan import change_set, predicted, seal
from stackseal.review import planning

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation


@dataclass(frozen=True, kw_only=True)
class Contraction:
    """The last step of one stack of roles."""

    turn: Turn
    """What it did before: it let the role do what either version needs."""
    narrow: Template

    def take(self) -> Deployment:
        """Do it; what goes wrong is the outcome."""
        stack, world = self.turn.subject.id, self.turn.world
        try:
            cfn = world.cloudformation(stack)
            plan = self._planned(cfn)
            self._hold(cfn, plan)
            return stage.execute(plan, self.narrow, cfn, proving.watch(world, stack.name))
        except StacksealError as error:
            return proving.stopped(stack, error)

    def _planned(self, cfn: CloudFormation) -> Plan:
        """The change set, for a role whose wide form is on record as it is rendered here."""
        world, stack = self.turn.world, self.turn.subject.id
        account = self.turn.ours.account(stack.account)
        inputs = seal.inputs(self.narrow, stack=stack, execution_role=account.role_of(stack))
        return change_set.create(
            inputs,
            cfn,
            name=seal.change_set_again(self.turn.record().head, inputs.digest),
            patience=planning.patience(world),
            description=f"stackseal {inputs.digest}",
            store=planning.store_of(account),
        )

    def _hold(self, cfn: CloudFormation, plan: Plan) -> None:
        """Nothing, if the plan does what follows from the two templates and no more; else it is removed again."""
        wide = self.turn.sides[1]
        if plan.operation is PlanOperation.NONE or wide is None:
            return
        foreseen = predicted.predict(wide.template, self.narrow, stack=plan.stack, cautious=True)
        extra = seal.subset(seal.coarse(plan.changes), seal.coarse(foreseen.changes))
        if extra:
            sealed.discard(cfn, plan)
            raise Refused(
                f"The role of {plan.stack.name} keeps what it no longer needs",
                why=" ".join(f"Not foreseen: {line}." for line in extra),
                remedy="look who changed the role; the next change of its stack takes it away",
            )


def after(turns: Mapping[StackId, Turn], deployed: Mapping[StackId, Turn]) -> Iterator[Contraction]:
    """The last steps of a deployment: of the stacks that were deployed those whose roles may do too much now."""
    for stack in sorted(deployed):
        turn = turns.get(naming.roles_stack(stack))
        if turn is not None and turn.narrow is not None:
            yield Contraction(turn=turn, narrow=turn.narrow)
