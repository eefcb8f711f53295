"""What makes pipelines run here: events that start them, and the kinds of actions that are really done.

A pipeline goes on whenever somebody asks for it, so that nothing runs behind a test's back: `runs.py` has the order,
`actions.py` what an action does, `events.py` which rule starts what.
"""
