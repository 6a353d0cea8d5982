"""The kinds of error a user can meet, and the exit code each one ends the command with.

Every message says where, which rule, what was found and what to do:
``mappings/targets/x.yaml: core.neurons: must be a positive integer, got '4k'``.
"""

from __future__ import annotations

from typing import ClassVar


class InputWarning(UserWarning):
    """What a user should know of an input though the work goes on; commands print it."""


class NeurocompError(Exception):
    """Base of all errors that neurocomp raises for what a user can cause."""

    exit_code: ClassVar[int] = 2


class InputError(NeurocompError):
    """Bad input or usage: a file, a name, an option or a value (exit code 2)."""

    @classmethod
    def from_faults(cls, where: str, faults: list[str]) -> InputError:
        """One error for all the faults of one file or object, a line each."""
        if len(faults) == 1:
            return cls(f"{where}: {faults[0]}")
        return cls("\n".join([f"{where}: {len(faults)} faults", *(f"  {f}" for f in faults)]))

    @classmethod
    def unknown(cls, kind: str, name: str, known: list[str]) -> InputError:
        """An unknown name, with the known ones and the nearest of them."""
        import difflib

        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return cls(f"unknown {kind} '{name}'{hint} (known: {', '.join(sorted(known))})")


class FitError(NeurocompError):
    """The network does not fit the target; names layer, limit, needed, available (exit code 3)."""

    exit_code = 3


class MismatchError(NeurocompError):
    """The backend's spikes differ from the integer reference (exit code 4)."""

    exit_code = 4


class RunError(NeurocompError):
    """A run failed: the simulator died, memory ran out, a time limit passed (exit code 5)."""

    exit_code = 5
