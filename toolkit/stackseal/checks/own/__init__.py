"""ADD A CHECK HERE: one file that satisfies `checks.base.Check`, and its line in `checks.CHECKS`."""
