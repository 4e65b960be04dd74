"""How models run from noise to data, a path a file."""
