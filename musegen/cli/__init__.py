"""The command line: one module per subcommand, and the table that names them.

Reading this package loads click and nothing heavier. A command's module is imported when the command is called, and
what the command needs (numpy, torch, matplotlib) when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from musegen import __version__

COMMANDS = {  # name -> the module that holds the command, and its line in `musegen --help`
    "corpora": ("musegen.cli.corpora", "List the corpora at hand, or what is in one."),
    "encode": ("musegen.cli.encode", "Make a corpus of your own files."),
    "train": ("musegen.cli.train", "Learn a style from a corpus."),
    "models": ("musegen.cli.models", "List the families and the trained models, or show one."),
    "sample": ("musegen.cli.sample", "Write new pieces from a trained model."),
    "continue": ("musegen.cli.continue_", "Go on from the end of a piece."),
    "harmonize": ("musegen.cli.harmonize", "Write the other voices to a melody."),
    "infill": ("musegen.cli.infill", "Write a passage anew, and keep the rest."),
    "vary": ("musegen.cli.vary", "Write a share of a piece anew."),
    "replay": ("musegen.cli.replay", "Make a piece again, byte for byte, from what it says of itself."),
    "compare": ("musegen.cli.compare", "Hold music against a corpus: its statistics, and what it copies."),
    "interpolate": ("musegen.cli.interpolate", "Write pieces that lead from one piece to another."),
    "explore": ("musegen.cli.explore", "Map the latent plane of a VAE."),
    "evaluate": ("musegen.cli.evaluate", "Measure how well a model foresees real music."),
    "convert": ("musegen.cli.convert", "Turn a piece into another format."),
    "plot": ("musegen.cli.plot", "Draw a piece as a piano roll."),
}


class LazyCommands(MutableMapping[str, click.Command]):
    """Commands by name; each one's module is imported when it is looked up, not when it is listed.

    Args:
        table: name -> (module, short help). The module holds the command under the same name.
    """

    def __init__(self, table: dict[str, tuple[str, str]]) -> None:
        self._table = dict(table)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module = import_module(self._table[name][0])
            command: click.Command = getattr(module, name, None) or getattr(module, f"{name}_")  # a word of Python's
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._table[name] = ("", command.get_short_help_str())
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._table[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def short_help(self, name: str) -> str:
        """The command's line in the list, without importing it."""
        return self._table[name][1]


class LazyGroup(click.Group):
    """A group that lists, completes and suggests its commands without importing them."""

    commands: LazyCommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the table's order, which is the order of the work."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.commands.short_help(name)) for name in self.commands])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, or one of the group's own options."""
        names = [name for name in self.commands if name.startswith(incomplete)]
        items = [CompletionItem(name, help=self.commands.short_help(name)) for name in names]
        return items + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    commands=LazyCommands(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Learn a style of notated music from a corpus, and compose in it.

    \b
    Examples:
      musegen corpora
      musegen convert tune.abc tune.mid
      musegen plot --help

    Stdout carries data, stderr talk; `-` stands for stdin or stdout. Exit codes: 0 done, 1 could not, 2 misused,
    130 interrupted.
    """
