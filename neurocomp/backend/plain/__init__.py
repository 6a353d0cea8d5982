"""Networks of Lava's own processes, independent of our engine: "stock" and "netx"."""
