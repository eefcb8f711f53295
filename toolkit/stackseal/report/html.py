"""stub"""

from stackseal.model import Report


def render(report: Report) -> str:
    return ""
