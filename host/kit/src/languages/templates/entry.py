"""Is built in place of the project's own `plugin`, and calls it."""

import re
import sys
from dataclasses import fields, is_dataclass, replace

import componentize_py_runtime
import maro_build

maro_build.watch_chance()

import plugin
from componentize_py_types import Err
from wit_world.exports.command import Description, RunError_Failed, RunError_Usage
from wit_world.imports.reply import Reply

if not all(callable(getattr(getattr(plugin, "Command", None), name, None)) for name in ("describe", "run")):
    raise TypeError("plugin.py must have a `class Command(exports.Command)` with `describe` and `run`")


# Halves of a character, which no text of the host can hold.
SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def whole(value):
    """The value with U+FFFD in place of lone surrogates, as JavaScript has it."""
    if isinstance(value, str):
        return value if value.isascii() else SURROGATES.sub(joined, value)
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(whole, value))
    if is_dataclass(value) and not isinstance(value, (type, Err)):
        return replace(value, **{field.name: whole(getattr(value, field.name)) for field in fields(value)})
    return value


def joined(found):
    pair = found[0]
    if len(pair) == 1:
        return "\ufffd"
    return chr(0x10000 + ((ord(pair[0]) & 0x3FF) << 10) + (ord(pair[1]) & 0x3FF))


call_host = componentize_py_runtime.call_import
componentize_py_runtime.call_import = lambda function, arguments, *rest: call_host(function, whole(arguments), *rest)

maro_build.finish()
_notes = maro_build.told()


class Command(plugin.Command):
    def describe(self):
        description = super().describe()
        if not isinstance(description, Description):
            advise(f"`describe` in plugin.py returned {shown(description)}: return a `Description`.")
            raise TypeError("no description")
        return whole(description)

    def run(self, arguments):
        try:
            reply = super().run(arguments)
        except Err as error:
            refuse_hosts(error)
            raise Err(whole(error.value)) from error
        except ModuleNotFoundError as error:
            advise(f"{error}{place(error)}: a plugin has Python's own modules and the project's, and files are only available while it is built. Import it at the top of the file, and the build says what is missing.")
            raise
        except PermissionError as error:
            if "socket" in sys.modules:
                advise(f"{error}{place(error)}: plugins have no sockets, which `asyncio.run` needs, too. Host calls don't wait, so write plain functions; for requests, use `http`.")
            raise
        if not isinstance(reply, Reply):
            advise(f"`run` in plugin.py returned {shown(reply)}: return `to_caller(…)` or `to_channel(…)`.")
            raise TypeError("no reply")
        return whole(reply)


def advise(sentence):
    """The trap that ends a command doesn't say where in the source it happened or what to do. This line says both."""
    print(f"maro: {sentence}", file=sys.stderr, flush=True)


def refuse_hosts(error):
    if isinstance(error.value, (RunError_Usage, RunError_Failed)):
        return
    said = getattr(error.value, "message", error.value)
    advise(f"An error from the host{place(error)} wasn't caught: catch `Err` and `raise pass_on(error)`. It says: {said}")
    raise TypeError("a host's error") from None


def place(error):
    own, frame = "", error.__traceback__
    while frame:
        folder, _, file = frame.tb_frame.f_code.co_filename.rpartition("/")
        if folder.startswith("/0") and file != "maro.py":
            own = f" at {file}:{frame.tb_lineno}"
        frame = frame.tb_next
    return own


def shown(value):
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
