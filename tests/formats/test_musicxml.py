import io
import zipfile
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings

from musegen.errors import MusegenError
from musegen.formats import musicxml, mxl
from musegen.score import Key, Metre, Note, Score, Voice
from tests.strategies import scores

FOUR = Metre(4, 4)
ATTRIBUTES = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"


def note(pitch, halves, extra="", chord=False):
    """An element; `halves` are eighth notes, a pitch is such as `C4`, `F#4`, or `-` for a rest."""
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(pitch[1:2], "")
    head = "<rest/>" if pitch == "-" else f"<pitch><step>{pitch[0]}</step>{alter}<octave>{pitch[-1]}</octave></pitch>"
    return f"<note>{'<chord/>' * chord}{head}<duration>{halves}</duration>{extra}</note>"


def bars(*contents):
    return "".join(f'<measure number="{number}">{each}</measure>' for number, each in enumerate(contents, 1))


def document(*parts, head=""):
    listed = "".join(f'<score-part id="P{i}"><part-name>Part {i}</part-name></score-part>' for i in range(len(parts)))
    written = "".join(f'<part id="P{i}">{each}</part>' for i, each in enumerate(parts))
    return f"<score-partwise>{head}<part-list>{listed}</part-list>{written}</score-partwise>".encode()


def read(*parts):
    reading = musicxml.read(document(*parts), "x")
    return reading.scores[0], reading.mended


def spans(score):
    return [[(float(n.onset), float(n.duration), n.pitch) for n in voice.notes] for voice in score.voices]


def pitches(*parts):
    return [[n.pitch for n in voice.notes] for voice in read(*parts)[0].voices]


def assume_notated(score):
    """A first bar cut short is a pickup in every notation, and a piece has notes."""
    whole = list(score.bars())
    assume(any(voice.notes for voice in score.voices))
    assume(score.pickup or len(whole) == 1 or whole[0].duration == whole[0].metre.quarters)


@pytest.mark.parametrize("grid", [4, 12, 5])
def test_reading_gives_back_the_score_written(grid):
    @given(scores(grid=grid))
    @settings(max_examples=25, deadline=None)
    def check(score):
        assume_notated(score)
        reading = musicxml.read(musicxml.write([score], "from a test"), "x")
        assert reading.scores == (score,) and not reading.mended

    check()


def test_key_and_tempo_may_change_inside_a_bar_and_inside_a_note():
    changes = ((Fraction(0), Key(0)), (Fraction(3, 2), Key(3)))
    score = Score(
        (Voice((Note(Fraction(0), Fraction(4), 60),)),),
        keys=changes,
        tempi=((Fraction(0), 60.5), (Fraction(5, 2), 90.0)),
    )
    assert musicxml.read(musicxml.write([score]), "x").scores == (score,)


def written(*notes, **others):
    placed, time = [], Fraction(0)
    for pitch, duration in notes:
        placed.append(Note(time, Fraction(duration), pitch))
        time += Fraction(duration)
    return ElementTree.fromstring(musicxml.write([Score((Voice(tuple(placed)),), **others)]))


def values(root):
    return [
        each.findtext("type")
        + "." * len(each.findall("dot"))
        + ("t" if each.find("time-modification") is not None else "")
        for each in root.iter("note")
    ]


def test_durations_are_written_as_note_heads():
    assert values(written((60, 1), (62, Fraction(3, 2)), (64, Fraction(1, 4)), (65, Fraction(5, 4)))) == [
        "quarter", "quarter.", "16th", "quarter", "16th",
    ]  # fmt: skip
    third = Fraction(1, 3)
    triplet = written((60, third), (62, 2 * third), (64, 3))
    assert values(triplet) == ["eightht", "quartert", "half."]
    assert [each.get("type") for each in triplet.iter("tuplet")] == ["start", "stop"]


def test_a_note_over_the_bar_line_is_tied():
    root = written((60, 3), (62, 2))
    assert [[tie.get("type") for tie in each.findall("tie")] for each in root.iter("note")] == [[], ["start"], ["stop"]]
    assert [len(bar.findall("note")) for bar in root.iter("measure")] == [2, 1]


def test_pitches_are_spelled_as_the_key_has_them():
    def names(fifths, mode="major"):
        root = written(*((60 + step, 1) for step in range(12)), keys=((Fraction(0), Key(fifths, mode)),))
        return " ".join(
            p.findtext("step") + {"1": "#", "-1": "b"}.get(p.findtext("alter"), "") for p in root.iter("pitch")
        )

    assert names(0) == "C C# D Eb E F F# G G# A Bb B"
    assert names(-4) == "C Db D Eb E F Gb G Ab A Bb Cb"
    assert names(4) == "B# C# D D# E E# F# G G# A A# B"


