"""Reactions to comments: one of a kind for each person, however often it is given."""

from __future__ import annotations

from fakes.github.call import Call
from fakes.github.exchange import Reply, not_found
from fakes.github.models import Comment, Reaction


def create(call: Call) -> Reply:
    """reactions/create-for-issue-comment: 201 for a new one, 200 for one that this login has given already"""
    comment, content = _comment(call), call.body["content"]
    given = [one for one in comment.reactions if (one.author, one.content) == (call.login, content)]
    if given:
        return Reply(body=_view(call, given[0]))
    made = Reaction(id=call.world.ids(), author=call.login, content=content, created=call.world.clock.tick())
    comment.reactions.append(made)
    return Reply(status=201, body=_view(call, made))


def delete(call: Call) -> Reply:
    """reactions/delete-for-issue-comment"""
    comment, number = _comment(call), int(call.values["reaction_id"])
    left = [one for one in comment.reactions if one.id != number]
    if len(left) == len(comment.reactions):
        raise not_found()
    comment.reactions = left
    return Reply(status=204)


def _view(call: Call, reaction: Reaction) -> dict[str, object]:
    return {
        "id": reaction.id,
        "node_id": f"REA_{reaction.id}",
        "user": call.views.user(reaction.author),
        "content": reaction.content,
        "created_at": reaction.created,
    }


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(int(call.values["comment_id"]))
    if found is None:
        raise not_found()
    return found
