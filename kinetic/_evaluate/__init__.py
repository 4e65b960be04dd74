"""Samples before metrics."""
