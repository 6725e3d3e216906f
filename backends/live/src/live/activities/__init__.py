"""Activities: what a session asks its participants, in which order, and for how long."""