def test_accidentals_are_shown_where_the_signature_and_the_bar_need_them():
    root = written((66, 1), (65, 1), (66, 1), (66, 3), (65, 1), (65, 1), keys=((Fraction(0), Key(1)),))
    shown = [each.findtext("accidental") for each in root.iter("note")]
    assert shown == [None, "natural", "sharp", None, None, "natural", None]


@pytest.mark.parametrize(("pitch", "clef"), [(72, "G"), (57, "G-1"), (43, "F")])
def test_the_clef_suits_the_range(pitch, clef):
    found = written((pitch, 4)).find(".//clef")
    assert found.findtext("sign") + (found.findtext("clef-octave-change") or "") == clef


def test_where_a_piece_comes_from_is_written():
    root = ElementTree.fromstring(musicxml.write([Score((Voice((Note(Fraction(0), Fraction(4), 60),)),))], "seed <1>"))
    assert root.findtext(".//miscellaneous-field[@name='provenance']") == "seed <1>"


def test_only_scores_that_can_be_notated_are_written():
    with pytest.raises(MusegenError, match="overlaps itself at bar 1, beat 2"):
        musicxml.write([Score((Voice((Note(Fraction(0), Fraction(2), 60), Note(Fraction(1), Fraction(1), 62))),))])
    with pytest.raises(MusegenError, match="no music to write"):
        musicxml.write([Score(())])
    with pytest.raises(MusegenError, match="too fine"):
        musicxml.write([Score((Voice((Note(Fraction(0), Fraction(1, 10**7), 60),)),))])


def test_repeats_and_endings_are_played():
    content = (
        ATTRIBUTES + '<barline location="left"><repeat direction="forward"/></barline>' + note("C4", 8),
        '<barline><ending number="1" type="start"/></barline>' + note("D4", 8)
        + '<barline><ending number="1" type="stop"/><repeat direction="backward"/></barline>',
        '<barline><ending number="2" type="start"/></barline>' + note("E4", 8)
        + '<barline><ending number="2" type="discontinue"/></barline>',
    )  # fmt: skip
    assert pitches(bars(*content)) == [[60, 62, 60, 64]]


def test_da_capo_to_the_fine_is_played_and_words_alone_are_said_not_to_be():
    fine, da_capo = '<direction><sound fine="yes"/></direction>', '<direction><sound dacapo="yes"/></direction>'
    assert pitches(bars(ATTRIBUTES + note("C4", 8) + fine, note("D4", 8) + da_capo)) == [[60, 62, 60]]
    words = "<direction><direction-type><words>D.C. al Fine</words></direction-type></direction>"
    score, mended = read(bars(ATTRIBUTES + note("C4", 8), note("D4", 8) + words))
    assert spans(score) == [[(0, 4, 60), (4, 4, 62)]] and "'D.C. al Fine'" in mended[0]


def test_a_pickup_to_which_a_repeat_goes_back_completes_the_bar_before():
    back = '<barline><repeat direction="backward"/></barline>'
    score, _ = read(bars(ATTRIBUTES + note("C4", 2), note("D4", 8), note("E4", 6) + back, note("F4", 8)))
    assert (score.pickup, score.metres) == (1, ((0, FOUR), (16, FOUR)))  # only the second time a bar remains short
    assert spans(score)[0][2:4] == [(5, 3, 64), (8, 1, 60)]


def test_the_second_half_of_a_divided_bar_starts_no_bar():
    halves = bars(ATTRIBUTES + note("C4", 8), note("D4", 6)) + '<measure number="2a">' + note("E4", 2) + "</measure>"
    assert read(halves + bars(note("F4", 8)))[0].metres == ((0, FOUR),)
    short = bars(ATTRIBUTES + note("C4", 8), note("D4", 6), note("E4", 8))
    assert read(short)[0].metres == ((0, FOUR), (7, FOUR))


def test_going_back_restores_metre_key_and_tempo():
    def attributes(fifths, beats):
        time = f"<time><beats>{beats}</beats><beat-type>4</beat-type></time>"
        key = f"<key><fifths>{fifths}</fifths></key>"
        tempo = f'<direction><sound tempo="{60 + beats}"/></direction>'
        return f"<attributes><divisions>2</divisions>{key}{time}</attributes>{tempo}"

    back = '<barline><repeat direction="backward"/></barline>'
    score, _ = read(bars(attributes(1, 4) + note("C4", 8), attributes(-2, 3) + note("D4", 6) + back))
    assert score.metres == ((0, FOUR), (4, Metre(3, 4)), (7, FOUR), (11, Metre(3, 4)))
    assert score.keys == ((0, Key(1)), (4, Key(-2)), (7, Key(1)), (11, Key(-2)))
    assert score.tempi == ((0, 64), (4, 63), (7, 64), (11, 63))


