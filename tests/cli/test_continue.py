from __future__ import annotations

import pytest

from musegen.formats import read, read_bytes
from tests.cli.test_program import loaded
from tests.cli.verbs import TUNES, chorale, fault, the_score, told, tune


@pytest.fixture
def model(trained):
    return trained("lstm", "tunes")


def begins(came, was):
    """Whether a line begins with another, note for note."""
    return told(came)[: len(was)] == told(was)


@pytest.mark.parametrize("name", TUNES)
def test_the_prompt_comes_back_and_goes_on_to_its_length(musegen, model, tmp_path, name):
    source, out = tune(tmp_path, name), tmp_path / "out.abc"
    asked = ["--bars", "7", "--seed", "2", "--end", "tonic", "--particles", "3"]
    result = musegen("continue", source, "--model", model, "-o", out, *asked)
    assert (result.exit_code, result.stdout) == (0, ""), result.exception
    was, came = the_score(source), the_score(out)
    assert begins(came.voices[0].notes, was.voices[0].notes)
    assert len(came.voices[0].notes) > len(was.voices[0].notes)
    assert came.pickup == was.pickup and came.metres == was.metres
    assert max(bar.number for bar in came.bars()) == 7
    assert told(came.voices[0].notes)[-1][2] % 12 == 0


@pytest.mark.parametrize("suffix", ["mid", "musicxml", "mxl"])
def test_four_voices_go_on(musegen, trained, tmp_path, suffix):
    source, out = chorale(tmp_path, suffix), tmp_path / f"out.{suffix}"
    asked = ["--bars", "5", "--seed", "1", "--particles", "2"]
    result = musegen("continue", source, "--model", trained("lstm"), "-o", out, *asked)
    assert result.exit_code == 0, result.exception
    for was, came in zip(the_score(source).voices, the_score(out).voices, strict=True):
        assert begins(came.notes, was.notes)


def test_endings_in_a_folder(musegen, model, tmp_path):
    asked = ["--bars", "6", "--seed", "3", "-n", "3", "--to", "abc", "--particles", "2"]
    result = musegen("continue", tune(tmp_path), "--model", model, "-o", f"{tmp_path}/out/", *asked)
    lines = [told(read(path).scores[0].voices[0].notes) for path in result.stdout.split()]
    assert len(lines) == 3 == len({tuple(line) for line in lines})
    was = told(the_score(tune(tmp_path)).voices[0].notes)
    assert all(line[: len(was)] == was for line in lines)


def test_through_pipes(program, model, tmp_path):
    source = tune(tmp_path).read_bytes()
    asked = ["--model", model, "--seed", "1", "-o", "-", "--to", "abc", "--quiet"]
    longer = program("continue", "-", *asked, "--bars", "5", input=source)
    assert longer.returncode == 0 and longer.stderr == b""
    longest = program("continue", "-", *asked, "--bars", "6", input=longer.stdout)
    assert longest.returncode == 0, longest.stderr
    first, second = (read_bytes(each.stdout, ".abc", "x").scores[0] for each in (longer, longest))
    assert begins(second.voices[0].notes, first.voices[0].notes)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--bars", "4"], 1, "the prompt has 4 bars already, and the whole piece was to have 4. Ask for more --bars."),
        (["--bars", "2"], 1, "the prompt has 4 bars already, and the whole piece was to have 2"),
        (["--bars", "0"], 2, "--bars"),
        (["--bars", "6", "--note", "9:1=C5"], 1, "--note 9:1=C5: there is no bar 9"),
        (["--bars", "6", "--note", "1:1=C4"], 1, "melody is fixed there"),
        (["--bars", "6", "--form", "AABA"], 1, "6 bars cannot be cut into 4 equal sections"),
        (["--bars", "8", "--form", "AABA"], 1, "is fixed, and not as"),
        (["--bars", "6", "--keep", "rhythm"], 2, "--keep"),
    ],
)
def test_faults_are_told_and_nothing_is_written(musegen, model, tmp_path, arguments, code, word):
    out = tmp_path / "out.mid"
    result = musegen("continue", tune(tmp_path), "--model", model, "-o", out, "--seed", "1", *arguments)
    assert result.exit_code == code
    assert word in fault(result)
    assert not out.exists()


def test_it_loads_no_torch(program, model, tmp_path):
    out = tmp_path / "out.mid"
    modules = loaded(program, "continue", str(tune(tmp_path)), "--bars", "6", "--model", str(model), "-o", str(out))
    assert out.exists() and "torch" not in modules
