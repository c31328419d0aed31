"""Lists what looks like a test in Python files, as JSON: where it is, and which classes stand on which others."""

import ast
import json
import re
import sys

NAME = re.compile("test(_|[A-Z]|$)")

tests, classes = [], []


def look(file, body, around):
    for node in body:
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base).split(".")[-1] for base in node.bases]
            classes.append({"name": node.name, "bases": bases})
            look(file, node.body, node.name)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if NAME.match(node.name):
                tests.append({"file": file, "line": node.lineno, "class": around, "name": node.name})
        else:
            # Whatever a condition or `try` holds.
            for part in ("body", "orelse", "finalbody", "handlers"):
                look(file, getattr(node, part, []), around)


for file in sys.argv[1:]:
    try:
        with open(file, "rb") as source:
            look(file, ast.parse(source.read()).body, "")
    except (OSError, SyntaxError, ValueError, RecursionError):
        continue

print(json.dumps({"tests": tests, "classes": classes}))