def test_ties_are_merged_also_over_bar_lines_and_repeated_notes_are_not():
    start, stop = '<tie type="start"/>', '<notations><tied type="stop"/></notations>'
    score, _ = read(bars(ATTRIBUTES + note("C4", 8, start), note("C4", 4, stop) + note("C4", 4, stop)))
    assert spans(score) == [[(0, 6, 60), (6, 2, 60)]]
    half_marked = bars(ATTRIBUTES + note("C4", 4, start) + note("C4", 2) + note("C4", 2))
    assert spans(read(half_marked)[0]) == [[(0, 3, 60), (3, 1, 60)]]


def test_a_fermata_on_either_end_of_a_tie_counts():
    fermata = '<tie type="stop"/><notations><fermata/></notations>'
    score, _ = read(bars(ATTRIBUTES + note("C4", 8, '<tie type="start"/>'), note("C4", 4, fermata) + note("D4", 4)))
    assert [n.fermata for n in score.voices[0].notes] == [True, False]


def test_voices_staves_and_chords_become_lines():
    second = "<backup><duration>8</duration></backup>"
    upper = ATTRIBUTES + note("E5", 8, "<voice>1</voice>") + second + note("C5", 4, "<voice>2</voice>")
    lower = second + "<forward><duration>4</duration></forward>" + note("C3", 4, "<voice>5</voice><staff>2</staff>")
    score, _ = read(bars(upper + lower))
    assert spans(score) == [[(0, 4, 76)], [(0, 2, 72)], [(2, 2, 48)]]
    assert [voice.name for voice in score.voices] == ["Part 0 1", "Part 0 2", "Part 0 3"]
    chords = ATTRIBUTES + note("C4", 4) + note("E4", 4, chord=True) + note("D4", 4) + note("F4", 4, chord=True)
    assert pitches(bars(chords)) == [[64, 65], [60, 62]]
    same_voice = ATTRIBUTES + note("E5", 8, "<staff>1</staff>") + second + note("C3", 8, "<staff>2</staff>")
    assert pitches(bars(same_voice)) == [[76], [48]]


def test_transposing_instruments_are_read_as_they_sound():
    clarinet = "<key><fifths>2</fifths></key><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    score, _ = read(bars(ATTRIBUTES.replace("</attributes>", clarinet + "</attributes>") + note("D4", 8)))
    assert spans(score) == [[(0, 4, 60)]] and score.keys == ((0, Key(0)),)


def test_grace_cue_and_unpitched_notes_make_no_sound():
    grace = "<note><grace/><pitch><step>B</step><octave>3</octave></pitch></note>"
    cue = note("A4", 2).replace("<note>", "<note><cue/>")
    unpitched = note("-", 2).replace("<rest/>", "<unpitched/>")
    assert spans(read(bars(ATTRIBUTES + grace + cue + note("C4", 4) + unpitched))[0]) == [[(1, 2, 60)]]


def test_bars_without_notes_keep_their_length():
    rest = note("-", 16).replace("<rest/>", '<rest measure="yes"/>')  # wrong by itself, as some programs write it
    score, _ = read(bars(ATTRIBUTES + note("C4", 8), rest, "", note("D4", 8)))
    assert spans(score) == [[(0, 4, 60), (12, 4, 62)]]
    filled = bars(ATTRIBUTES + note("-", 8), note("-", 16), note("C3", 8))
    score, _ = read(bars(ATTRIBUTES + note("C4", 2), note("D4", 8), note("E4", 8)), filled)
    assert score.pickup == 1 and spans(score) == [[(0, 1, 60), (1, 4, 62), (5, 4, 64)], [(5, 4, 48)]]


def test_tempo_is_read_from_a_metronome_mark():
    mark = "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
    mark += "<per-minute>ca. 60</per-minute></metronome></direction-type></direction>"
    assert read(bars(ATTRIBUTES + mark + note("C4", 8)))[0].tempi == ((0, 90.0),)


def test_titles_and_programs_are_read():
    head = "<work><work-title>Air\n on G</work-title></work><identification><creator type='composer'>Bach</creator>"
    data = document(bars(ATTRIBUTES + note("C4", 8)), head=head + "</identification>")
    instrument = b"</part-name><midi-instrument id='x'><midi-program>53</midi-program></midi-instrument>"
    score = musicxml.read(data.replace(b"</part-name>", instrument), "x").scores[0]
    assert (score.title, score.composer, score.voices[0].program) == ("Air on G", "Bach", 52)


def test_what_is_senseless_is_left_out_and_said():
    odd = "<attributes><key><fifths>9</fifths></key><time><beats>x</beats><beat-type>4</beat-type></time></attributes>"
    odd += '<sound tempo="0"/><backup><duration>1</duration></backup>' + note("H4", 2) + note("C4", 0) + note("D4", 8)
    score, mended = read(bars(ATTRIBUTES + odd))
    assert spans(score) == [[(1, 4, 62)]]
    said = " ".join(mended)
    for word in ("key signature", "time signature", "absurd tempo", "before its beginning", "senseless pitch"):
        assert word in said


