"""What plugins offer: hooks, names and what a docstring says."""
