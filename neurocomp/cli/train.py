"""``neurocomp train``: train one candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neurocomp.cli.console import DataDirOption, JsonOption, console
from neurocomp.cli.views import REGRIDDED
from neurocomp.progress import quiet


def train(
    candidate: Annotated[
        Path, typer.Argument(help="A candidate's YAML file, or the folder of a searched run.")
    ],
    recipe: Annotated[
        str | None, typer.Option(help="Recipe of a YAML candidate; default spikernel-digits.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data set instead of the recipe's.")] = None,
    data_dir: DataDirOption = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of float training.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Neurons' dynamics in training: exact or slayer.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; default the run's own, or 0.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the network; an unfinished training goes on.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write curves into OUT/train/tensorboard.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a candidate: float with batch-norm, fold, then at its weight bits.

    Under torchrun several processes train together; only the first one prints.
    """
    with console(as_json) as out_console:
        from neurocomp.flow import train as train_network
        from neurocomp.train.ranks import rank

        with out_console.progress() as progress:
            row = train_network(
                candidate,
                recipe=recipe,
                data=data,
                data_dir=data_dir,
                epochs=epochs,
                engine=engine,
                device=device,
                seed=seed,
                out=out,
                tensorboard=tensorboard,
                progress=quiet if rank() else progress,
            )
        if rank():
            return
        accuracy = row["accuracy"]
        out_console.line(
            f"accuracy: float {accuracy['float']:.4f}, integer {accuracy['integer']:.4f} "
            f"({row['epochs']} epochs, {row['images_per_second']:.0f} images/s) → {row['network']}"
        )
        if row["regridded"]:
            out_console.line(REGRIDDED)
        out_console.result(row)
