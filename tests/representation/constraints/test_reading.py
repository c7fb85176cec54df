"""Constraints from TOML files, and every way in which a file can be wrong."""

import pytest

from musegen.errors import MusegenError
from musegen.representation.constraints import Constraints, read_constraints


def written(folder, text):
    path = folder / "asked.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_says_what_options_say(tmp_path):
    path = written(
        tmp_path,
        """
        scale = "D dorian"
        chords = ["Dm", "C/E", "Dm", "Am"]
        leap = 12
        shortest = "1/8"
        longest = "1/2."
        begin = "tonic"
        end = "cadence"
        form = "AA'BA'"
        keep = "rhythm"
        note = ["soprano@1:1=D5", "soprano@4:3=rest"]
        [range]
        soprano = "C4-A5"
        bass = "D2-D4"
        """,
    )
    assert read_constraints(path) == Constraints.of(
        {
            "scale": "D dorian",
            "range": ["soprano:C4-A5", "bass:D2-D4"],
            "note": ["soprano@1:1=D5", "soprano@4:3=rest"],
            "chords": "Dm C/E Dm Am",
            "leap": 12,
            "shortest": "1/8",
            "longest": "1/2.",
            "begin": "tonic",
            "end": "cadence",
            "form": "AA'BA'",
            "keep": "rhythm",
        }
    )


@pytest.mark.parametrize("text", ['range = "A3-A5"', 'range = ["A3-A5"]', b'\xef\xbb\xbfrange = "A3-A5"'])
def test_a_range_may_be_written_in_several_ways(tmp_path, text):
    assert read_constraints(written(tmp_path, text)).to_json() == {"range": ["A3-A5"]}


def test_an_empty_file_asks_nothing(tmp_path):
    assert not read_constraints(written(tmp_path, "# nothing\n"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('scal = "D dorian"', "there is no constraint 'scal'. Use scale, range, note, chords, leap"),
        ("leap = true", "leap = True is of a wrong type. Use a whole number: the largest interval"),
        ("leap = 2.5", "leap = 2.5 is of a wrong type"),
        ("leap = -3", "leap: '-3' is no leap. Write the largest interval in semitones, 0 to 127"),
        ("scale = 3", "scale = 3 is of a wrong type. Use a string or a list of strings: a key such as"),
        ('form = ["A", "B"]', "form = ['A', 'B'] is of a wrong type. Use a string: letters such as AABA"),
        ("range = [1, 2]", "range = [1, 2] is of a wrong type. Use a string, a list of strings, or a table of voices"),
        ("[range]\nbass = 3", "range = {'bass': 3} is of a wrong type"),
        ("[note]\na = 1", "note = {'a': 1} is of a wrong type. Use a string or a list of strings: VOICE@BAR"),
        ('[range]\nbass = "low"', "range: 'bass:low' is no range. Write A3-A5 for all voices"),
        ('chords = "C Hm"', "chords: 'C Hm' is no chords: 'Hm' is no chord. Write chords such as"),
        ("scale = D", "asked.toml is no TOML file: Invalid value (at line 1, column 9). Write lines such as"),
        ('scale = "C"\nscale = "D"', "is no TOML file: Cannot overwrite a value"),
        (b"scale = \xff", "is no TOML file: no text in UTF-8"),
        ('note = "' + "x" * 99 + '"', "note: 'xxx"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_file_and_key(tmp_path, text, why):
    path = written(tmp_path, text)
    with pytest.raises(MusegenError) as error:
        read_constraints(path)
    said = str(error.value)
    assert why in said
    assert said.startswith(str(path))
    assert "\n" not in said


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(MusegenError, match="cannot read"):
        read_constraints(tmp_path / "none.toml")
    with pytest.raises(MusegenError, match="cannot read"):
        read_constraints(tmp_path)


def test_a_deeply_nested_file_is_refused(tmp_path):
    with pytest.raises(MusegenError, match="is no TOML file"):
        read_constraints(written(tmp_path, "scale = " + "[" * 100_000))