SOUND = document(bars(ATTRIBUTES + note("C4", 8)))


def test_timewise_scores_and_other_encodings_are_read():
    timewise = (
        f"<score-timewise><part-list><score-part id='a'><part-name>A</part-name></score-part></part-list>"
        f"<measure number='1'><part id='a'>{ATTRIBUTES}{note('C4', 8)}</part></measure>"
        f"<measure number='2'><part id='a'>{note('D4', 8)}</part></measure></score-timewise>"
    )
    assert spans(musicxml.read(timewise.encode(), "x").scores[0]) == [[(0, 4, 60), (4, 4, 62)]]
    declared = '<?xml version="1.0" encoding="UTF-16"?>' + SOUND.decode()
    for data in (declared.encode("utf-16"), declared.encode("utf-16-le"), declared.encode("utf-16-be")):
        assert spans(musicxml.read(data, "x").scores[0]) == [[(0, 4, 60)]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<a>", "not well-formed"),
        (b"<opus/>", "not a MusicXML score"),
        (b"\xff\xfe\0", "UTF-16"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><score-partwise>&b;</score-partwise>", "declares entities"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><score-partwise>&b;</score-partwise>'.encode("utf-16"), "declares entities"),
        (b"<a>" * 2_100_000, "elements are no piece"),
        (b"<score-partwise/>", "no notes"),
        (document(bars(ATTRIBUTES + note("-", 8))), "no notes"),
        (document(bars(ATTRIBUTES + note("C4", 10**9))), "absurdly long"),
        (document(bars(*[ATTRIBUTES + note("C4", 30_000)] * 2)), "more than 20000 quarters"),
        (document(*["<measure/>"] * 201), "parts or 20000 bars"),
        (document("<measure/>" * 20_001), "parts or 20000 bars"),
        (document(bars(*(ATTRIBUTES.replace(">2<", f">{n}<") for n in range(1, 60)))), "divisions"),
    ],
)  # fmt: skip
def test_what_is_no_music_is_refused(data, reason):
    with pytest.raises(MusegenError, match=f"x: .*{reason}"):
        musicxml.read(data, "x")


def test_a_very_deep_tree_is_no_trouble():
    with pytest.raises(MusegenError, match="not a MusicXML score"):
        musicxml.read(b"<a>" * 100_000 + b"</a>" * 100_000, "x")


def archive(members, container=None):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        if container:
            listed = f"<container><rootfiles><rootfile full-path='{container}'/></rootfiles></container>"
            file.writestr("META-INF/container.xml", listed)
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


def test_the_score_that_an_archive_names_is_read():
    other = document(bars(ATTRIBUTES + note("D4", 8)))
    for data in (
        archive({"other.xml": other, "music/a.xml": SOUND}, container="music/a.xml"),
        archive({"a.musicxml": SOUND, "b.xml": other}),
        archive({"__MACOSX/a.xml": b"\0", "a.xml": SOUND}, container="gone.xml"),
    ):
        assert spans(mxl.read(data, "x").scores[0]) == [[(0, 4, 60)]]
        assert musicxml.read(data, "x") == mxl.read(data, "x")
    assert mxl.read(SOUND, "x").mended == ("it is not compressed",)


def test_a_written_archive_is_as_the_standard_wants_it():
    score = Score((Voice((Note(Fraction(0), Fraction(4), 60),)),), title="Long")
    data = mxl.write([score], "from a test")
    assert mxl.read(data, "x").scores == (score,)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.namelist() == ["mimetype", "META-INF/container.xml", "score.musicxml"]
        assert file.infolist()[0].compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0" * 1000, "not a compressed MusicXML"),
        (archive({"a.xml": SOUND})[:-30], "archive is broken"),
        (archive({"a.txt": SOUND}), "holds no MusicXML"),
        (archive({"a.xml": archive({"a.xml": SOUND})}), "archive in an archive"),
        (archive({"a.xml": bytes(65 * 2**20)}), "unpacks to more than 64 MiB"),
        (b"PK" + bytes(17 * 2**20), "archives over 16 MiB"),
    ],
)
def test_broken_and_swollen_archives_are_refused(data, reason):
    with pytest.raises(MusegenError, match=f"x: .*{reason}"):
        mxl.read(data, "x")


def test_an_archive_with_any_byte_changed_is_read_or_refused():
    data = mxl.write([Score((Voice((Note(Fraction(0), Fraction(4), 60),)),))])
    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] ^= 0x21
        try:
            mxl.read(bytes(changed), "x")
        except MusegenError as error:
            assert str(error).startswith("x: ")
