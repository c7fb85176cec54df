"""Sets of rolls: the shipped ones, and those encoded from anyone's files."""
