import os
import sys
from fractions import Fraction

import pytest

from musegen import formats
from musegen.errors import MusegenError
from musegen.formats import FORMATS, Format, printable, read, read_bytes, write
from musegen.score import Note, Score, Voice

SCORE = Score((Voice((Note(Fraction(0), Fraction(4), 60),)),), title="Long")
SUFFIXES = [each.suffixes[0] for each in FORMATS]


def only_notes(reading):
    return [voice.notes for score in reading.scores for voice in score.voices]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_read_by_its_suffix_and_a_pipe_by_its_content(tmp_path, suffix):
    data = write([SCORE], suffix)
    path = tmp_path / f"tune{suffix.upper()}"
    path.write_bytes(data)
    assert only_notes(read(path)) == [SCORE.voices[0].notes]
    assert only_notes(read_bytes(data, None, "stdin")) == [SCORE.voices[0].notes]
    assert only_notes(read_bytes(data, suffix, "stdin")) == [SCORE.voices[0].notes]
    (tmp_path / "tune").write_bytes(data)
    assert only_notes(read(tmp_path / "tune")) == [SCORE.voices[0].notes]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_score_gives_the_same_bytes(suffix):
    assert write([SCORE], suffix, "from a test") == write([SCORE], suffix, "from a test")


@pytest.mark.parametrize("suffix", [each.suffixes[0] for each in FORMATS if each.name != "ABC"])
@pytest.mark.parametrize("count", [0, 2])
def test_only_abc_holds_several_scores(suffix, count):
    with pytest.raises(MusegenError, match=f"holds one score, not {count}"):
        write([SCORE] * count, suffix)


def refusal(path):
    with pytest.raises(MusegenError) as error:
        read(path)
    message = str(error.value)
    assert message.isprintable() and message.encode()
    return message


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "empty.mid").touch()
    (tmp_path / "folder.mid").mkdir()
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    assert "is empty" in refusal(tmp_path / "empty.mid")
    assert "is a folder" in refusal(tmp_path / "folder.mid")
    assert "is a folder" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "gone.mid")
    assert "it is none of MIDI" in refusal(tmp_path / "noise")
    assert "suffix '.txt'" in refusal(tmp_path / "notes.txt")
    assert "null" in refusal("a\0b.mid")
    monkeypatch.setattr(formats, "MAX_BYTES", 8)
    (tmp_path / "large.mid").write_bytes(bytes(9))
    assert "is larger than" in refusal(tmp_path / "large.mid")
    with pytest.raises(MusegenError, match="is larger than"):
        read_bytes(bytes(9), ".mid", "stdin")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_can_be_read_and_said(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\nb.mid")
    assert printable(name).endswith("/a\\xff\\nb.mid")
    assert "a\\xff\\nb.mid" in refusal(name)
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(write([SCORE], ".mid"))
    assert only_notes(read(name)) == [SCORE.voices[0].notes]


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_no_format_reads_what_it_is_not(each: Format):
    for junk in (
        b"\0" * 1000,
        b"X",
        b"MThd",
        b"<",
        b"PK\3\4",
        b"\xff\xfe",
        bytes(range(256)) * 4,
        b"Not music at all\n",
    ):
        with pytest.raises(MusegenError):
            read_bytes(junk, each, "junk")
