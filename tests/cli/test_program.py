"""The program as a shell sees it: exit codes, signals, pipes, and what it loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from musegen.cli import COMMANDS
from tests.cli.conftest import ROOT, Start

HEAVY = {"torch", "numpy", "pretty_midi", "mido", "matplotlib", "tqdm", "scipy", "platformdirs"}

PROBE = """
import sys, time
import click
from musegen import __main__ as program
from musegen.cli import cli
from musegen.errors import MusegenError
@cli.command()
def probe():
    {body}
sys.argv = ["musegen", "probe"]
program.main()
"""
"""A command of the tests' own inside the real program."""


def loaded(program: Start, *arguments: str, **environment: str) -> set[str]:
    code = f"""
import sys
from musegen.__main__ import run
try:
    run({list(arguments)!r})
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    result = program(code=code, env=env)
    assert result.returncode == 0
    return set(result.stderr.decode().splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["wrong"], *([name, "--help"] for name in COMMANDS), ["plot", "--wrong"], ["convert"]],
    ids=" ".join,
)
def test_help_and_misuse_load_nothing_heavy(program, arguments):
    assert not loaded(program, *arguments) & HEAVY


def test_the_list_of_commands_loads_none_of_them(program):
    modules = loaded(program, "--help")
    assert not modules & {module for module, _ in COMMANDS.values()}


def test_completing_a_command_loads_none_of_them(program):
    environment = {"_MUSEGEN_COMPLETE": "bash_complete", "COMP_WORDS": "musegen co", "COMP_CWORD": "1"}
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    assert b"plain,convert" in program(env=env).stdout.split()
    modules = loaded(program, **environment)
    assert not modules & ({module for module, _ in COMMANDS.values()} | HEAVY)


def test_version_goes_to_stdout(program):
    result = program("--version")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(b"musegen ")


def test_an_unknown_command_is_misuse_and_suggests_the_nearest(program):
    result = program("convrt")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"Did you mean 'convert'?" in result.stderr


def test_a_wrong_option_is_misuse(program):
    result = program("convert", "--wrong")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"--wrong" in result.stderr


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("raise MusegenError('a.mid is empty', 'Name another.')", "musegen: a.mid is empty. Name another."),
        ("open('gone/nowhere')", "musegen: gone/nowhere: No such file or directory"),
        ("raise MemoryError", "musegen: there is not enough memory for this"),
        ("raise click.ClickException('no luck')", "musegen: no luck"),
    ],
)
def test_what_could_not_be_done_is_one_line(program, body, line):
    result = program(code=PROBE.format(body=body))
    assert (result.returncode, result.stdout, result.stderr.decode()) == (1, b"", line + "\n")


@pytest.mark.parametrize("bug", ["EOFError('cut')", "RecursionError('deep')", "KeyError('x')"])
def test_a_bug_keeps_its_traceback(program, bug):
    result = program(code=PROBE.format(body=f"raise {bug}"))
    assert result.returncode == 1
    assert b"Traceback" in result.stderr
    assert bug.split("(")[0] in result.stderr.decode()
    assert b"Aborted" not in result.stderr


def test_a_code_that_a_command_chose_is_kept(program):
    assert program(code=PROBE.format(body="click.get_current_context().exit(3)")).returncode == 3


def stopped(code: str, number: int, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Start code that prints a line and goes on for long, send it a signal, and wait for its end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment} | options
    with subprocess.Popen([sys.executable, "-c", code], **settings) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        return subprocess.CompletedProcess(code, process.returncode, out, err)


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGINT, 130, b"musegen: interrupted"),
        (signal.SIGTERM, 143, b"musegen: ended by SIGTERM"),
        (signal.SIGHUP, 129, b"musegen: ended by SIGHUP"),
    ],
)
def test_a_signal_ends_in_good_order(number, code, line):
    body = """
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("tidied", flush=True)"""
    result = stopped(PROBE.format(body=body), number)
    assert (result.returncode, result.stdout, result.stderr.strip()) == (code, b"tidied\n", line)


def test_training_may_save_its_state_whichever_signal_it_was():
    body = """
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("saved", flush=True)
        raise"""
    result = stopped(PROBE.format(body=body), signal.SIGTERM)
    assert (result.returncode, result.stdout) == (143, b"saved\n")


def test_a_second_interrupt_does_not_wait():
    body = """
    import os, signal
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)"""
    result = stopped(PROBE.format(body=body), signal.SIGINT)
    assert (result.returncode, result.stderr.strip()) == (130, b"musegen: interrupted")


def test_an_interrupt_while_a_module_loads_is_not_swallowed_by_it(tmp_path):
    (tmp_path / "stubborn.py").write_text(
        "import time\n"
        "print('ready', flush=True)\n"
        "try:\n    time.sleep(60)\n"
        "except BaseException as error:\n    raise ImportError('initialisation failed') from error\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})" + PROBE.format(body="import stubborn")
    result = stopped(code, signal.SIGINT)
    assert (result.returncode, result.stderr) == (130, b"musegen: interrupted\n")


def test_an_interrupt_while_torch_loads():
    body = """
    print("ready", flush=True)
    import torch
    time.sleep(60)"""
    result = stopped(PROBE.format(body=body), signal.SIGINT)
    assert (result.returncode, result.stderr.strip()) == (130, b"musegen: interrupted")


def test_an_ignored_interrupt_stays_ignored():
    body = """
    print("ready", flush=True)
    time.sleep(0.5)
    print("done")"""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    result = stopped(PROBE.format(body=body), signal.SIGINT, preexec_fn=ignore)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"done\n", b"")


@pytest.mark.parametrize("body", ["click.echo('x' * 10)", "[click.echo('x' * 1000) for _ in range(1000)]"])
def test_a_closed_pipe_ends_quietly(program, body):
    reading, writing = os.pipe()
    os.close(reading)
    result = program(code=PROBE.format(body=body), capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("body", ["click.echo('x')", "[click.echo('x' * 1000) for _ in range(1000)]"])
def test_a_full_disk_behind_stdout_is_one_line(program, body):
    with Path("/dev/full").open("wb") as full:
        result = program(code=PROBE.format(body=body), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr == b"musegen: standard input or output: No space left on device\n"


def test_text_that_the_terminal_cannot_show_is_escaped(program):
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    result = program(code=PROBE.format(body=r"click.echo('E\u266d')"), env=env)
    assert (result.returncode, result.stdout) == (0, b"E\\u266d\n")
