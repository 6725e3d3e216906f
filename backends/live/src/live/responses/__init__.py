"""Responses: one answer for each participant and round, and the counters made from them."""
