"""ABC notation: a text of tunes <-> scores.

`read` and `write` are the format's public face. Each voice sounds one note at a time: of a chord the top note is kept,
and of a bar with overlays (`&`) the first line. Grace notes, chord symbols, annotations (`D.C.` and the like included),
lyrics, macros and layout are left out. `repeats` says how repeats are played, `Stave` how long accidentals hold.

Who needs a tune as it stands on paper, with its repeats folded and
its header fields, uses `read_tunes` and `Tune`:

    read_tunes(text: str) -> Iterator[Tune]     every tune of a book, in order; the ones that cannot be used too
    decode(data: bytes, name: str) -> str       bytes of a file -> text, or a refusal

    Tune.fields: Mapping[str, tuple[str, ...]]  header fields by letter, as written: fields["T"], fields.get("R", ())
    Tune.number, Tune.title, Tune.line          X:, the first T:, the line of the file it begins on (from 1)
    Tune.refused: str                           why it cannot be played; empty for a sound tune
    Tune.mended: tuple[str, ...]                what was unreadable and skipped, one line each
    Tune.lines: tuple[Line, ...]                its voices: Line.name, Line.bars, Line.order, Line.spans
    Tune.bars: tuple[WrittenBar, ...]           of the first voice, as written
    Tune.order: tuple[int, ...]                 indices into `bars`, repeats and endings played out
    Tune.spans: tuple[Span, ...]                the bars of the music played: onset, duration, metre, right
    Tune.wrong_bars: tuple[int, ...]            numbers of the played bars that do not add up to their metre
    Tune.wrong_share: float                     their share of all played bars, 0 to 1
    Tune.score() -> Score                       the tune played out; MusegenError when it is refused

    WrittenBar.events: tuple[Event, ...]        Event(duration, pitch | None for a rest, tied, fermata)
    WrittenBar.duration, .metre, .keys, .tempi  quarters; Metre or None (free); changes by offset in the bar
"""

from musegen.formats.abc.book import decode, read, read_tunes
from musegen.formats.abc.tune import Event, Line, Span, Tune, WrittenBar
from musegen.formats.abc.writer import provenance, write

__all__ = ["Event", "Line", "Span", "Tune", "WrittenBar", "decode", "provenance", "read", "read_tunes", "write"]
