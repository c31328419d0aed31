"""Is built in place of the project's own `plugin`, and calls it."""

import sys

import plugin
from componentize_py_types import Err
from wit_world.exports.command import Description, RunError_Failed, RunError_Usage
from wit_world.imports.reply import Reply

if not all(callable(getattr(getattr(plugin, "Command", None), name, None)) for name in ("describe", "run")):
    raise TypeError("plugin.py must have a `class Command(exports.Command)` with `describe` and `run`")


class Command(plugin.Command):
    def describe(self):
        description = super().describe()
        if not isinstance(description, Description):
            advise(f"`describe` in plugin.py returned {shown(description)}: return a `Description`.")
            raise TypeError("no description")
        return description

    def run(self, arguments):
        try:
            reply = super().run(arguments)
        except Err as error:
            refuse_hosts(error)
            raise
        except ModuleNotFoundError as error:
            advise(f"{error}{place(error)}: files are only available while a plugin is built, so import it at the top of the file.")
            raise
        if not isinstance(reply, Reply):
            advise(f"`run` in plugin.py returned {shown(reply)}: return `to_caller(…)` or `to_channel(…)`.")
            raise TypeError("no reply")
        return reply


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
