"""Runs, mappings and simulations side by side: what each takes, and which is better in what."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from neurocomp.atomic import write_text
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.loading import load_network, rates_of_run, target_of
from neurocomp.flow.outputs import PAGE, require_safe
from neurocomp.ir import Graph
from neurocomp.mapping.costs import ENERGY, EQUIVALENT
from neurocomp.readable import TEXT, FileKind, read_object

Loaded: TypeAlias = tuple[Graph, RunFolder | None]
JSON_FILE = FileKind(
    "a mapping or what --json printed (JSON text)",
    TEXT,
    "name a run folder, a file of `map --out`, or one that --json was written to",
)


class Metric(NamedTuple):
    """A row of the comparison.

    Attributes:
        place: keys that lead to the value in a run's summary.
        sign: −1 = less is better, 1 = more is better, 0 = a text that says what is compared.
        per: key beside the last one whose value divides this one.
        by_rates: comparable only where all rates are measured, or all assumed.
    """

    name: str
    place: tuple[str, ...]
    sign: int = -1
    per: str | None = None
    by_rates: bool = False


RATES = Metric("rates", ("mapping", "traffic", "rates"), 0)
METRICS = (
    Metric("network", ("mapping", "network"), 0),
    Metric("target", ("mapping", "target"), 0),
    Metric("policy", ("mapping", "policy"), 0),
    RATES,
    Metric("data", ("data",), 0),
    Metric("cores", ("mapping", "n_cores")),
    Metric("chips", ("mapping", "n_chips")),
    Metric("messages per step", ("mapping", "traffic", "messages_per_step"), by_rates=True),
    Metric("hops per step", ("mapping", "traffic", "spike_hops_per_step"), by_rates=True),
    Metric("busiest link per step", ("mapping", "traffic", "max_link_per_step"), by_rates=True),
    Metric("crossings per step", ("mapping", "traffic", "chip_crossings_per_step"), by_rates=True),
    Metric("accuracy", ("accuracy", "lava"), 1),
    Metric("accuracy, integer", ("accuracy", "integer"), 1),
    Metric("SynOps per sample", ("simulate", "synops"), per="samples"),
    Metric("45 nm energy per sample, mJ", ("figures", "energy_mj")),
    Metric("latency, steps", ("simulate", "latency_steps")),
    Metric("weights", ("best", "params")),
)


def side_by_side(
    items: Sequence[Path],
    *,
    network: Path | None = None,
    hw: str | None = None,
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Compare runs, saved mappings and results of ``map --json`` and ``simulate --json``.

    Args:
        network: the network of saved mappings, from which their messages are counted after they
            are checked, at a run's measured rates or at assumed ones; without it only their cores
            are known.
        skip_layers, weight_bits, dt: how it is read, as for the mappings.
        hw: target of the saved mappings where its name is not that of a shipped one.
        out: file for the page.

    Returns:
        What ``neurocomp compare --json`` prints: ``items``, and ``rows`` with a value for each item
        (None = not known) and the ``better`` ones: positions among the items, empty where all are
        equal, None where it cannot be told.

    Raises:
        InputError: fewer than two items, or one that is none of these.
        RunError: a saved mapping is not a legal one of the network.
    """
    if len(items) < 2:
        raise InputError("a comparison needs two runs, mappings or results at least")
    if out is not None:
        require_safe([(out, PAGE)], (*items, network, hw))
    loaded = None
    if network is not None:
        loaded = load_network(network, skip_layers=skip_layers, weight_bits=weight_bits, dt=dt)
    summaries = [_with_prices(_summary(item, loaded, hw)) for item in items]
    if any("n_cores" in (row := s.get("mapping", {})) and "traffic" not in row for s in summaries):
        text = "what saved mappings send is not known without their network; name it with --network"
        warnings.warn(InputWarning(text), stacklevel=2)
    metrics = (*METRICS, *_priced(summaries))
    for item, summary in zip(items, summaries, strict=True):
        _require_numbers(item, summary, metrics)
    rows = [row for metric in metrics if (row := _row(metric, summaries)) is not None]
    result: dict[str, Any] = {"items": [str(item) for item in items], "rows": rows}
    if out is not None:
        from neurocomp.report.comparison import comparison_page

        write_text(out, comparison_page(result))
        result["page"] = str(out)
    return result


