"""Tiling: how every layer is cut into boxes that each fit a core."""
