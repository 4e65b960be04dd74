"""Folders: runs, scores, kept features, and where they came from."""
