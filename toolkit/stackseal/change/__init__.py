"""Joins stages 1 to 3: which stacks a change concerns, prepared and in order."""
