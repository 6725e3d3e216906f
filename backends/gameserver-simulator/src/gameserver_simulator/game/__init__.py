"""The simulated game server. It needs only the standard library."""
