"""The direction of imports: every import of the package goes strictly downwards.

A unit is a top-level module or folder of the package. The walk is over the source, so imports
inside functions, under TYPE_CHECKING and by name (`importlib.import_module("…")`) count too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neurocomp"

LEVELS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("atomic", "interrupt", "progress", "shown"),
    ("shipped", "readable"),
    ("spec",),
    ("ir",),
    ("hw", "arch", "quant", "formats"),
    ("cost", "mapping", "data", "snn"),
    ("score", "train", "backend"),
    ("explore", "report"),
    ("flow", "doctor"),
    ("cli", "__init__"),
    ("__main__",),
)
LEVEL_OF = {unit: level for level, units in enumerate(LEVELS) for unit in units}

ALLOWED_ONLY = {"doctor": {"errors"}}
"""Units that may import less than their level allows: the doctor must run where much is broken."""

HOMES: dict[str, set[str]] = {
    "yaml": {"spec"},
    "torch": {"snn", "score", "train", "data"},
    "torchvision": {"snn", "score", "train", "data"},
    "torchaudio": {"snn", "score", "train", "data"},
    "torchmetrics": {"snn", "score", "train", "data"},
    "lightning": {"snn", "score", "train", "data"},
    "lava": {"snn", "backend"},
    "lava.lib.dl.slayer": {"snn"},
    "networkx": {"mapping", "ir"},
    "matplotlib": {"report"},
    "optuna": {"explore"},
    "typer": {"cli"},
    "rich": {"cli"},
}
"""Heavy packages and the only units that import them."""


def imported(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import of a module; ``package`` is the module's own package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            called = called.id if isinstance(called, ast.Name) else called
            name = node.args[0]
            if called in ("import_module", "__import__") and isinstance(name, ast.Constant):
                yield node.lineno, str(name.value)


def ruled(unit: str, target: str) -> str | None:
    """What an import breaks; None: nothing. ``target`` is the dotted name that is imported."""
    parts = target.split(".")
    if parts[0] != "neurocomp":
        homes = [home for home in HOMES if f"{target}.".startswith(f"{home}.")]
        home = max(homes, key=len, default=None)
        if home is not None and unit not in HOMES[home]:
            return f"{home} is imported by {', '.join(sorted(HOMES[home]))} only"
        return None
    other = parts[1] if len(parts) > 1 else "__init__"
    if other in (unit, "__version__"):
        return None
    if other not in LEVEL_OF:
        return f"{other} has no level"
    if other not in ALLOWED_ONLY.get(unit, LEVEL_OF):
        return f"{unit} may import {', '.join(sorted(ALLOWED_ONLY[unit]))} only"
    if LEVEL_OF[other] >= LEVEL_OF[unit]:
        return f"{other} is not below {unit}"
    return None


def violations(package: Path) -> list[str]:
    """``file:line: import: rule`` for every import of a package that goes the wrong way."""
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        unit = inside.parts[0].removesuffix(".py")
        if unit not in LEVEL_OF:
            found.append(f"{inside}: {unit} has no level")
            continue
        own = ".".join(["neurocomp", *inside.parts[:-1]])
        for line, target in imported(ast.parse(path.read_text(encoding="utf-8")), own):
            rule = ruled(unit, target)
            if rule is not None:
                found.append(f"{inside}:{line}: {target}: {rule}")
    return found


def test_every_import_goes_down_and_heavy_packages_have_one_home() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "rule"),
    [
        ("ir/graph.py", "from neurocomp.hw import mesh", "hw is not below ir"),
        ("cost/size.py", "import neurocomp.mapping.model", "mapping is not below cost"),
        ("cost/size.py", "from neurocomp import mapping", "mapping is not below cost"),
        ("cost/size.py", "from ..mapping import model", "mapping is not below cost"),
        ("flow.py", "from . import cli", "cli is not below flow"),
        ("spec/read.py", "def f():\n    from neurocomp.ir import Graph", "ir is not below spec"),
        ("errors.py", "from neurocomp.shipped import find", "shipped is not below errors"),
        ("hw/mesh.py", "import neurocomp", "__init__ is not below hw"),
        ("hw/mesh.py", "from neurocomp.quant.fixed import mant", "quant is not below hw"),
        ("doctor.py", "from neurocomp.ir import Graph", "doctor may import errors only"),
        ("arch/draw.py", "from neurocomp.helpers import x", "helpers has no level"),
        ("helpers.py", "", "helpers has no level"),
        ("hw/mesh.py", "import yaml", "yaml is imported by spec only"),
        ("quant/fixed.py", "import torch.nn as nn", "torch is imported by data, score, snn, train"),
        ("cost/size.py", "from networkx import DiGraph", "networkx is imported by ir, mapping"),
        ("train/loop.py", "from lava.magma import core", "lava is imported by backend, snn only"),
        (
            "backend/run.py",
            "from lava.lib.dl import slayer",
            "lava.lib.dl.slayer is imported by snn",
        ),
        ("flow.py", "if x:\n    import optuna", "optuna is imported by explore only"),
        ("flow.py", "importlib.import_module('matplotlib.pyplot')", "matplotlib is imported by"),
        ("flow.py", "import_module('rich')", "rich is imported by cli only"),
    ],
)
def test_the_walk_catches(tmp_path: Path, file: str, source: str, rule: str) -> None:
    path = tmp_path / "neurocomp" / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    (found,) = violations(tmp_path / "neurocomp")
    assert found.startswith(file)
    assert rule in found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("cost/size.py", "from neurocomp.hw import demand\nfrom . import synops\nimport numpy"),
        ("mapping/place.py", "import networkx\nfrom .model import Placement"),
        ("backend/netx.py", "from lava.lib.dl import netx\nfrom lava.lib.dl.netx import hdf5"),
        ("report/html.py", "from neurocomp import __version__\nimport matplotlib.pyplot"),
        ("hw/mesh.py", "import yaml_like_name\nimport richer"),
        ("cli/main.py", "def f():\n    from neurocomp import flow, doctor"),
        ("__init__.py", "def __getattr__(name):\n    from neurocomp import flow"),
    ],
)
def test_the_walk_lets_pass(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / "neurocomp" / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path / "neurocomp") == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.name))
def test_every_module_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def light_modules() -> list[str]:
    """What must start fast, as far as it exists."""
    modules = ["neurocomp", "neurocomp.doctor"]
    if (PACKAGE / "cli" / "__init__.py").exists():
        modules += ["neurocomp.cli"]
    return modules


@pytest.mark.parametrize("module", light_modules())
def test_starting_up_imports_nothing_heavy(module: str) -> None:
    heavy = ["torch", "lava", "matplotlib", "optuna", "lightning", "networkx", "sklearn"]
    code = f"import sys, {module}; print(*sorted(set({heavy}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
