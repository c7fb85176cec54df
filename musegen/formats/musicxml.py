"""MusicXML: the tree is read safely here, and turned into music next door."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from musegen.errors import MusegenError
from musegen.formats import Reading
from musegen.score import Score

MAX_ELEMENTS = 2_000_000
"""Elements and attributes of a tree; more may not fit into a gigabyte of memory."""


def read(data: bytes, name: str) -> Reading:
    """Read a MusicXML file, partwise or timewise, also a compressed one.

    Grace and cue notes are dropped, ties merged, repeats played out, transposing instruments brought to sounding pitch,
    chords divided into lines.

    Args:
        data: the file.
        name: what to call it in a message.

    Raises:
        MusegenError: it is not MusicXML, or holds no music.
    """
    if data[:2] == b"PK":
        from musegen.formats import mxl

        return mxl.read(data, name)
    from musegen.formats.musicxml_read import read_tree

    root = parse(data, name)
    if root.tag == "score-timewise":
        root = _partwise(root)
    if root.tag != "score-partwise":
        raise MusegenError(f"{name}: its root is <{root.tag[:40]}>, not a MusicXML score", "Export it as MusicXML.")
    try:
        return read_tree(root)
    except MusegenError as error:
        raise MusegenError(f"{name}: {error.args[0]}", error.hint) from None


def write(scores: Sequence[Score], text: str = "") -> bytes:
    """Write one score as MusicXML 4.0, partwise.

    Args:
        scores: exactly one.
        text: where it comes from; a field named `provenance`.

    Raises:
        MusegenError: there is not exactly one score, or it has nothing to write.
    """
    from musegen.formats.musicxml_write import document

    if len(scores) != 1:
        raise MusegenError(f"a MusicXML file holds one score, not {len(scores)}", "Give a folder to write to.")
    return document(scores[0], text)


def provenance(data: bytes) -> str | None:
    """The text that a file carries about where it comes from, as `write` put it there; None without one.

    Raises:
        MusegenError: it is not well-formed.
    """
    for field in parse(data, "the file").findall("identification/miscellaneous/miscellaneous-field"):
        if field.get("name") == "provenance":
            return field.text
    return None


def parse(data: bytes, name: str) -> ElementTree.Element:
    """Parse XML that nobody vouches for: no entities, a bounded tree.

    Raises:
        MusegenError: it is not well-formed, declares entities or is too large.
    """
    source: bytes | str = data
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (data[:2] in (b"<\x00", b"\x00<")):
        codec = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(data[:2], "utf-16")
        try:
            source = data.decode(codec)
        except UnicodeDecodeError as error:
            raise MusegenError(f"{name}: it is not well-formed UTF-16 ({error.reason})", "Export it again.") from None
        data = source.encode("utf-8", "replace")
    if b"<!ENTITY" in data:
        raise MusegenError(f"{name}: it declares entities, which no music needs", "Export it as plain MusicXML.")
    if data.count(b"<") - data.count(b"</") + data.count(b"=") > MAX_ELEMENTS:
        raise MusegenError(f"{name}: more than {MAX_ELEMENTS} elements are no piece of music", "Cut it into pieces.")
    try:
        # The whole file at once: expat starts a token over with every chunk.
        return ElementTree.fromstring(source)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MusegenError(f"{name}: it is not well-formed XML ({error})", "Export it again.") from None


def _partwise(root: ElementTree.Element) -> ElementTree.Element:
    """Turn bars of parts into parts of bars."""
    turned = ElementTree.Element("score-partwise")
    parts: dict[str | None, ElementTree.Element] = {}
    for measure in root:
        if measure.tag != "measure":
            turned.append(measure)
            continue
        for part in measure.findall("part"):
            target = parts.setdefault(part.get("id"), ElementTree.Element("part", part.attrib))
            bar = ElementTree.SubElement(target, "measure", measure.attrib)
            bar.extend(part)
    turned.extend(parts.values())
    return turned
