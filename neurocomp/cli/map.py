"""``neurocomp map``: does a network fit, on how many cores, and what binds each layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neurocomp.cli.console import JsonOption, SeedOption, console
from neurocomp.cli.views import show_mapping

NetworkArgument = Annotated[
    Path, typer.Argument(help="A network file (.npz, netx .net or NIR .nir), or a run's folder.")
]
SkipLayersOption = Annotated[
    int, typer.Option(min=0, help="Leave out a netx file's first layers, as lava-dl does.")
]
WeightBitsOption = Annotated[
    int | None,
    typer.Option(min=1, max=8, help="Bits per weight of a NIR file; default its own, or 8."),
]
DtOption = Annotated[
    float | None,
    typer.Option(
        help="Time step of a NIR file in seconds; default its own, or 1e-4 (snnTorch, lava-dl; "
        "Norse 1e-3, Spyx 1)."
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option("--hw", help="Target: a name or a YAML file; default the run's own, or loihi2."),
]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        help="Mapping policy: balanced, min-cores, min-energy, compiler or a YAML file; default "
        "the run's own, or balanced."
    ),
]


def map_command(
    network: NetworkArgument,
    hw: TargetOption = None,
    policy: PolicyOption = None,
    effort: Annotated[str, typer.Option(help="How much is tried: fast or quality.")] = "fast",
    time_budget: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds after which the best mapping found counts."),
    ] = None,
    pareto: Annotated[
        bool,
        typer.Option(
            "--pareto",
            help="List what can be had: mappings that none beats in cores, messages, hops and "
            "busiest link. Those of --out m.json are m-1.json, m-2.json, …",
        ),
    ] = False,
    without_rules: Annotated[
        bool,
        typer.Option(
            "--without-rules",
            help="Tell how many cores it would be without the rules of the chip's tool chain; "
            "--effort quality does, too.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the mapping (cores, places, routes) to this file.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw which cores hold what, as an SVG file.")
    ] = None,
    routes: Annotated[
        Path | None, typer.Option(help="Write the routing tables (trees of links) to this file.")
    ] = None,
    skip_layers: SkipLayersOption = 0,
    weight_bits: WeightBitsOption = None,
    dt: DtOption = None,
    step_rate: Annotated[
        float | None,
        typer.Option(min=0, max=1e12, help="State the power at so many steps per second."),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Partition, place and route a network onto a target's cores, and check the result."""
    with console(as_json) as out_console:
        from neurocomp.flow import map_network

        row = map_network(
            network,
            hw,
            policy=policy,
            effort=effort,
            time_budget=time_budget,
            pareto=pareto,
            without_rules=without_rules,
            skip_layers=skip_layers,
            weight_bits=weight_bits,
            dt=dt,
            step_rate=step_rate,
            seed=seed,
            out=out,
            picture=picture,
            routes=routes,
        )
        show_mapping(out_console, row)
        out_console.result(row)
