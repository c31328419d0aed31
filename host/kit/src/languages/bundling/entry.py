"""Is built in place of the project's own `plugin`, and calls it."""

import importlib
import pkgutil
import re
import sys
from dataclasses import is_dataclass
from enum import Enum
from functools import wraps
from inspect import isfunction
from typing import Union, get_args, get_origin, get_type_hints

import maro_build
import wit_world.imports
from componentize_py_types import Err
from wit_world.exports.command import Description, RunError, RunError_Failed, RunError_Usage
from wit_world.imports.reply import Reply

# Halves of a character, which no text of the host can hold.
SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def joined(found):
    pair = found[0]
    if len(pair) == 1:
        return "\ufffd"
    return chr(0x10000 + ((ord(pair[0]) & 0x3FF) << 10) + (ord(pair[1]) & 0x3FF))


class Unfit(Exception):
    """A value that the interface has no place for, and where in the whole it is."""

    def __init__(self, value, wanted):
        self.value, self.wanted, self.path = value, wanted, []

    def told(self, whole):
        return f"{whole}{''.join(self.path)} is {shown(self.value, 'None')}, and must be {self.wanted}"

    def within(self, step):
        self.path.insert(0, step)
        return self


PLAIN = {int: ("a whole number", int), bool: ("True or False", bool), bytes: ("bytes", (bytes, bytearray))}


def fit_text(value):
    if not isinstance(value, str):
        raise Unfit(value, "a text")
    # As JavaScript has it: U+FFFD in place of lone surrogates.
    return value if value.isascii() else SURROGATES.sub(joined, value)


