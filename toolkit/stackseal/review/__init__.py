"""Joins stages 4 to 7: what a pull request causes, from the templates to what is published."""
