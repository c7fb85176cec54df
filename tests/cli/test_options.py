from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from musegen.cli import options
from musegen.cli.output import Output
from musegen.score import Key, Metre


def run(*arguments: str) -> Result:
    @click.command()
    @options.output(required=False)
    @options.seed
    @options.count
    @options.device
    @options.as_json
    @options.quiet
    @click.option("--key", type=options.key)
    @click.option("--metre", type=options.metre)
    def command(**values: object) -> None:
        seed = values.pop("seed")
        assert seed is None or isinstance(seed, int)
        click.echo(repr(values | {"seed": options.settle_seed(seed)}))

    return CliRunner().invoke(command, list(arguments))


def test_the_options_arrive_under_their_names():
    result = run("-o", "-", "-n", "3", "--seed", "7", "--json", "--key", "F#m", "--metre", "6/8", "--device", "cpu")
    expected = {
        "count": 3,
        "device": "cpu",
        "as_json": True,
        "key": Key(3, "minor"),
        "metre": Metre(6, 8),
        "output": Output("-"),
        "seed": 7,
    }
    scope = {"Key": Key, "Metre": Metre, "Output": Output}
    assert eval(result.stdout, scope) == expected
    assert result.stderr == ""


def test_a_seed_that_was_drawn_is_reported():
    first, second = run(), run()
    assert first.stderr.startswith("seed ")
    assert f"'seed': {first.stderr.split()[1]}}}" in first.stdout
    assert first.stderr != second.stderr


@pytest.mark.parametrize(
    "arguments", [["--key", "H"], ["--metre", "4/3"], ["--seed", "-1"], ["-n", "0"], ["--device", "tpu"]], ids=" ".join
)
def test_a_value_that_makes_no_sense_is_misuse(arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert arguments[0] in result.stderr


def test_a_target_that_cannot_be_written_is_refused_before_the_command_runs(tmp_path):
    result = run("-o", str(tmp_path / "gone" / "a.mid"))
    assert "no folder" in str(result.exception)
    assert result.stdout == ""
