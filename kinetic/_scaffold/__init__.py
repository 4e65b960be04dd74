"""`kinetic new`: a plugin of one's own, from templates."""

from kinetic._scaffold.scaffold import scaffold as scaffold
