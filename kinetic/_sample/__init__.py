"""From noise to samples, with their energies."""
