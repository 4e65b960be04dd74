"""Recipes and what runs them; scores of samples that others made."""
