"""YAML as stackseal reads it: YAML 1.2 scalars, a mark for every node, hard limits, one family of errors.

Measured against public suites, PyYAML's own loaders turn `012345670123` into an octal number and `NO` into False,
raise a dozen exception types that are not YAMLError, and its C loader crashes the process on 50 KB of `[`. The reader
here takes the parser's *events* only (an iterative state machine) and builds plain data from them itself.
"""

from stackseal.yamltext.cloudformation import CLOUDFORMATION_TAGS
from stackseal.yamltext.limits import CONFIG, TEMPLATE, Limits, decode
from stackseal.yamltext.reader import Document, Tags, parse
from stackseal.yamltext.torn import torn
from stackseal.yamltext.writer import dump

__all__ = ["CLOUDFORMATION_TAGS", "CONFIG", "TEMPLATE", "Document", "Limits", "Tags", "decode", "dump", "parse", "torn"]
