"""Files that cannot be read, in a user's words: what was expected, what is there, what to do."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurocomp.errors import InputError

HDF5, ZIP, NPY, TEXT = "an HDF5 file", "a ZIP archive", "a NumPy array (.npy)", "text"
WAV, IMAGE = "a wav file", "an image"
UNKNOWN = "nothing that neurocomp knows"
MARKS = {
    HDF5: rb"\x89HDF\r\n\x1a\n",
    ZIP: rb"PK(\x03\x04|\x05\x06)",
    NPY: rb"\x93NUMPY",
    WAV: rb"RIFF.{4}WAVE",
    IMAGE: rb"\x89PNG|\xff\xd8\xff|GIF8|BM|II\*\0|MM\0\*|RIFF.{4}WEBP",
    "a gzip archive": rb"\x1f\x8b",
    "a Python pickle, which is never read": rb"\x80[\x02-\x05]",
}
HEAD = 512  # bytes that tell what a file holds
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"  # no text has these


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file should be.

    Attributes:
        words: for messages, "a NIR network (.nir, HDF5)".
        content: one of the contents above.
        remedy: what to do where it is something else.
    """

    words: str
    content: str
    remedy: str

    def require(self, path: Path) -> None:
        """Raise unless there is a file that may be read and holds something.

        Raises:
            InputError: nothing is there, a folder, a device, an empty file, or no permission.
        """
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise self._fault(path, "is a folder", "name a file")
            if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
                raise self._fault(path, "is no regular file", "copy what it gives to a file")
            with path.open("rb") as file:
                if not file.read(1):
                    raise self._fault(path, "is empty", self.remedy)
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{path}: no such file; expected {self.words}") from None
        except PermissionError:
            raise self._fault(
                path, "may not be read", "give yourself permission with chmod"
            ) from None
        except OSError as fault:
            raise self._fault(path, f"cannot be read ({fault.strerror})", "mend that") from None
        except ValueError:  # a zero byte in the name
            raise InputError(f"{str(path)!r}: is no file name; expected {self.words}") from None

    def unreadable(self, path: Path, detail: str = "") -> InputError:
        """The error for a file that is there, but not readable as what it should be.

        Args:
            detail: what exactly is wrong, if that is known in words a user understands.
        """
        try:
            found = content_of(path)
        except OSError as fault:
            return self._fault(path, f"cannot be read ({fault.strerror})", "mend that")
        what = "is damaged or cut short" if found == self.content else f"holds {found}"
        return self._fault(path, f"{what}: {detail}" if detail else what, self.remedy)

    def other(self, path: Path, found: str) -> InputError:
        """The error for a readable file of that content which holds something else."""
        return self._fault(path, f"holds {found}", self.remedy)

    def _fault(self, path: Path, found: str, remedy: str) -> InputError:
        return InputError(f"{path}: {found}; expected {self.words}; {remedy}")


def read_object(path: Path, kind: FileKind) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        InputError: it cannot be read, or is no JSON object.
    """
    kind.require(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise kind.unreadable(path, "no JSON") from fault
    if not isinstance(value, dict):
        raise kind.other(path, "JSON, but no object")
    return value


def content_of(path: Path) -> str:
    """What a file holds, told by its first bytes."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    for content, mark in MARKS.items():
        if re.match(mark, head, re.DOTALL):
            return content
    return UNKNOWN if head.translate(None, CONTROLS) != head else TEXT
