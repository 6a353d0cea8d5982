"""YAML into frozen pydantic models, with every fault of a file reported at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from neurocomp.atomic import write_text
from neurocomp.errors import InputError
from neurocomp.readable import TEXT, FileKind

YAML_FILE = FileKind("a YAML file (text)", TEXT, "write keys and values, as the shipped files do")


class Spec(BaseModel):
    """Base of everything read from YAML: immutable, strict types, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _plain_name(given: object) -> object:
    if not isinstance(given, str) or not re.fullmatch(r"[\w+-][\w+. -]{0,99}", given):
        raise ValueError("must be a name: letters, digits, _, +, - and dots inside, at most 100")
    return given


Name = Annotated[str, BeforeValidator(_plain_name)]  # may become part of a file's name
LIST = Field(strict=False)  # YAML has lists where a frozen spec holds tuples
SpecT = TypeVar("SpecT", bound=Spec)
Key: TypeAlias = tuple[int | str, ...]


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


class Fault(NamedTuple):
    """A fault of a mapping: the path of the key at fault, and the rule with what was found."""

    key: Key
    words: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.key))}: {self.words}" if self.key else self.words


def parse(
    value: dict[str, Any],
    model: type[SpecT],
    where: str | Path,
    origin: Callable[[Key], str] = lambda key: "",
) -> SpecT:
    """A mapping as a spec; `InputError` lists every fault with its key path.

    Args:
        origin: put before the fault of a key, for a mapping that several files add up to.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [f"{origin(fault.key)}{fault}" for fault in _faults(error, model)]
        raise InputError.from_faults(str(where), faults) from None


def faults_of(error: ValidationError) -> list[str]:
    """Every fault that pydantic found: key path, rule, what was found."""
    return [str(fault) for fault in _faults(error)]


def read(path: Path, model: type[SpecT]) -> SpecT:
    """A YAML file as a spec."""
    return parse(read_yaml(path), model, path)


def write_yaml(path: Path, value: dict[str, Any]) -> None:
    """Write plain values as YAML, in the order of their keys."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _faults(error: ValidationError, *models: type[BaseModel]) -> list[Fault]:
    return [Fault(e["loc"], _words(e, models)) for e in error.errors(include_url=False)]


def _words(error: Any, models: Sequence[type[BaseModel]]) -> str:
    """The rule that was broken and what was found, with a remedy where it can be told."""
    key, found = error["loc"], error["input"]
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(key[-1]), _known_keys(models, key[:-1]), n=1)
        return f"unknown key; did you mean '{near[0]}'?" if near else "unknown key; remove it"
    if error["type"] == "missing":
        return "is missing"
    if error["type"] in ("model_type", "dict_type"):
        return f"must be a section of keys and values, got {_shown(found)}"
    rule = str(error["msg"].removeprefix("Value error, ").removeprefix("Input "))
    if not key:  # a rule between several keys, which names them and what it found
        return rule
    quoted = error["type"] in _NOT_TEXT and _is_quoted(found)
    remedy = " (text; remove the quotes)" if quoted else ""
    return f"{rule[0].lower()}{rule[1:]}, got {_shown(found)}{remedy}"


_NOT_TEXT = {"value_error", "bool_type", "int_type", "float_type"}


def _is_quoted(found: object) -> bool:
    """Whether a text would be a number, true or false without its quotes."""
    if not isinstance(found, str):
        return False
    try:
        return type(yaml.safe_load(found)) in (int, float, bool)
    except yaml.YAMLError:
        return False


def _known_keys(models: Sequence[type[BaseModel]], key: Key) -> list[str]:
    """Keys that a mapping below models may have, wherever unions or lists lie on the way."""
    for part in key:
        inner = [m for outer in models for m in _models_at(outer, part)]
        models = inner or models  # the place in a list, or what tells a union's members apart
    return [name for m in models for name in m.model_fields]


def _models_at(model: type[BaseModel], name: int | str) -> list[type[BaseModel]]:
    field = model.model_fields.get(str(name))
    return [] if field is None else list(_models_in(field.annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    inner = get_args(annotation)
    if not inner and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in inner:
        yield from _models_in(part)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


MAX_VALUES = 100_000  # of a YAML file, every alias written out


def _n_values(node: yaml.Node, known: dict[int, float]) -> float:
    """Values below a node, every alias written out; infinite where one stands for itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")  # until it is counted
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        flat = (part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,)))
        known[id(node)] = 1 + sum(_n_values(part, known) for part in flat)
    return known[id(node)]


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that refuses keys given twice, and aliases that nest a small file to a giant."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _n_values(node, {}) > MAX_VALUES:
            raise yaml.composer.ComposerError(
                None,
                None,
                f"its aliases stand for more than {MAX_VALUES:,} values",
                node.start_mark,
            )
        return node

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
