"""`/maro {{name}}`: greets someone."""

from wit_world import exports
from wit_world.exports.command import Description
from wit_world.imports.reply import Reply

from maro import paragraph, strong, to_caller, unescape


class Command(exports.Command):
    def describe(self) -> Description:
        return Description(name="{{name}}", version="0.1.0", summary="Greet someone", usage="[NAME]")

    def run(self, arguments: str) -> Reply:
        return answer(unescape(arguments).strip())


def answer(name: str) -> Reply:
    """Doesn't need a host, so tests can call it."""
    return to_caller(paragraph("Hello, ", strong(name or "world"), "!"))