def fitting(hint):
    """A function that returns a value as the interface takes it, or raises `Unfit`."""
    if hint is str:
        return fit_text
    if hint in PLAIN:
        return fitting_class(*PLAIN[hint])
    inner = get_args(hint)
    if get_origin(hint) is list:
        return fitting_list(fitting(inner[0]))
    if get_origin(hint) is tuple:
        return fitting_tuple([fitting(part) for part in inner])
    if get_origin(hint) is Union:
        return fitting_one({kind: fitting(kind) for kind in inner if kind is not type(None)}, type(None) in inner)
    if isinstance(hint, type) and is_dataclass(hint):
        return fitting_record(hint, {name: fitting(field) for name, field in get_type_hints(hint).items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return fitting_class(f"one of {', '.join(map(str, hint))}", hint)
    return lambda value: value


def fitting_class(wanted, kinds):
    def fit(value):
        if not isinstance(value, kinds):
            raise Unfit(value, wanted)
        return value

    return fit


def fitting_list(one):
    def fit(value):
        if not isinstance(value, (list, tuple)):
            raise Unfit(value, "a list")
        at = 0
        try:
            fitted = []
            for at, entry in enumerate(value):
                fitted.append(one(entry))
            return fitted
        except Unfit as unfit:
            raise unfit.within(f"[{at}]")

    return fit


def fitting_tuple(parts):
    def fit(value):
        if not isinstance(value, tuple) or len(value) != len(parts):
            raise Unfit(value, f"a tuple of {len(parts)}")
        return tuple(part(entry) for part, entry in zip(parts, value))

    return fit


def fitting_one(kinds, may_be_none):
    names = [kind.__name__ if isinstance(kind, type) else str(kind) for kind in kinds]
    # An optional text, number or list is like one that must be there.
    only = next(iter(kinds.values())) if len(kinds) == 1 else None

    def fit(value):
        if value is None and may_be_none:
            return None
        one = only or kinds.get(type(value))
        if one is None:
            raise Unfit(value, f"one of {', '.join(names)}")
        return one(value)

    return fit


def fitting_record(record, fields):
    def fit(value):
        if not isinstance(value, record):
            raise Unfit(value, f"a `{record.__name__}`")
        for name, one in fields.items():
            before = getattr(value, name)
            try:
                after = one(before)
            except Unfit as unfit:
                raise unfit.within(f".{name}")
            if after is not before:
                setattr(value, name, after)
        return value

    return fit


def checked(name, function):
    """A function of the host that says what doesn't fit, and where it is called, before anything goes there."""
    fits = {parameter: fitting(hint) for parameter, hint in get_type_hints(function).items() if parameter != "return"}

    def fitted(parameter, value):
        try:
            return fits[parameter](value) if parameter in fits else value
        except Unfit as unfit:
            raise TypeError(f"{name}: {unfit.told(parameter)}") from None

    @wraps(function)
    def call(*arguments, **named):
        given = [fitted(parameter, value) for parameter, value in zip(fits, arguments)] + list(arguments[len(fits):])
        return function(*given, **{parameter: fitted(parameter, value) for parameter, value in named.items()})

    return call


for _, interface, _ in pkgutil.iter_modules(wit_world.imports.__path__):
    module = importlib.import_module(f"wit_world.imports.{interface}")
    for name, function in list(vars(module).items()):
        if isfunction(function) and function.__module__ == module.__name__:
            setattr(module, name, checked(f"{interface}.{name}", function))

fit_description, fit_reply, fit_error = fitting(Description), fitting(Reply), fitting(RunError)

maro_build.watch_chance()

import plugin

if not all(callable(getattr(getattr(plugin, "Command", None), name, None)) for name in ("describe", "run")):
    raise TypeError("plugin.py must have a `class Command(exports.Command)` with `describe` and `run`")

maro_build.finish()
_notes = maro_build.told()


class Command(plugin.Command):
    def describe(self):
        description = super().describe()
        if not isinstance(description, Description):
            advise(f"`describe` in plugin.py returned {shown(description)}: return a `Description`.")
            raise TypeError("no description")
        return answered(fit_description, description, "`describe` in plugin.py returned", "description")

    def run(self, arguments):
        try:
            reply = super().run(arguments)
        except Err as error:
            refuse_hosts(error)
            raise Err(answered(fit_error, error.value, "plugin.py raised", "Err")) from error
        except RecursionError as error:
            # Its traceback has a thousand lines.
            advise(f"RecursionError{place(error)}: {error}. Let functions call themselves less deeply, and don't nest values so deeply.")
            raise RecursionError(str(error)) from None
        except (Exception, SystemExit) as error:
            if known := cure(error):
                advise(f"{str(error) or type(error).__name__}{place(error)}: {known}.")
            raise
        if isinstance(reply, Err):
            advise("`run` in plugin.py returned `usage(…)` or `failed(…)`: `raise` it.")
            raise TypeError("no reply")
        if not isinstance(reply, Reply):
            advise(f"`run` in plugin.py returned {shown(reply)}: return `to_caller(…)` or `to_channel(…)`.")
            raise TypeError("no reply")
        return answered(fit_reply, reply, "`run` in plugin.py returned", "reply")


def cure(error):
    """What an author can do about what their code does elsewhere and can't do here."""
    if isinstance(error, ModuleNotFoundError):
        return "a plugin has Python's own modules and the project's, and files are only available while it is built. Import it at the top of the file, and the build says what is missing"
    if isinstance(error, SystemExit):
        return "nothing is shown if a command ends by itself. Return a reply, or raise `usage(…)` or `failed(…)`"
    if isinstance(error, RuntimeError) and "thread" in str(error):
        return "plugins have no threads: call the function itself"
    if not isinstance(error, OSError):
        return None
    if error.filename is not None or error.filename2 is not None or isinstance(error, FileNotFoundError):
        return "plugins have no files while they run. Read what the project has at the top of the file, outside functions, and keep texts in `storage`"
    if "socket" in sys.modules and (isinstance(error, PermissionError) or type(error).__name__ in ("gaierror", "URLError")):
        return "plugins have no sockets, which `asyncio.run` needs, too. Host calls don't wait, so write plain functions; for requests, use `http`"
    return None


def answered(fit, answer, where, what):
    try:
        return fit(answer)
    except Unfit as unfit:
        advise(f"{where} what the host can't read: {unfit.told(what)}.")
        raise TypeError("no answer") from None


def advise(sentence):
    """The trap that ends a command doesn't say where in the source it happened or what to do. This line says both."""
    sys.stdout.flush()
    # What the plugin wrote before may have no end of its line.
    print(f"\nmaro: {sentence}", file=sys.stderr, flush=True)


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


def shown(value, none="nothing"):
    text = none if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
