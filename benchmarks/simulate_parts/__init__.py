"""Parts of ``simulate.py``."""
