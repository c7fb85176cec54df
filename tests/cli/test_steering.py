"""Options that become one set of constraints."""

import json

import click
import pytest
from click.testing import CliRunner

from musegen.cli.steering import keeping, steering
from musegen.errors import MusegenError


@click.command()
@steering
def plain(constraints):
    click.echo(json.dumps(constraints.to_json()))


@click.command()
@keeping
@steering
def rework(constraints):
    click.echo(json.dumps(constraints.to_json()))


def run(command, *args):
    return CliRunner().invoke(command, args)


def test_options_are_gathered():
    result = run(
        plain,
        *("--scale", "D dorian", "--range", "A2-A5", "--range", "alto:C4-C5", "--note", "1:1=D4", "--leap", "9"),
        *("--chords", "Dm C", "--shortest", "1/8", "--longest", "1/2", "--begin", "tonic", "--end", "cadence"),
        *("--form", "AABA"),
    )
    assert json.loads(result.output) == {
        "scale": "D dorian",
        "range": ["A2-A5", "alto:C4-C5"],
        "note": ["1:1=D4"],
        "chords": "Dm C",
        "leap": "9",
        "shortest": "1/8",
        "longest": "1/2",
        "begin": "tonic",
        "end": "cadence",
        "form": "AABA",
    }


def test_nothing_asked_is_no_constraint():
    assert json.loads(run(plain).output) == {}
    assert json.loads(run(rework).output) == {}


def test_an_option_replaces_what_the_file_says_of_the_same(tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text('scale = "C"\nleap = 5\nkeep = "rhythm"\n[range]\nalto = "C4-C5"\nbass = "C2-C4"\n')
    result = run(rework, "--constraints", str(path), "--scale", "G", "--range", "bass:D2-D4", "--keep", "pitches")
    assert json.loads(result.output) == {
        "scale": "G",
        "range": ["alto:C4-C5", "bass:D2-D4"],
        "leap": "5",
        "keep": "pitches",
    }


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--scale", "H", "'H' is no scale"),
        ("--range", "C5", "'C5' is no range"),
        ("--note", "3=C5", "'3=C5' is no note"),
        ("--chords", "C X", "'X' is no chord"),
        ("--leap", "wide", "'wide' is no leap"),
        ("--begin", "end", "Write tonic"),
        ("--constraints", "none.toml", "does not exist"),
    ],
)
def test_a_misspelt_option_is_misuse(option, value, why):
    result = run(plain, option, value)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.output
    assert why in result.output


def test_a_file_that_is_wrong_is_an_error_of_the_file(tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text("leap = 'far'")
    result = run(plain, "--constraints", str(path))
    assert isinstance(result.exception, MusegenError)
    assert "asked.toml: leap = 'far' is of a wrong type" in str(result.exception)


def test_only_reworking_can_keep():
    assert run(plain, "--keep", "rhythm").exit_code == 2
    assert json.loads(run(rework, "--keep", "rhythm").output) == {"keep": "rhythm"}
    assert run(rework, "--keep", "all").exit_code == 2


def test_help_names_every_kind():
    from musegen.representation.constraints import KINDS

    said = run(rework, "--help").output
    assert all(f"--{kind} " in said for kind in KINDS)
    assert "--constraints FILE" in said
