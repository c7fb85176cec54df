"""What the tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from musegen.cli import cli

Run = Callable[..., Result]
Start = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def musegen() -> Run:
    """Run a command inside this process; a MusegenError is raised, since only the program turns it into a line."""

    def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [str(each) for each in arguments], input=stdin, prog_name="musegen")

    return run


@pytest.fixture
def program() -> Start:
    """Run the whole program, as a shell would."""

    def start(*arguments: str | Path, code: str = "", **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, *(["-c", code] if code else ["-m", "musegen"]), *map(str, arguments)]
        settings = {"capture_output": True, "timeout": 60, "env": os.environ | {"PYTHONPATH": str(ROOT)}} | options
        return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload, no-any-return]

    return start


ROOT = Path(__file__).resolve().parents[2]
