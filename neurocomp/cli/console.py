"""What every command shares: where output goes, how progress shows, which code it ends with.

Rows and JSON go to stdout and nothing else does: while a command runs, file descriptor 1 leads to
stderr, so that no library and no child process can print into the result.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TextIO

import typer
from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from neurocomp.errors import InputError, InputWarning, NeurocompError, RunError
from neurocomp.shown import shown

PIPE_WIDTH = 160  # of tables where stdout is no terminal
PACE_S = 3600.0  # that a bar looks back for its estimate; a batch may take minutes
LINE_S = 30.0  # between lines of progress where stderr is no terminal
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")]
HardwareOption = Annotated[
    str, typer.Option("--hw", help="Target chip: a name (see `targets`) or a YAML file.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the data set lies, or is downloaded to.")
]


class Console:
    """Output of one command: results to stdout, words, warnings and progress to stderr.

    Results are kept until `flush`, so that a reader which goes away early (`| head`) breaks no
    command.
    """

    def __init__(self, stdout: int, as_json: bool) -> None:
        self.as_json = as_json
        self._out = os.fdopen(os.dup(stdout), "w", encoding="utf-8")
        self._held = io.StringIO()
        terminal = self._out.isatty()
        width = None if terminal else PIPE_WIDTH
        self._rich = RichConsole(file=self._held, force_terminal=terminal, width=width)
        self._warnings: list[str] = []
        self.err = RichConsole(stderr=True)

    def say(self, text: str) -> None:
        """A line of words for the person at the terminal."""
        self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A warning, at once for the person at the terminal, and in the JSON object."""
        self.say(f"warning: {text}")
        self._warnings.append(text)

    def result(self, value: dict[str, Any]) -> None:
        """The command's JSON object, printed where --json asks for it, with the warnings if any."""
        if self.as_json:
            told = {**value, "warnings": self._warnings} if self._warnings else value
            self._held.write(json.dumps(told, indent=1, allow_nan=False) + "\n")

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table on stdout, unless --json asks for JSON alone."""
        if self.as_json:
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for i, header in enumerate(headers):
            numeric = all(isinstance(row[i], int | float) for row in rows)
            table.add_column(
                header,
                justify="right" if numeric else "left",
                no_wrap=i == 0 or numeric,
            )
        for row in rows:
            table.add_row(*(shown(value) for value in row))
        self._rich.print(table)

    def line(self, text: str) -> None:
        """A line of result on stdout, unless --json asks for JSON alone."""
        if not self.as_json:
            self._rich.print(text, markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        """Write everything out; a reader that went away early is no error."""
        held = self._held.getvalue()
        self._held.seek(0)
        self._held.truncate()
        with suppress(BrokenPipeError):
            self._out.write(held)
            self._out.flush()

    def close(self) -> None:
        """Write what is left and close stdout; a full disk has been reported by `flush`."""
        with suppress(OSError):
            self.flush()
        with suppress(OSError):
            self._out.close()

    @contextmanager
    def progress(self) -> Iterator[StageProgress]:
        """Progress bars, one per stage, on stderr."""
        columns = (
            TextColumn("{task.description:>9}"),
            BarColumn(),
            TextColumn("{task.completed:>5.0f}/{task.total:<5.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        terminal = self.err.is_terminal
        with Progress(
            *columns,
            console=self.err,
            redirect_stdout=False,
            disable=not terminal,
            speed_estimate_period=PACE_S,
        ) as bars:
            yield StageProgress(bars, terminal)


class _Line(NamedTuple):
    """What a stage's last line in a log said, and when."""

    tenth: int
    done: int
    when: float


class StageProgress:
    """Called by the stages: ``progress(stage, done, total, note)``; a bar each on a terminal.

    Where stderr is no terminal, each stage prints a line when it starts, at every tenth of its way
    and after half a minute without one, for log files. A stage that goes back starts anew.
    """

    def __init__(self, bars: Progress, terminal: bool) -> None:
        self._bars, self._terminal = bars, terminal
        self._tasks: dict[str, Any] = {}
        self._lines: dict[str, _Line] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` parts of a stage are finished."""
        if self._terminal:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(
                    stage, total=total, completed=done, note=note
                )
            elif done < self._bars.tasks[self._tasks[stage]].completed:
                self._bars.reset(self._tasks[stage])
            self._bars.update(self._tasks[stage], completed=done, total=total, note=note)
            return
        last, now = self._lines.get(stage), time.monotonic()
        if last is not None and done < last.done:
            last = None
        tenth = 10 * done // max(total, 1)
        if last is None:
            left = ""
        elif done > last.done and (tenth > last.tenth or now >= last.when + LINE_S):
            left = _left((now - last.when) / (done - last.done), total - done)
        else:
            return
        self._lines[stage] = _Line(tenth, done, now)
        text = f"{stage}: {done}/{total}{left} {note}".rstrip()
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _left(seconds_each: float, parts: int) -> str:
    """How long the parts that are left take, in words; nothing where none is left."""
    seconds = seconds_each * parts
    if not parts:
        return ""
    if seconds < 100:
        return f", about {seconds:.0f} s left"
    return f", about {seconds / 60:.0f} min left"


@contextmanager
def console(as_json: bool) -> Iterator[Console]:
    """Run a command's body: stdout kept clean, errors turned into a message and an exit code.

    Raises:
        typer.Exit: with the contract's code: 2 bad input, 3 does not fit, 4 spikes differ,
            5 a run failed or was interrupted.
    """
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    out = Console(stdout, as_json)
    try:
        with _told(out):
            yield out
        out.flush()
    except NeurocompError as error:
        out.say(f"error: {error}")
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        out.say("interrupted; with a run folder, the same command goes on from there")
        raise typer.Exit(RunError.exit_code) from None
    except MemoryError:
        out.say("error: out of memory; use a smaller batch, network or number of workers")
        raise typer.Exit(RunError.exit_code) from None
    except BrokenPipeError as error:  # to another process: `flush` has no such error
        out.say("error: a process that neurocomp had started ended early; run it again")
        raise typer.Exit(RunError.exit_code) from error
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        out.say(f"error: {error.filename or 'a file'}: {error.strerror}")
        full = error.errno == errno.ENOSPC
        raise typer.Exit(RunError.exit_code if full else InputError.exit_code) from None
    finally:
        out.close()
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)


@contextmanager
def _told(out: Console) -> Iterator[None]:
    """Warnings about inputs as the console prints them; those of libraries stay as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", InputWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, InputWarning):
                out.warn(str(message))
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
