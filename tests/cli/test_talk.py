from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from musegen.cli import options, talk


def said(*arguments: str, body: object = lambda: talk.talk("hello"), **environment: str) -> str:
    @click.command()
    @options.quiet
    def command() -> None:
        body()  # type: ignore[operator]

    result = CliRunner().invoke(command, list(arguments), env=environment)
    assert (result.exit_code, result.stdout) == (0, "")
    return result.stderr


def count_to_four() -> None:
    with talk.progress(4, "counting", "sheep") as advance:
        for number in range(4):
            advance(note=f"sheep {number}")


def test_talk_goes_to_stderr_and_is_silent_when_asked():
    assert said() == "hello\n"
    assert said("--quiet") == ""
    assert said("-q", body=count_to_four) == ""


def test_only_the_first_of_many_processes_talks():
    assert said(RANK="0") == "hello\n"
    assert said(RANK="1") == ""


def test_progress_in_a_log_is_plain_lines_with_the_time_left(monkeypatch):
    monkeypatch.setattr(talk, "EVERY_SECONDS", 0.0)
    lines = said(body=count_to_four).splitlines()
    assert lines == [f"counting: {n}/4 sheep, sheep {n - 1}, 0 s left" for n in (1, 2, 3)]


def test_progress_in_a_log_is_rare():
    assert said(body=count_to_four) == ""


def test_time_left_goes_by_what_is_done(monkeypatch):
    now = iter([0.0, 30.0, 31.0])
    monkeypatch.setattr(talk.time, "monotonic", lambda: next(now))

    def work() -> None:
        with talk.progress(100, "reading") as advance:
            advance(25)
            advance(25)

    assert said(body=work) == "reading: 25/100, 1 min 30 s left\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3780, "1 h 3 min")]
)
def test_durations_read_well(seconds, text):
    assert talk.duration(seconds) == text


def test_a_table_sets_numbers_to_the_right():
    rows = [("bach", 386, 0.5, None), ("celtic", 2760, 1.25, "x")]
    assert talk.table(rows, ("name", "pieces", "loss", "note")).splitlines() == [
        "name    pieces   loss  note",
        "bach       386  0.500",
        "celtic   2,760  1.250  x",
    ]
    assert talk.table([]) == ""
