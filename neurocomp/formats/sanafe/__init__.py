"""SANA-FE's architecture and network files: a mapped network for its traffic and energy model.

Only the files are ours: SANA-FE itself is never imported.
"""

from neurocomp.formats.sanafe.layout import Layout, Place
from neurocomp.formats.sanafe.write import FILES, Written, write_sanafe

__all__ = ["FILES", "Layout", "Place", "Written", "write_sanafe"]
