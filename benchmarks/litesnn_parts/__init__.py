"""Parts of `benchmarks/litesnn.py`."""
