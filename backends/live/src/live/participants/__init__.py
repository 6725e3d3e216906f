"""Participants: who joined, by which name, and whether they are still there."""
