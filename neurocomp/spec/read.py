"""YAML into frozen pydantic models, with every fault of a file reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from neurocomp.atomic import write_text
from neurocomp.errors import InputError
from neurocomp.readable import TEXT, FileKind

YAML_FILE = FileKind("a YAML file (text)", TEXT, "write keys and values, as the shipped files do")


class Spec(BaseModel):
    """Base of everything read from YAML: immutable, strict types, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


SpecT = TypeVar("SpecT", bound=Spec)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        InputError: missing, unreadable, not YAML (with line and column), or not a mapping.
    """
    YAML_FILE.require(path)
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (OSError, UnicodeDecodeError) as fault:
        raise YAML_FILE.unreadable(path) from fault
    except yaml.YAMLError as fault:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(value, dict):
        raise InputError(f"{path}: a mapping of keys is expected, got {_shown(value)}")
    return value


def parse(value: dict[str, Any], model: type[SpecT], where: str | Path) -> SpecT:
    """A mapping as a spec; `InputError` lists every fault with its key path."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InputError.from_faults(str(where), faults_of(error)) from None


def faults_of(error: ValidationError) -> list[str]:
    """Every fault that pydantic found: key path, rule, what was found."""
    return [_fault(e) for e in error.errors(include_url=False)]


def read(path: Path, model: type[SpecT]) -> SpecT:
    """A YAML file as a spec."""
    return parse(read_yaml(path), model, path)


def write_yaml(path: Path, value: dict[str, Any]) -> None:
    """Write plain values as YAML, in the order of their keys."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _fault(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key; remove it or mend its name"
    if error["type"] == "missing":
        return f"{key}: is missing"
    rule = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not key:  # a rule between several keys, which names them and what it found
        return str(rule)
    return f"{key}: {rule[0].lower()}{rule[1:]}, got {_shown(error['input'])}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice instead of keeping the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
