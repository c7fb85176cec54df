"""The documentation: the reference is up to date, and every example works. How: docs/examples.md."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import click
import pytest

from musegen.cli import cli
from musegen.formats import write
from musegen.score import Key, Metre, Note, Score, Voice

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "commands.md"
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")} - {REFERENCE})
COMMANDS = ["", *cli.commands]

NOT_RUN = (  # a line that begins so -> needs the network, or changes the shell it is typed into
    "git clone ",
    "cd ",
    "pip install ",
    "python -m venv ",
    "python3 -m venv ",
    "source ",
    "eval ",
)
SHORTER = (  # what only costs time -> less of it
    (r"--minutes [\d.]+", "--minutes 0.03"),
    (r"--epochs \d+", "--minutes 0.03"),
    (r"-n (\d{2,}|[3-9])\b", "-n 2"),
    (r"--effort \d+", "--effort 4"),
    (r"(musegen explore \S+)(?!.*--split)", r"\1 --split test"),
    (r"--set hidden=\d+", "--set hidden=32"),
    (r"^(musegen train (?!.*--minutes).*)$", r"\1 --minutes 0.03"),
)


def command_of(name: str) -> click.Command:
    return cli.commands[name] if name else cli


def examples_of_help(name: str) -> list[str]:
    _, found, after = (command_of(name).help or "").partition("Examples:\n")
    return [line.strip() for line in after.split("\n\n")[0].splitlines()] if found else []


def examples_of_page(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s)#\s.*", "", line).strip() for line in lines) if line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples use."""

    def score(title: str, *starts: int) -> Score:
        def voice(start: int, name: str) -> Voice:
            steps = (0, 2, 4, 5, 7, 5, 4, 2, 0, 2, 4, 2, 0, -1, -1, 0)
            return Voice(tuple(Note(Fraction(at), Fraction(1), start + up) for at, up in enumerate(steps)), name)

        names = ("Soprano", "Alto", "Tenor", "Bass")
        voices = tuple(voice(start, name) for start, name in zip(starts, names, strict=False))
        start = Fraction(0)
        return Score(voices, ((start, Metre(4, 4)),), keys=((start, Key(0)),), tempi=((start, 90.0),), title=title)

    tune, chorale = score("Scales", 60), score("Parallels", 72, 67, 64, 48)
    files = {
        "tune.abc": [tune],
        "tunes.abc": [tune, score("More scales", 67)],
        "hymn.abc": [score("A hymn", 67)],
        "song.mid": [tune],
        "hymn.mid": [score("A hymn", 67)],
        "chorale.mid": [chorale],
        "bass.mid": [score("A bass", 48)],
    }
    home = tmp_path / "examples"
    (home / "my-tunes").mkdir(parents=True)
    for name, scores in files.items():
        data = write(scores, Path(name).suffix)
        (home / name).write_bytes(data)
        (home / "my-tunes" / name).write_bytes(data)
    return home


def run(lines: list[str], folder: Path, tmp_path: Path) -> None:
    """Type the lines into a shell, with this checkout's program on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    shim = programs / "musegen"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m musegen "$@"\n')
    shim.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MUSEGEN_HOME": str(tmp_path / "home"),
    }
    for line in lines:
        if line.startswith(NOT_RUN):
            continue
        if line.startswith("make"):
            command, place = line.replace("make", "make --dry-run", 1), ROOT
        else:
            command, place = line, folder
            for pattern, replacement in SHORTER:
                command = re.sub(pattern, replacement, command)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{line}\n(run as: {command})\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_work(page, folder, tmp_path):
    run(examples_of_page(page.read_text(encoding="utf-8")), folder, tmp_path)


@pytest.mark.parametrize("name", COMMANDS, ids=lambda name: name or "musegen")
def test_the_examples_of_a_help_work(name, folder, tmp_path):
    lines = examples_of_help(name)
    assert lines, "a command's help has examples"
    assert any(line.startswith(f"musegen {name}".strip()) for line in lines)
    run(lines, folder, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_example_hides_in_another_kind_of_block(page):
    text = page.read_text(encoding="utf-8")
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if kind != "sh":
            assert not re.search(r"^[$ ]*(musegen|make|torchrun) ", block, re.MULTILINE), (
                f"make this a `sh` block:\n{block}"
            )


def test_what_is_not_an_example_is_left_alone():
    page = "```sh\nmusegen plot a.mid \\\n  -o b.png  # a picture\n# only words\n\nmake demo\n```\n```text\nabc\n```\n"
    assert [" ".join(line.split()) for line in examples_of_page(page)] == ["musegen plot a.mid -o b.png", "make demo"]


@pytest.mark.parametrize("name", COMMANDS, ids=lambda name: name or "musegen")
def test_every_option_is_explained(name):
    for parameter in command_of(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts[0]} says nothing"
            assert parameter.help.endswith((".", "]")), f"{parameter.opts[0]}: {parameter.help}"


@pytest.mark.parametrize("name", list(cli.commands))
def test_a_command_that_prints_pieces_or_writes_can_be_told_how(name):
    options = {option for parameter in command_of(name).params for option in parameter.opts}
    assert "--quiet" in options
    assert "--overwrite" in options or "-o" not in options


def test_the_reference_is_up_to_date():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert REFERENCE.read_text(encoding="utf-8") == generate.reference(), "run `make docs`"


def test_make_lists_every_target():
    make = shutil.which("make")
    assert make is not None
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    listed = subprocess.run(
        [make, "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in listed.splitlines()} == targets
