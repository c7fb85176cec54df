from __future__ import annotations

import pytest

from musegen.formats import read, read_bytes
from tests.cli.test_program import loaded
from tests.cli.verbs import TUNES, chorale, fault, the_score, told, tune


@pytest.fixture
def model(trained):
    return trained("lstm", "tunes")


@pytest.mark.parametrize("name", TUNES)
def test_nothing_all_and_something(musegen, model, tmp_path, name):
    source = tune(tmp_path, name)
    was = the_score(source)
    shares = {}
    for amount in ("0", "0.3", "1"):
        out = tmp_path / f"{amount}.abc"
        asked = ["--amount", amount, "--seed", "2", "--particles", "3"]
        result = musegen("vary", source, "--model", model, "-o", out, *asked)
        assert (result.exit_code, result.stdout) == (0, ""), result.exception
        came = the_score(out)
        assert (came.metres, came.pickup) == (was.metres, was.pickup)
        before, after = set(told(was.voices[0].notes)), set(told(came.voices[0].notes))
        shares[amount] = len(before & after) / len(before)
    assert shares["0"] == 1
    assert 0 < shares["0.3"] <= 1
    assert shares["1"] < 0.6


@pytest.mark.parametrize("suffix", ["mid", "musicxml"])
def test_other_voices_are_kept(musegen, trained, tmp_path, suffix):
    source, out = chorale(tmp_path, suffix), tmp_path / f"out.{suffix}"
    asked = ["--amount", "1", "--voices", "bass", "--seed", "1", "--particles", "2"]
    result = musegen("vary", source, "--model", trained("lstm"), "-o", out, *asked)
    assert result.exit_code == 0, result.exception
    was, came = the_score(source), the_score(out)
    for voice in range(3):
        assert told(came.voices[voice].notes) == told(was.voices[voice].notes)
    assert told(came.voices[3].notes) != told(was.voices[3].notes)


def test_every_piece_changes_other_notes_and_is_the_same_alone(musegen, model, tmp_path):
    asked = ["--amount", "0.4", "--seed", "6", "--model", model, "--to", "abc", "--particles", "2"]
    result = musegen("vary", tune(tmp_path), *asked, "-n", "4", "-o", f"{tmp_path}/out/")
    paths = result.stdout.split()
    assert [path.rsplit("/", 1)[1] for path in paths] == [f"tunes-lstm-6-000{i}.abc" for i in (1, 2, 3, 4)]
    lines = [told(read(path).scores[0].voices[0].notes) for path in paths]
    assert len({tuple(line) for line in lines}) == 4
    musegen("vary", tune(tmp_path), *asked, "--start", "3", "-o", tmp_path / "alone.abc")
    assert told(the_score(tmp_path / "alone.abc").voices[0].notes) == lines[2]


def test_the_rhythm_is_kept_where_that_is_asked(musegen, model, tmp_path):
    source, out = tune(tmp_path, "pickup"), tmp_path / "out.mid"
    musegen("vary", source, "--model", model, "--amount", "1", "--keep", "rhythm", "--seed", "1", "-o", out)
    was, came = (told(the_score(path).voices[0].notes) for path in (source, out))
    assert [each[:2] for each in was] == [each[:2] for each in came] and was != came


def test_from_one_verb_to_the_next(program, model, trained):
    first = program("sample", model, "--seed", "1", "--bars", "4", "-o", "-")
    asked = ["--particles", "2", "--seed", "1", "-o", "-"]
    second = program("vary", "-", "--model", model, "--amount", "0.3", *asked, input=first.stdout)
    assert second.returncode == 0, second.stderr
    third = program("harmonize", "-", "--model", trained("lstm"), *asked, input=second.stdout)
    assert third.returncode == 0, third.stderr
    (varied,), (harmonized,) = (read_bytes(each.stdout, ".mid", "x").scores for each in (second, third))
    assert len(harmonized.voices) == 4 and harmonized.metres == varied.metres


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--amount", "1.5"], 2, "--amount"),
        (["--amount", "nan"], 2, "--amount"),
        ([], 2, "--amount"),
        (["--amount", "0.5", "--voices", "tenor"], 1, "--voices: there is no voice 'tenor'"),
        (["--amount", "0.5", "--scale", "H"], 2, "'H' is no scale"),
        (["--amount", "1", "--range", "C1-C2"], 1, "--range C1-C2 and the model's range cannot be met together"),
    ],
)
def test_faults_are_told_and_nothing_is_written(musegen, model, tmp_path, arguments, code, word):
    out = tmp_path / "out.mid"
    result = musegen("vary", tune(tmp_path), "--model", model, "-o", out, "--seed", "1", *arguments)
    assert result.exit_code == code
    assert word in fault(result)
    assert not out.exists()


def test_it_loads_no_torch(program, model, tmp_path):
    out = tmp_path / "out.mid"
    modules = loaded(program, "vary", str(tune(tmp_path)), "--amount", "0.5", "--model", str(model), "-o", str(out))
    assert out.exists() and "torch" not in modules
