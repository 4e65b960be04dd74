"""How transformers of diffusers are asked for a velocity, one a file."""
