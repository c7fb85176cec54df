"""What the fields of an ABC tune say: key, metre, note length, tempo, parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from musegen.errors import MusegenError
from musegen.score import Key, Metre

LETTERS = "CDEFGAB"
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ALTERS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_SHARPS = "FCGDAEB"
_MODES = {
    "": "major", "m": "minor", "n": "minor", "maj": "major", "ion": "major", "min": "minor", "aeo": "minor",
    "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian", "loc": "locrian",
}  # fmt: skip
_MODE_FIFTHS = {"major": 0, "minor": -3, "dorian": -2, "phrygian": -4, "lydian": 1, "mixolydian": -1, "locrian": -5}
_KEY = re.compile(r"\s*([A-Ga-g])([#b♯♭]?)\s*([A-Za-z]*)")
_OCTAVES = re.compile(r"(?:treble|bass|alto|tenor)\d?([+-])8\b")
MAX_PARTS = 1_000


@dataclass(frozen=True)
class Signature:
    """A key as ABC gives it.

    Attributes:
        key: None for `K:none` and for accidentals without a tonic.
        alters: semitones for each letter, C to B, that a note without accidental is moved.
    """

    key: Key | None
    alters: tuple[int, ...]


@lru_cache(maxsize=256)
def parse_key(text: str) -> Signature:
    """Read `G`, `Ador`, `F#m`, `Dmix=c`, `D exp _b ^f`, `HP`, `none`.

    Capitals do not matter in a mode, as the standard has it: `EM` is E minor, which is what O'Neill's transcribers
    meant by it too (and by `Bn`). The pipes' `HP` and `Hp` sound F and C sharp, whether the signature is printed or
    not: A mixolydian.

    Raises:
        MusegenError: it is none of these.
    """
    bare = re.sub(r"\b(?:[a-z]{4,}|nm)=(?:\"[^\"]*\"|\S+)", " ", text).strip()
    word = bare.split(None, 1)[0] if bare else ""
    if word in ("HP", "Hp"):
        return Signature(Key(2, "mixolydian"), _signature(2))
    accidentals = re.findall(r"(\^\^|__|[\^=_])([A-Ga-g])", bare)
    if word.lower() == "none" or not word or word[0] in "^_=":
        key, alters = None, _signature(0)
        if not word:
            key = Key(0)
    else:
        found = _KEY.match(bare)
        if not found:
            if _OCTAVES.match(bare) or word in ("treble", "bass", "alto", "tenor", "perc"):
                return Signature(Key(0), _signature(0))
            raise MusegenError(f"{text.strip()!r} is not a key")
        mode = _MODES.get(found[3].lower()[:3], "major")
        fifths = _SHARPS.index(found[1].upper()) - 1 + {"#": 7, "♯": 7, "b": -7, "♭": -7}.get(found[2], 0)
        fifths += _MODE_FIFTHS[mode]
        alters = _signature(fifths)
        tonic = SEMITONES[found[1].upper()] + {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(found[2], 0)
        key = Key(fifths, mode) if -7 <= fifths <= 7 else Key.of_pitch_class(tonic % 12, mode)
        if re.search(r"\bexp\b", bare) or found[3].lower() == "exp":
            key, alters = None, _signature(0)
    changed = list(alters)
    for accidental, letter in accidentals:
        changed[LETTERS.index(letter.upper())] = ALTERS[accidental]
    return Signature(key, tuple(changed))


def _signature(fifths: int) -> tuple[int, ...]:
    """Semitones for each letter, C to B."""
    return tuple((fifths - _SHARPS.index(letter) + 6) // 7 for letter in LETTERS)


def parse_shift(text: str) -> int | None:
    """Semitones that `octave=`, `transpose=` and clefs such as `treble-8` move a voice; None when it has none."""
    octave = re.search(r"\boctave=([+-]?\d)\b", text)
    semitones = re.search(r"\btranspose=([+-]?\d{1,2})\b", text)
    clef = _OCTAVES.search(text)
    if not (octave or semitones or clef):
        return None
    return (
        12 * (int(octave[1]) if octave else 0)
        + (int(semitones[1]) if semitones else 0)
        + (int(clef[1] + "12") if clef else 0)
    )


@lru_cache(maxsize=256)
def parse_metre(text: str) -> Metre | None:
    """Read `6/8`, `C`, `C|`, `(2+3)/8`, `2+2+3/8`; None for `none` and nothing.

    Raises:
        MusegenError: it is none of these.
    """
    text = text.strip()
    if text.lower() in ("", "none"):
        return None
    if text[0] == "C":
        return Metre(2, 2) if text[1:2] == "|" else Metre(4, 4)
    found = re.match(r"\(?\s*(\d{1,3}(?:\s*\+\s*\d{1,3}){0,9})\s*\)?\s*/\s*(\d{1,2})(?!\d)", text)
    if not found:
        raise MusegenError(f"{text!r} is not a metre")
    return Metre(sum(int(number) for number in found[1].split("+")), int(found[2]))


@lru_cache(maxsize=256)
def parse_unit(text: str) -> Fraction:
    """Read a note length such as `1/8` or `1`, in quarters.

    Raises:
        MusegenError: it is none, or no length between a 512th and two whole notes.
    """
    found = re.match(r"\s*(\d{1,3})(?:\s*/\s*(\d{1,3}))?(?!\d)", text)
    if not found or not int(found[1]) or not int(found[2] or 1):
        raise MusegenError(f"{text.strip()!r} is not a note length")
    unit = Fraction(4 * int(found[1]), int(found[2] or 1))
    if not Fraction(1, 128) <= unit <= 8:
        raise MusegenError(f"{text.strip()!r} is not a note length")
    return unit


def default_unit(metre: Metre | None) -> Fraction:
    """The note length of a tune that gives none, in quarters: a sixteenth below 3/4, else an eighth."""
    return Fraction(1, 4) if metre and metre.quarters < 3 else Fraction(1, 2)


def parse_tempo(text: str, unit: Fraction, metre: Metre | None) -> float | None:
    """Read a tempo in any of its forms, in quarters per minute; None when it has only words.

    `1/4=120`, `3/8=80`, `1/4 3/8=40`, `C3=40`, `C=120` and `"Lively" 1/8=200` say what is counted. A bare number
    counts the unit length `L:`, as the standard has it; where that gives fewer than 40 quarters a minute, it counts
    beats, as those who wrote `Q:80` over sixteenths plainly meant.

    Args:
        text: what follows `Q:`.
        unit: the length `L:`, in quarters.
        metre: the time signature, for its beat.

    Raises:
        MusegenError: it is no tempo, or not between 1 and 1,000 quarters a minute.
    """
    bare = re.sub(r'"[^"]*"', " ", text).strip()
    if not bare or not re.search(r"\d", bare):
        return None
    found = re.fullmatch(r"(?:([^=]*)=)?\s*(\d{1,4}(?:\.\d{1,20})?)(?!\d)[^=]*", bare)
    if not found:
        raise MusegenError(f"{text.strip()!r} is not a tempo")
    count = float(found[2])
    counted = re.findall(r"(\d{1,3})\s*/\s*(\d{1,3})", found[1] or "")
    if counted:
        beat = sum((Fraction(4 * int(n), max(1, int(d))) for n, d in counted), Fraction(0))
    elif found[1]:
        beat = unit * int((re.findall(r"\d{1,3}", found[1]) or ["1"])[0])
    else:
        beat = unit if count * unit >= 40 else metre.beat if metre else Fraction(1)
    # A product of whole quarters stays exact.
    tempo = count * beat.numerator / beat.denominator
    if not 1 <= tempo <= 1000:
        raise MusegenError(f"{text.strip()!r} is not a tempo")
    return tempo


def parse_parts(text: str) -> str:
    """Read a playing order such as `AABB`, `A.B.A` or `A(BC)3`; empty when it is only words.

    Raises:
        MusegenError: it is longer than `MAX_PARTS`.
    """
    bare = re.sub(r"[\s.]", "", text)
    if not re.fullmatch(r"[A-Z()0-9]{1,200}", bare):
        return ""
    stack = [""]
    for token in re.findall(r"[A-Z]\d*|\(|\)\d*", bare):
        times = int(token[1:][:4] or 1)
        if token == "(":
            stack.append("")
            continue
        unit = token[0] if token[0] != ")" else stack.pop() if len(stack) > 1 else ""
        stack[-1] += unit * min(times, MAX_PARTS)
        if len(stack[-1]) > MAX_PARTS:
            raise MusegenError("its parts are played too often")
    return "".join(stack)
