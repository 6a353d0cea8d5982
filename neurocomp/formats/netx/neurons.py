"""Neuron groups of a netx file ↔ neurons of the graph."""

from __future__ import annotations

from neurocomp.formats.hdf5 import Node
from neurocomp.ir import Delta, LoihiLif, Neuron, Sigma, SigmaDelta

NEVER = 2**17 - 1  # the chip's greatest threshold; netx writes greater ones for "never fires"
NO_NEURON = LoihiLif(vth=NEVER, du=-1, dv=4096)  # what netx gives a dense layer without neuron
LIF_TYPES = ("CUBA", "LOIHI")


def read_neuron(node: Node, *, is_input: bool = False) -> Neuron:
    """The neuron of a layer's ``neuron`` group.

    CUBA and LOIHI: ``vth = vThMant``, ``du = iDecay − 1``, ``dv = vDecay``. SDNN: a delta encoder
    in the input layer, a sigma decoder where ``sigma_output`` is present, else sigma-delta with a
    ReLU; netx scales their states by 2^(6+6).

    Args:
        is_input: the neurons of an input layer. netx drives them through the bias, past the
            current, so they have no current memory whatever iDecay says.

    Raises:
        InputError: another type of neuron, or a missing or absurd parameter.
    """
    kind = node.text("type")
    if "messageBits" in node:
        raise node.fault("messageBits: netx cannot load a neuron with it")
    if kind in LIF_TYPES:
        decays = {}
        for key in ("iDecay", "vDecay"):
            decays[key] = node.integer(key)
            if not 0 <= decays[key] <= 4096:
                raise node.fault(f"{key}: must be 0 to 4096, got {decays[key]}")
        du = 4095 if is_input else decays["iDecay"] - 1
        return LoihiLif(vth=min(_threshold(node), NEVER), du=du, dv=decays["vDecay"])
    if kind == "SDNN":
        if is_input:
            return Delta(vth=_threshold(node))
        return Sigma() if node.flag("sigma_output") else SigmaDelta(vth=_threshold(node))
    raise node.fault(f"type: neurons '{kind}' are not supported (known: CUBA, LOIHI, SDNN)")


def _threshold(node: Node) -> int:
    vth = node.integer("vThMant")
    if vth < 0:
        raise node.fault(f"vThMant: must not be negative, got {vth}")
    return vth


def neuron_fields(neuron: Neuron) -> dict[str, object] | None:
    """The data sets of a neuron group; None where a file cannot hold the neuron."""
    if isinstance(neuron, LoihiLif):
        return {
            "type": "CUBA",
            "iDecay": neuron.du + 1,
            "vDecay": neuron.dv,
            "vThMant": neuron.vth,
            "refDelay": 1,
            "gradedSpike": False,
        }
    if isinstance(neuron, Sigma):
        return {"type": "SDNN", "activation": "relu", "sigma_output": True}
    if isinstance(neuron, (Delta, SigmaDelta)) and neuron == type(neuron)(vth=neuron.vth):
        return {"type": "SDNN", "activation": "relu", "vThMant": neuron.vth}
    return None
