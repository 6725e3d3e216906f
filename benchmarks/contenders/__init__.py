"""One way to write the same API, one module each."""
