"""musegen learns a style of notated music from a corpus and composes in it."""

__version__ = "0.1.0"
