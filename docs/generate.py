"""Write `commands.md`, beside this file, from the commands' own help. Run by `make docs`."""

from __future__ import annotations

from pathlib import Path

import click

from musegen.cli import cli

TARGET = Path(__file__).with_name("commands.md")


def reference() -> str:
    """Every command's help, as Markdown."""
    parts = [
        "# The commands\n",
        "Written by `make docs` from `musegen COMMAND --help`: change it there. The examples are run by the tests.\n",
        _block("musegen", cli),
    ]
    for name, command in cli.commands.items():
        parts += [f"## musegen {name}\n", _block(f"musegen {name}", command)]
    return "\n".join(parts)


def _block(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100, color=False)
    context.help_option_names = ["-h", "--help"]
    lines = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"```text\n{lines}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
