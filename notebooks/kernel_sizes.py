# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What do kernel size and weight bits cost on the chip?
#
# Two designs of the same SpiKernel cell for 32×32 colour images: one with 3×3 kernels at 8 bits,
# one with 5×5 kernels at 4 bits. By parameters the second is 1.7 times larger. The chip stores
# 64-bit words per core and holds a limited number of neurons, so the question is what each layer
# takes of a core.
#
# No training is needed: memory depends on shapes, kernels and bits. The spike rates behind the
# traffic are assumed here (0.1 per neuron and step); a run of `neurocomp search` measures them.

# %%
import matplotlib.pyplot as plt

import neurocomp
from neurocomp.arch import Task, build, from_dict
from neurocomp.cost import price
from neurocomp.report import layer_table
from neurocomp.spec.target import load_target

TASK = Task(shape=(3, 32, 32), input_bits=4, classes=10)


def design(kernel: int, bits: int):
    """The cell with convolutions of one kernel size and one weight width on its path."""
    conv = {"op": f"conv{kernel}", "bits": bits}
    return from_dict(
        {
            "cell": {
                "0-1": conv,
                "0-2": {"op": "skip"},
                "0-3": conv,
                "1-2": conv,
                "1-3": {"op": "avgpool3"},
                "2-3": conv,
            },
            "channels": 32,
            "final_pool": 4,
            "hidden": 256,
            "macro_bits": 8,
            "timesteps": 4,
            "neuron": {"threshold": 1.0, "voltage_decay": 0.5},
        },
        where=f"{kernel}×{kernel}, {bits} bit",
    )


designs = {"3×3, 8 bit": design(3, 8), "5×5, 4 bit": design(5, 4)}
graphs = {name: build(candidate, TASK) for name, candidate in designs.items()}

# %% [markdown]
# ## Prices, before anything is mapped

# %%
target = load_target("loihi2")
for name, graph in graphs.items():
    cost = price(graph, target)
    print(
        f"{name}: {cost.params:,} parameters, {cost.stored_bits / 8e6:.2f} MB stored, "
        f"about {cost.cores} cores"
    )

# %% [markdown]
# ## Mapped: which resource binds which layer

# %%
rows = {name: neurocomp.map_network(graph, "loihi2") for name, graph in graphs.items()}
for name, row in rows.items():
    headers, table = layer_table(row)
    print(f"\n{name}: {row['n_cores']} cores (at least {row['lower_bound_cores']})")
    print(" | ".join(headers))
    for line in table:
        print(" | ".join(str(cell) for cell in line))

# %% [markdown]
# ## Side by side

# %%
layers = [layer["name"] for layer in rows["3×3, 8 bit"]["layers"]]
figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
for axis, key in zip(axes, ("cores", "synapse words"), strict=True):
    for offset, (name, row) in zip((-0.2, 0.2), rows.items(), strict=True):
        values = [
            layer["n_cores"] if key == "cores" else layer["used"]["synapse_words"][0]
            for layer in row["layers"]
        ]
        axis.barh([i + offset for i in range(len(layers))], values, 0.4, label=name)
    axis.set_xlabel(f"{key}" if key == "cores" else f"{key} on the fullest core")
axes[0].set_yticks(range(len(layers)), layers)
axes[0].invert_yaxis()
axes[0].legend()
figure.tight_layout()
