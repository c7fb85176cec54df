from __future__ import annotations

import json
from fractions import Fraction

import pytest

from musegen.errors import MusegenError
from musegen.formats import read, read_bytes
from tests.cli.test_program import loaded
from tests.cli.verbs import TUNES, chorale, fault, outside, the_score, told, tune


@pytest.fixture
def model(trained):
    return trained("lstm", "tunes")


@pytest.mark.parametrize("name", TUNES)
@pytest.mark.parametrize("bars", ["2", "2-3", "1,4", "2:2-3:1"])
def test_what_lies_outside_the_passage_comes_back_note_for_note(musegen, model, tmp_path, name, bars):
    source, out = tune(tmp_path, name), tmp_path / "out.abc"
    asked = ["--bars", bars, "--seed", "3", "--particles", "3"]
    result = musegen("infill", source, "--model", model, "-o", out, *asked)
    assert (result.exit_code, result.stdout) == (0, ""), result.exception
    was, came = the_score(source), the_score(out)
    assert (came.metres, came.pickup, came.duration) == (was.metres, was.pickup, was.duration)
    spans = {bar.number: bar for bar in was.bars()}
    places = {"2": [(2, 2)], "2-3": [(2, 3)], "1,4": [(1, 1), (4, 4)], "2:2-3:1": [(2, 3)]}[bars]
    kept = set(told(was.voices[0].notes))
    for first, last in places:
        begin, end = spans[first].onset, spans[last].onset + spans[last].duration
        if bars == "2:2-3:1":
            begin, end = begin + spans[2].metre.beat, spans[3].onset + spans[3].metre.beat
        kept &= set(outside(was, begin, end))
    assert kept and kept <= set(told(came.voices[0].notes))
    assert told(was.voices[0].notes) != told(came.voices[0].notes)


@pytest.mark.parametrize("suffix", ["mid", "musicxml", "mxl"])
def test_some_voices_are_rewritten_and_the_others_kept(musegen, trained, tmp_path, suffix):
    source, out = chorale(tmp_path, suffix), tmp_path / f"out.{suffix}"
    asked = ["--bars", "1-2", "--voices", "alto,3", "--seed", "1", "--particles", "2"]
    result = musegen("infill", source, "--model", trained("lstm"), "-o", out, *asked)
    assert result.exit_code == 0, result.exception
    was, came = the_score(source), the_score(out)
    for voice in (0, 3):
        assert told(came.voices[voice].notes) == told(was.voices[voice].notes)
    assert any(told(came.voices[voice].notes) != told(was.voices[voice].notes) for voice in (1, 2))


def test_rhythm_and_pitches_are_kept_where_that_is_asked(musegen, model, tmp_path):
    source = tune(tmp_path)
    was = told(the_score(source).voices[0].notes)
    for keep, part in (("rhythm", slice(0, 2)), ("pitches", slice(2, 3))):
        out = tmp_path / f"{keep}.abc"
        asked = ["--bars", "1-3", "--keep", keep, "--seed", "5", "--particles", "4"]
        result = musegen("infill", source, "--model", model, "-o", out, *asked)
        assert result.exit_code == 0, result.exception
        came = told(the_score(out).voices[0].notes)
        assert [each[part] for each in came] == [each[part] for each in was]
        assert came != was


def test_through_pipes(program, model, tmp_path):
    source = tune(tmp_path, "6/8").read_bytes()
    asked = ["--model", model, "--bars", "2", "--seed", "1", "--particles", "2", "-o", "-", "--to", "musicxml"]
    one = program("infill", "-", *asked, input=source)
    assert one.returncode == 0, one.stderr
    two = program("infill", "-", *asked, input=one.stdout)
    assert two.returncode == 0, two.stderr
    (score,) = read_bytes(two.stdout, ".musicxml", "stdout").scores
    assert outside(score, 3, 6) == outside(read_bytes(source, ".abc", "x").scores[0], 3, 6)


