"""Whole plays brought to the story services, and fetched from them, over their public APIs."""
