"""Sessions: an evening with a join code, its hosts and their tokens."""
