"""Sessions that are made from others."""
