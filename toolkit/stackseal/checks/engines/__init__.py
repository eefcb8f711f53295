"""Adapters of foreign engines: each one file that satisfies `checks.base.Engine`, and its line in `checks.ENGINES`."""