def _row(metric: Metric, summaries: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The values of one metric; None where nobody has one."""
    values = [_value(summary, metric) for summary in summaries]
    if all(value is None for value in values):
        return None
    better = _better(metric, values, summaries) if metric.sign else None
    return {"metric": metric.name, "values": values, "better": better}


def _better(
    metric: Metric, values: Sequence[Any], summaries: Sequence[dict[str, Any]]
) -> list[int] | None:
    """Positions of the best values; empty: all are equal, None: fewer than two can be compared."""
    known = [i for i, value in enumerate(values) if value is not None]
    origins = {_value(summaries[i], RATES) for i in known if metric.by_rates}
    if len(known) < 2 or len(origins) > 1:
        return None
    best = max(metric.sign * values[i] for i in known)
    found = [i for i in known if metric.sign * values[i] == best]
    return found if len(found) < len(known) else []


def _priced(summaries: Sequence[dict[str, Any]]) -> Iterator[Metric]:
    """Energy and time of a step at all prices at which one of the mappings has them."""
    columns = (
        ("energy per step, {}, pJ", ("energy_pj", "total")),
        ("of it messages and mesh, {}, pJ", ("noc_pj",)),
        ("busiest core, {}, ns", ("makespan_ns",)),
        ("time of a step, {}, ns", ("step_ns",)),
    )
    for prices in sorted({prices for summary in summaries for prices in summary["priced"]}):
        for name, place in columns:
            yield Metric(name.format(prices), ("priced", prices, *place), by_rates=True)


def _with_prices(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary whose ``priced`` holds what its mapping costs by the prices' target and basis.

    So a mapping that is priced as on another target stands beside one on that target.
    """
    mapping = summary.get("mapping", {})
    found: dict[str, Any] = {}
    for name, by_basis in mapping.get("costs", {}).items():
        whose = name.removesuffix(EQUIVALENT) if name != ENERGY else mapping.get("target")
        found |= {f"{whose} {basis}": costs for basis, costs in by_basis.items()}
    return summary | {"priced": found}


def _require_numbers(item: Path, summary: dict[str, Any], metrics: Sequence[Metric]) -> None:
    """`InputError` where a file says something else than a number of what can be better."""
    for metric in metrics:
        if not metric.sign:
            continue
        try:
            value = _value(summary, metric)
        except (TypeError, KeyError, ZeroDivisionError) as fault:
            raise InputError(f"{item}: {metric.name}: {fault!r} in a damaged file") from fault
        if not isinstance(value, int | float | None):
            raise InputError(f"{item}: {metric.name}: must be a number, got {value!r}")


def _value(summary: dict[str, Any], metric: Metric) -> Any:
    value: Any = summary
    for key in metric.place:
        if not isinstance(value, dict):
            return None
        beside, value = value, value.get(key)
    if metric.per is None or value is None:
        return value
    return value / beside[metric.per]


def _summary(item: Path, network: Loaded | None, hw: str | None) -> dict[str, Any]:
    """An item as (part of) a run's summary."""
    if item.is_dir():
        return _of_run(RunFolder.existing(item))
    if not item.exists():
        raise InputError(f"{item}: no such file or run folder")
    value = read_object(item, JSON_FILE)
    keys = value.keys()
    if {"format", "partition"} <= keys:
        return {"mapping": _of_mapping(item, network, hw)}
    if {"n_cores", "traffic"} <= keys:
        return {"mapping": value}
    if {"backend", "synops", "samples"} <= keys:
        return {"simulate": value, "accuracy": {"lava": value.get("accuracy")}}
    if {"recipe", "target"} <= keys:
        return dict(value)
    raise InputError(
        f"{item}: neither a mapping nor a result of `search`, `map` or `simulate` with --json"
    )


def _of_run(run: RunFolder) -> dict[str, Any]:
    """What the stages of a run have found so far; it may not be finished."""
    search, trained, mapped, simulated = (
        run.result(stage) or {} for stage in ("search", "train", "map", "simulate")
    )
    recipe = run.identity().get("recipe")
    if not isinstance(recipe, dict) or "data" not in recipe:
        raise InputError(
            f"{run.path}: recipe.data is missing in its run.json; it is a run of another version "
            "of neurocomp; run the search again in another folder"
        )
    lava = simulated.get("simulate", {}).get("accuracy")
    return {
        "data": recipe["data"],
        "accuracy": {**trained.get("accuracy", {}), "lava": lava},
        **{key: search[key] for key in ("best",) if key in search},
        **{key: mapped[key] for key in ("mapping", "figures") if key in mapped},
        **simulated,
    }


def _of_mapping(item: Path, network: Loaded | None, hw: str | None) -> dict[str, Any]:
    """What a saved mapping says alone, or with its network."""
    from neurocomp.mapping import check, summary
    from neurocomp.mapping.store import load

    mapping = load(item)
    if network is None:
        names = {"network": mapping.network, "target": mapping.target, "policy": mapping.policy}
        return {**names, "n_cores": mapping.n_cores, "n_chips": len(mapping.chips)}
    graph, run = network
    if mapping.graph_digest != graph.digest():
        raise InputError(
            f"{item}: is a mapping of another network than --network '{graph.name}' as read; "
            "--skip-layers, --weight-bits and --dt must be those that the mapping was made with"
        )
    target = target_of(hw or mapping.target, None)
    return summary(graph, check(graph, mapping, target), target, rates_of_run(graph, run))
