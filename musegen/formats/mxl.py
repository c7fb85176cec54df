"""Compressed MusicXML: a zip archive that names its score in META-INF/container.xml."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

from musegen.errors import MusegenError
from musegen.formats import MAX_BYTES, Reading, musicxml
from musegen.score import Score

MAX_ARCHIVE = 16 * 2**20
"""Bytes of an archive: its list of members is read whole."""
_CONTAINER = "META-INF/container.xml"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same score gives the same bytes


def read(data: bytes, name: str) -> Reading:
    """Read the score of an archive; a plain MusicXML file under a wrong name is read too, and said.

    Raises:
        MusegenError: it is no archive, holds no score, or unpacks to more than `MAX_BYTES`.
    """
    if data[:2] != b"PK":
        if data.lstrip()[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            reading = musicxml.read(data, name)
            return Reading(reading.scores, ("it is not compressed", *reading.mended), reading.refused)
        raise MusegenError(f"{name}: it is not a compressed MusicXML file", "Export it again.")
    return musicxml.read(_score(data, name), name)


def provenance(data: bytes) -> str | None:
    """The text that a file carries about where it comes from, as `write` put it there; None without one.

    Raises:
        MusegenError: the archive is broken, or holds no score.
    """
    return musicxml.provenance(_score(data, "the file"))


def _score(data: bytes, name: str) -> bytes:
    """The score in an archive, unpacked."""
    if len(data) > MAX_ARCHIVE:
        raise MusegenError(f"{name}: archives over {MAX_ARCHIVE >> 20} MiB are not read", "Unpack it first.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _score_member(archive, name)
            content = _unpack(archive, member, name)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        struct.error,
        KeyError,
    ) as error:
        raise MusegenError(f"{name}: the archive is broken ({str(error)[:80]})", "Export it again.") from None
    if content[:2] == b"PK":
        raise MusegenError(f"{name}: it is an archive in an archive", "Unpack it first.")
    return content


def write(scores: Sequence[Score], text: str = "") -> bytes:
    """Write one score as compressed MusicXML; see `musicxml.write`.

    Raises:
        MusegenError: there is not exactly one score.
    """
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container>\n  <rootfiles>\n    <rootfile full-path="score.musicxml"'
        ' media-type="application/vnd.recordare.musicxml+xml"/>\n  </rootfiles>\n</container>\n'
    )
    members = {
        "mimetype": b"application/vnd.recordare.musicxml",
        _CONTAINER: container.encode(),
        "score.musicxml": musicxml.write(scores, text),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, kind)
    return target.getvalue()


def _score_member(archive: zipfile.ZipFile, name: str) -> str:
    """The member that the container names, else the first one that looks like a score."""
    names = archive.namelist()
    if _CONTAINER in names:
        container = musicxml.parse(_unpack(archive, _CONTAINER, name), name)
        for element in container.iter():
            if element.tag.rpartition("}")[2] == "rootfile" and element.get("full-path") in names:
                return str(element.get("full-path"))
    for each in names:
        if each.lower().endswith((".xml", ".musicxml")) and not each.upper().startswith(("META-INF/", "__MACOSX/")):
            return each
    raise MusegenError(f"{name}: the archive holds no MusicXML", "Export it again.")


def _unpack(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """Read a member, at most `MAX_BYTES` of it, whatever size it declares."""
    info = archive.getinfo(member)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise MusegenError(f"{name}: it is packed in a way that MusicXML does not use", "Export it again.")
    with archive.open(info) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise MusegenError(f"{name}: it unpacks to more than {MAX_BYTES >> 20} MiB", "Give the music alone.")
    return content
