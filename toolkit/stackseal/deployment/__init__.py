"""Joins stages 6 and 8: what a merge causes; every stack is proven, waits for its turn, and is told."""
