"""Figures as files. Matplotlib is loaded here, when a picture is drawn, and only its `Figure`: no window, no state."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from musegen.errors import MusegenError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
"""The kinds of picture."""
_DOTS_PER_INCH = 120


def as_file(draw: Callable[[], Figure], suffix: str) -> bytes:
    """Draw a figure and set it as a file; the same figure gives the same bytes.

    Args:
        draw: is called once it is known that matplotlib is there.
        suffix: one of `SUFFIXES`.

    Raises:
        MusegenError: the suffix is none of these, or matplotlib is not installed.
    """
    check_suffix(suffix)
    try:
        import matplotlib
    except ImportError as error:
        raise MusegenError("drawing needs matplotlib", "Install it: pip install 'musegen[plot]'") from error
    buffer = io.BytesIO()
    # No date, and names that hang on nothing random.
    metadata = {".png": {"Software": "musegen"}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
    with matplotlib.rc_context({"svg.hashsalt": "musegen"}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a title may hold letters that the font has not
        draw().savefig(buffer, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def check_suffix(suffix: str, name: str = "") -> None:
    """Refuse what is no kind of picture.

    Args:
        suffix: with its dot.
        name: of the file, for the message.

    Raises:
        MusegenError: it is none of `SUFFIXES`.
    """
    if suffix not in SUFFIXES:
        raise MusegenError(
            f"{name or 'a picture'}: no picture has the suffix {suffix or '(none)'!r}",
            f"Use one of {' '.join(SUFFIXES)}.",
        )
