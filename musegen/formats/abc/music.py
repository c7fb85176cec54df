"""Music code, the body of an ABC tune -> the written bars of each voice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from musegen.errors import MusegenError
from musegen.formats.abc.fields import parse_key, parse_metre, parse_shift, parse_tempo, parse_unit
from musegen.formats.abc.stave import Settings, Stave

MAX_UNREADABLE = 500
"""Characters of one tune that are no ABC; with more, it is taken for something else."""
TOO_ODD = "too much of it is no ABC"
MAX_LINE = 20_000
"""Characters of one line."""
MAX_TOKENS = 200_000
"""Notes, bar lines and other signs of one tune."""

_LENGTH = r"(\d{0,9}(?:/+\d{0,9})?)"
_NOTE = r"(\^\^|__|[\^_=])?([A-Ga-g])([,']{0,9})"
_ENDING = r"(\d{1,2}(?:[,-]\d{1,2}){0,9})(?![\d/])\.?"
_TOKEN = re.compile(
    rf"""
      (?P<note>{_NOTE}{_LENGTH})
    | (?P<space>[ \t`$*;\\]+)
    | (?P<bar>\.?(?::{{0,9}}(?:\[?\|\]?){{1,9}}(?::{{1,9}}(?!\|))?|::{{1,9}})(?:[ \t]*\[?{_ENDING})?)
    | (?P<broken>[<>]{{1,3}})
    | (?P<tuplet>\((\d{{1,2}})(?::(\d{{0,2}}))?(?::(\d{{0,2}}))?(?![\d:]))
    | (?P<slur>[()])
    | (?P<tie>-)
    | (?P<rest>[zx]{_LENGTH})
    | (?P<grace>\{{[^{{}}]{{0,300}}\}})
    | (?P<quoted>"[^"]{{0,500}}")
    | (?P<decoration>!([^!|\s]{{1,40}})!|\+([a-zA-Z0-9().<>]{{1,30}})\+)
    | (?P<letter>[~.H-Wh-w])
    | (?P<bars>[ZX](\d{{0,4}})(?!\d))
    | (?P<spacer>y\d{{0,4}}|!)
    | (?P<field>\[([A-Za-z]):([^\]]{{0,500}})\])
    | (?P<ending>\[?[ \t]*{_ENDING})
    | (?P<chord>\[([^\[\]|]{{1,200}})\]{_LENGTH})
    | (?P<overlay>&)
    | (?P<colon>:\]?)
    """,
    re.VERBOSE,
)
_CHORD_NOTE = re.compile(rf"{_NOTE}{_LENGTH}(\s*-)?")
_FIELD = re.compile(r"([A-Za-z]):")
_MUSIC = re.compile(r"[A-Ga-gz]:[|:]")  # a note before a repeat sign looks like a field
_MAIL = re.compile(r"=3D|=20\s*$|=\s*$")  # quoted-printable; no ABC has an accidental before a digit or nothing
_BARE_TEMPO = re.compile(r"\s*\d{1,2}/\d{1,2}\s*=\s*\d{1,4}\s*")
FERMATAS = ("fermata", "invertedfermata")


class Music:
    """Reads the body of one tune, line by line.

    Args:
        settings: what the header said; a voice begins with it.
        fermatas: the decoration letters that stand for a fermata.
        complain: called with (line number, complaint) for what is skipped.
    """

    def __init__(self, settings: Settings, fermatas: frozenset[str], complain: Callable[[int, str], None]) -> None:
        self.settings = settings
        self.fermatas = fermatas
        self.staves: dict[str, Stave] = {}
        self._complain = complain
        self.tokens = 0
        self._unreadable = 0
        self._stave: Stave | None = None
        self._line = 0
        self._readers: Mapping[str, Callable[[Stave, re.Match[str]], None]] = {
            "bar": self._bar,
            "broken": self._broken,
            "tuplet": self._tuplet,
            "tie": lambda stave, token: stave.tie(),
            "rest": lambda stave, token: stave.rest(token[0][1:]),
            "decoration": self._decoration,
            "letter": self._letter,
            "bars": lambda stave, token: stave.rest_bars(int(token[0][1:] or 1)),
            "field": lambda stave, token: self.field(self._line, token[0][1], token[0][3:-1]),
            "ending": self._ending,
            "chord": self._chord,
            "colon": self._colon,
            "overlay": lambda stave, token: stave.overlay(),
        }

    @property
    def stave(self) -> Stave:
        """The voice that is being written."""
        if self._stave is None:
            self._stave = self.voice("1" if not self.staves else next(iter(self.staves)))
        return self._stave

    def voice(self, text: str) -> Stave:
        """Find a voice by what `V:` says, or begin it."""
        found = re.match(r"\s*([^\s\"]{1,60})", text)
        name = found[1] if found else "1"
        if name not in self.staves:
            if len(self.staves) >= 64:
                raise MusegenError("it has more than 64 voices")
            self.staves[name] = Stave(self.settings)
        stave = self.staves[name]
        named = re.search(r"\b(?:name|nm)=(?:\"([^\"]*)\"|(\S+))", text)
        if named:
            stave.name = named[1] or named[2] or ""
        shift = parse_shift(text)
        if shift is not None:
            stave.shift = shift
        return stave

    def read(self, number: int, line: str) -> None:
        """Read one line of the body, without its comment.

        Raises:
            MusegenError: the tune is too large, or no music.
        """
        self._line = number
        if len(line) > MAX_LINE:
            raise MusegenError(f"line {number} has more than {MAX_LINE:,} characters")
        if "=" in line and _MAIL.search(line):
            self._complain(number, "undid what e-mail did to it (=3D for =, = at the end of the line)")
            line = _MAIL.sub(lambda sign: "=" if sign[0] == "=3D" else "", line)
        if _FIELD.match(line) and not _MUSIC.match(line):
            self.field(number, line[0], line[2:].replace("\\%", "%"))
            return
        if _BARE_TEMPO.fullmatch(line):
            self.field(number, "Q", line)
            return
        stave = self.stave
        match, readers = _TOKEN.match, self._readers
        skipped = []
        at, end = 0, len(line)
        while at < end:
            token = match(line, at)
            if token is None:
                skipped.append(line[at])
                at += 1
                self.tokens += 1
                self._unreadable += 1
                if self._unreadable > MAX_UNREADABLE:
                    raise MusegenError(TOO_ODD)
                continue
            at = token.end()
            self.tokens += 1
            kind = token.lastgroup or ""
            if kind == "note":
                stave.note(token[2], token[3], token[4], token[5])
            elif kind in readers:
                readers[kind](stave, token)
                stave = self.stave
        if self.tokens > MAX_TOKENS:
            raise MusegenError(f"it has more than {MAX_TOKENS:,} signs")
        if skipped:
            self._complain(number, f"skipped {''.join(skipped)[:20]!r}, which is no ABC")

    def field(self, number: int, letter: str, text: str) -> None:
        """Obey a field in the body, on its own line or in brackets."""
        self.tokens += 4  # a field takes as long to read as some notes
        if letter == "V":
            self._stave = self.voice(text)
            return
        try:
            if letter == "K":
                if text.strip():
                    self.stave.change_key(parse_key(text))
                shift = parse_shift(text)
                if shift is not None:
                    self.stave.shift = shift
            elif letter == "M":
                self.stave.change_metre(parse_metre(text))
            elif letter == "L":
                self.stave.change_unit(parse_unit(text))
            elif letter == "Q":
                stave = self.stave
                tempo = parse_tempo(text, stave.unit, stave.metre)
                if tempo is not None:
                    stave.change_tempo(tempo)
            elif letter == "P":
                self.settings.part = text.strip()[:1]
                for each in self.staves.values():
                    each.begin_part(self.settings.part)
        except MusegenError as error:
            self._complain(number, f"ignored {letter}: {error}")

    def _bar(self, stave: Stave, token: re.Match[str]) -> None:
        self.tokens += 2  # a bar takes as long to finish as some notes
        text = token["bar"]
        numbers = re.search(r"\d.*", text)
        sign = text[: numbers.start()].rstrip(" \t[") if numbers else text
        stave.bar_line(sign, _passes(numbers[0]) if numbers else frozenset())

    def _colon(self, stave: Stave, token: re.Match[str]) -> None:
        """Half a repeat sign: `:` where a bar begins for `|:`, `:]` for `:|]`."""
        sign = ":|]" if token[0] == ":]" else "|:" if stave.at_bar_line else ":|"
        stave.bar_line(sign)
        self._complain(self._line, f"took {token[0]!r} for {sign!r}")

    def _ending(self, stave: Stave, token: re.Match[str]) -> None:
        if token[0][0] != "[" and not stave.at_bar_line:
            self._complain(self._line, f"skipped {token[0]!r}, which is no ABC")
            return
        stave.bar_line("|", _passes(token[0].strip("[ \t")))

    def _tuplet(self, stave: Stave, token: re.Match[str]) -> None:
        p, q, r = re.fullmatch(r"\((\d+):?(\d*):?(\d*)", token[0]).groups()  # type: ignore[union-attr]
        if not stave.tuplet(int(p), int(q or 0), int(r or 0)):
            self._complain(self._line, f"skipped {token[0]!r}, which is no tuplet")

    def _broken(self, stave: Stave, token: re.Match[str]) -> None:
        if not stave.broken(token[0]):
            self._complain(self._line, f"skipped {token[0]!r}, which has no note before it")

    def _decoration(self, stave: Stave, token: re.Match[str]) -> None:
        if token[0][1:-1] in FERMATAS:
            stave.fermata = True

    def _letter(self, stave: Stave, token: re.Match[str]) -> None:
        if token[0] in self.fermatas:
            stave.fermata = True

    def _chord(self, stave: Stave, token: re.Match[str]) -> None:
        inner, _, length = token[0][1:].rpartition("]")
        notes = [(n[1], n[2], n[3], n[4], bool(n[5])) for n in _CHORD_NOTE.finditer(inner)]
        if notes:
            stave.chord(notes, length)
        else:
            self._complain(self._line, f"skipped {token[0][:20]!r}, a chord without notes")


def _passes(text: str) -> frozenset[int]:
    """Read the numbers of an ending: `1`, `1,3`, `1-3`."""
    passes: set[int] = set()
    for piece in text.rstrip(".").split(","):
        low, _, high = piece.partition("-")
        passes.update(range(int(low), int(high or low) + 1))
    return frozenset(passes - {0})
