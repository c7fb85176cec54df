"""The program `musegen`: signals, exit codes, and the one place where an error becomes a message.

Exit codes: 0 done, 1 could not (one message), 2 misused, 128 + the signal's number when stopped by one: 130 for
Ctrl-C, 143 for SIGTERM, and 141, as for any Unix filter, when the reader of a pipe went away. A bug keeps its
traceback. Only the standard library's lightest modules are loaded before the signal handlers stand.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

CLOSED_PIPE = 128 + 13
"""What a shell reports for a program that SIGPIPE ended."""

_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end.

    It is a KeyboardInterrupt whichever signal it was, so that training saves its state in one way.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


def main() -> None:
    """Run the command line and exit with its code."""
    for number in _STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup, or in a shell's background job
            signal.signal(number, _stop)
    code = run(sys.argv[1:])
    for number in _STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _quit)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; messages go to stderr.

    Args:
        arguments: what stands after the program's name.

    Returns:
        The exit code.
    """
    import click

    from musegen.cli import cli
    from musegen.errors import MusegenError

    if sys.stdout is not None:  # a title with accents must not fail in a terminal that has none
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        if "_MUSEGEN_COMPLETE" in os.environ:
            cli.main(list(arguments), prog_name="musegen")
        # Not by `cli.main`: it turns a closed pipe into exit code 1, and an interrupt or EOFError into "Aborted!".
        with cli.make_context("musegen", list(arguments)) as context:
            cli.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as chosen:
        return chosen.exit_code
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
        _say(_farewell(number))
        return 128 + number
    except click.UsageError as misuse:
        misuse.show()
        return misuse.exit_code
    except click.ClickException as error:
        _say(error.format_message())
    except MusegenError as error:
        _say(str(error))
    except BrokenPipeError:
        _drop_stdout()
        return CLOSED_PIPE
    except OSError as error:
        _drop_stdout()
        _say(_describe(error))
    except MemoryError:
        _say("there is not enough memory for this")
    else:
        return 0
    return 1


def _stop(number: int, frame: FrameType | None) -> None:
    """End in good order, or at once where an exception could not travel.

    An exception that is raised while a module loads ends up inside that module: extension modules swallow it or turn
    it into an ImportError. Nothing is lost by leaving then, since files are written whole or not at all.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            _quit(number, frame)
        frame = frame.f_back
    signal.signal(number, _quit)  # who asks twice does not want to wait
    raise Stopped(number)


def _quit(number: int, _frame: FrameType | None) -> None:
    os.write(2, f"musegen: {_farewell(number)}\n".encode())
    os._exit(128 + number)


def _farewell(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"


def _describe(error: OSError) -> str:
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "standard input or output"
    return f"{where}: {error.strerror or error}"


def _say(message: str) -> None:
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)  # names may hold anything
    print(f"musegen: {line}", file=sys.stderr, flush=True)


def _drop_stdout() -> None:
    """Let the interpreter flush what is left into nothing: it cannot be written, and that has been said."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