def test_a_folder_of_versions(musegen, model, tmp_path):
    asked = ["--bars", "2-3", "--seed", "7", "-n", "3", "--json", "--particles", "2"]
    result = musegen("infill", tune(tmp_path), "--model", model, "-o", f"{tmp_path}/out/", *asked)
    facts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [fact["path"] for fact in facts] == [f"{tmp_path}/out/tunes-lstm-7-000{i}.mid" for i in (1, 2, 3)]
    versions = {tuple(told(read(fact["path"]).scores[0].voices[0].notes)) for fact in facts}
    assert len(versions) == 3
    alone = musegen("infill", tune(tmp_path), "--model", model, "-o", tmp_path / "2.mid", *asked[:4], "--start", "2",
                    "--particles", "2")  # fmt: skip
    assert alone.exit_code == 0
    assert told(the_score(tmp_path / "2.mid").voices[0].notes) == told(read(facts[1]["path"]).scores[0].voices[0].notes)


HELD = "X:1\nT:t\nL:1/4\nM:4/4\nK:C\nc4-|c4-|c4|]\n"


@pytest.mark.parametrize(
    ("text", "arguments", "line"),
    [
        (TUNES["4/4"], ["--bars", "9"], "--bars 9: there is no bar 9. Choose from 1 to 4."),
        (TUNES["4/4"], ["--bars", "3-2"], "--bars 3-2 ends before it begins. Write the earlier bar first."),
        (TUNES["4/4"], ["--bars", "two"], "--bars two names no passage. Write 5, 5-8, or with beats 5:3-7:1."),
        (TUNES["4/4"], ["--bars", "2:9"], "--bars 2:9: bar 2 has no beat 9."),
        (TUNES["4/4"], ["--bars", "2", "--voices", "alto"], "--voices: there is no voice 'alto'."),
        (TUNES["4/4"], ["--bars", "1-4"], "the passage is the whole piece. Use `musegen sample`"),
        (HELD, ["--bars", "2"], "nothing is left open there: every note reaches out of the passage."),
        (
            TUNES["4/4"],
            ["--bars", "2", "--scale", "C D E", "--range", "F4-G4"],
            "--scale 'C D E' and --range F4-G4 cannot be met together in bar 2",
        ),
    ],
)
def test_faults_are_one_line_and_nothing_is_written(musegen, model, tmp_path, text, arguments, line):
    (tmp_path / "t.abc").write_text(text)
    out = tmp_path / "out.mid"
    result = musegen("infill", tmp_path / "t.abc", "--model", model, "-o", out, "--seed", "1", *arguments)
    assert result.exit_code == 1
    assert fault(result).startswith(line)
    assert not out.exists()


def test_a_fault_as_a_shell_sees_it(program, model, tmp_path):
    out = tmp_path / "out.mid"
    result = program("infill", tune(tmp_path), "--model", model, "-o", out, "--seed", "1", "--bars", "9")
    assert result.returncode == 1 and not result.stdout and not out.exists()
    assert result.stderr.decode() == "musegen: --bars 9: there is no bar 9. Choose from 1 to 4.\n"


def test_voices_that_do_not_fit_the_model(musegen, model, trained, tmp_path):
    for source, path in ((chorale(tmp_path), model), (tune(tmp_path), trained("lstm"))):
        result = musegen("infill", source, "--model", path, "--bars", "1", "-o", tmp_path / "out.mid")
        assert isinstance(result.exception, MusegenError) and source.name in str(result.exception)
        assert "choose another --model" in str(result.exception)
        assert not (tmp_path / "out.mid").exists()


def test_a_place_is_needed(musegen, tmp_path):
    result = musegen("infill", tune(tmp_path), "-o", tmp_path / "out.mid")
    assert result.exit_code == 2 and "--bars" in result.stderr


def test_notes_before_a_hole_are_not_lengthened(musegen, model, tmp_path):
    source = tune(tmp_path)
    for seed in range(1, 6):
        out = tmp_path / f"{seed}.mid"
        musegen("infill", source, "--model", model, "--bars", "2", "--seed", str(seed), "-o", out, "--particles", "1")
        before = [each for each in told(the_score(out).voices[0].notes) if each[0] < 4]
        assert before == [(Fraction(i), Fraction(1), pitch) for i, pitch in enumerate((72, 74, 76, 77))]


def test_it_loads_no_torch(program, model, tmp_path):
    out = tmp_path / "out.mid"
    modules = loaded(program, "infill", str(tune(tmp_path)), "--bars", "2", "--model", str(model), "-o", str(out))
    assert out.exists() and "torch" not in modules
