"""Runs while a plugin is built, around the import of its code: what that code needs later, the component must have by then.

Files are only there during the build. What this module leaves for later is in `LATE` and `ZONES`; what it has to
tell the author is in `NOTES`.
"""

import ast
import importlib
import os
import random
import re
import sys
import zlib
# Not where it's needed: looking for it there would look for it again.
from importlib.machinery import ModuleSpec

NOTES = []
LATE = {}  # Python's own modules that were not imported yet: whether a package, and the compressed source.
ZONES = {}  # Time zones by name.

# Parts of Python for which there is nothing behind, or that only make a component larger.
ABSENT = {"ssl", "_ssl", "ctypes", "_ctypes", "lzma", "bz2", "curses", "fcntl", "pwd", "grp", "readline", "tkinter", "termios", "resource"}
# Without `traceback`, the interpreter itself prints what wasn't caught, and compiles nothing for it.
UNUSED = ABSENT | {"traceback"} | {"ensurepip", "idlelib", "lib2to3", "multiprocessing", "pydoc_data", "sqlite3", "test", "turtle", "turtledemo", "venv"}

# How deep JSON may be nested. At 280, the stack of WebAssembly is used up, which Python knows nothing of.
JSON_DEPTH = 200

building = True


def watch_chance():
    """Notes where chance is drawn while the plugin is built: each command would see the same."""

    def watched(name, original):
        def draw(*arguments, **named):
            if building:
                frame = sys._getframe(1)
                note(frame.f_code.co_filename, frame.f_lineno, f"`random.{name}` is drawn once, while the plugin is built, and is the same in each command: draw it in a function that `run` calls")
            return original(*arguments, **named)

        return draw

    for name in ("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "getrandbits", "randbytes"):
        setattr(random, name, watched(name, getattr(random, name)))


def note(file, line, sentence):
    for folder in ("/0/", "/2/"):
        if file.startswith(folder):
            NOTES.append(f"{file.removeprefix(folder)}:{line}: {sentence}.")


def finish():
    """Imports what the project's functions import, keeps the rest of Python for later, and lets go of what only a build needs."""
    global building
    seen = set()
    while new := [module for name, module in list(sys.modules.items()) if is_own(module) and name not in seen]:
        for module in new:
            seen.add(module.__name__)
            look_through(module)
    if "datetime" in sys.modules or "time" in sys.modules:
        import _strptime
    if "zoneinfo" in sys.modules:
        keep_zones()
    if "json" in sys.modules:
        bound_json()
    keep_modules()
    sys.meta_path.append(Later)
    building = False


def is_own(module):
    file = getattr(module, "__file__", None) or ""
    return file.startswith(("/0/", "/2/")) and file.endswith(".py")


def look_through(module):
    try:
        with open(module.__file__, encoding="utf-8") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return
    late = []
    collect(tree, False, False, late)
    package = module.__name__ if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
    for name, line, level, parts, is_tried in late:
        try:
            imported = importlib.import_module("." * level + name, package if level else None)
            for part in parts:
                if not hasattr(imported, part) and hasattr(imported, "__path__"):
                    importlib.import_module(f"{imported.__name__}.{part}")
        except Exception as error:
            if not is_tried:
                note(module.__file__, line, f"importing {name or '.'} fails: {error}{cure(name)}")


def cure(name):
    root = name.partition(".")[0]
    if root in ("ssl", "_ssl", "requests", "httpx", "aiohttp", "urllib3"):
        return ". For requests, use MARO's `http`"
    if root in sys.stdlib_module_names:
        return ". Plugins don't have it"
    return f". To add a package, run `pip install --target . {root}` in the project's folder; it must be pure Python"


def collect(node, is_late, is_tried, late):
    """Imports within functions, as (module, line, level, names in it, whether in a `try`)."""
    if is_late and isinstance(node, ast.Import):
        late += [(alias.name, node.lineno, 0, [], is_tried) for alias in node.names]
    elif is_late and isinstance(node, ast.ImportFrom):
        late.append((node.module or "", node.lineno, node.level, [alias.name for alias in node.names], is_tried))
    elif is_late and isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if isinstance(name, str) and not name.startswith("."):
            late.append((name, node.lineno, 0, [], is_tried))
    elif isinstance(node, ast.Call) and called(node) == "run" and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "asyncio":
        late.append(("asyncio", node.lineno, 0, [], is_tried))
    if isinstance(node, ast.Try):
        for child in node.body:
            collect(child, is_late, bool(node.handlers) or is_tried, late)
        for child in [*node.handlers, *node.orelse, *node.finalbody]:
            collect(child, is_late, is_tried, late)
        return
    inner = is_late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for child in ast.iter_child_nodes(node):
        collect(child, inner, is_tried, late)


def called(node):
    return getattr(node.func, "attr", None) or getattr(node.func, "id", None)


def keep_modules():
    folder = "/python"
    for name in os.listdir(folder):
        root = name.removesuffix(".py")
        if root in sys.stdlib_module_names and root not in UNUSED:
            keep(f"{folder}/{name}", root)


def keep(path, name):
    if path.endswith(".py"):
        keep_source(path, name, False)
    elif os.path.isfile(f"{path}/__init__.py"):
        keep_source(f"{path}/__init__.py", name, True)
        for inner in os.listdir(path):
            if inner not in ("__init__.py", "__main__.py", "__pycache__"):
                keep(f"{path}/{inner}", f"{name}.{inner.removesuffix('.py')}")


def keep_source(path, name, is_package):
    if name not in sys.modules:
        with open(path, "rb") as source:
            LATE[name] = (is_package, zlib.compress(source.read(), 1))


class Later:
    """Finds Python's own modules that nobody had imported when the plugin was built."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in LATE:
            return ModuleSpec(name, cls, is_package=LATE[name][0])

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        source = zlib.decompress(LATE[module.__name__][1])
        exec(compile(source, f"/python/{module.__name__}", "exec", dont_inherit=True), module.__dict__)


def keep_zones():
    import io
    from zoneinfo import _common

    import tzdata

    folder = os.path.dirname(tzdata.__file__)
    with open(f"{folder}/zones") as names:
        for name in names.read().split():
            with open(f"{folder}/zoneinfo/{name}", "rb") as zone:
                ZONES[name] = zone.read()

    def load(key):
        if key not in ZONES:
            from zoneinfo import ZoneInfoNotFoundError

            raise ZoneInfoNotFoundError(f"No time zone found with key {key}")
        return io.BytesIO(ZONES[key])

    _common.load_tzdata = load
    import zoneinfo

    zoneinfo.available_timezones = lambda: set(ZONES)


def bound_json():
    """Lets JSON that is nested too deeply raise where it's read: the interpreter's stack would end unnoticed by Python."""
    from json.decoder import JSONDecoder

    read = JSONDecoder.raw_decode

    def raw_decode(self, s, idx=0):
        if is_too_deep(s):
            raise RecursionError(f"the JSON is nested over {JSON_DEPTH} deep")
        return read(self, s, idx)

    JSONDecoder.raw_decode = raw_decode


def is_too_deep(text):
    if text.count("[") + text.count("{") <= JSON_DEPTH:
        return False
    depth = 0
    for start in range(0, len(text), 512):
        part = text[start:start + 512]
        opened = part.count("[") + part.count("{")
        if depth + opened > JSON_DEPTH:
            break
        depth += opened - part.count("]") - part.count("}")
    else:
        return False
    # What is within strings counts only now: looking for them takes longer than reading the JSON.
    depth = 0
    for bracket in re.findall(r"[][{}]", re.sub(r'"[^"\\]*(?:\\.[^"\\]*)*"', "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        if depth > JSON_DEPTH:
            return True
    return False


def told():
    """The notes in one text that the kit finds in the component. Put together here, so that it is there only once."""
    return "".join(("<maro", "-notes>", "\n".join(NOTES), "</maro", "-notes>"))
