"""The one exception for what a user can mend."""


class MusegenError(Exception):
    """Something the user can put right: a file, an option, a setting.

    The command line prints it as one line and exits with 1; every other exception is a bug and keeps its traceback.

    Attributes:
        hint: what to do about it, or an empty string.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}. {self.hint}" if self.hint else message
