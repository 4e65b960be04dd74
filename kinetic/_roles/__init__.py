"""The eight roles: what a component is, and an abstract class for each."""
