"""Events: what happened in a session, in its order, for those who follow it."""
