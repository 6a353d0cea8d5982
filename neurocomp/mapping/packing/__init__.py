"""Packing: boxes of several layers onto shared cores."""
