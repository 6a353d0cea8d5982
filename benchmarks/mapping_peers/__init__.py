"""What the mapping benchmark measures with: networks, targets, baselines and the judge."""
