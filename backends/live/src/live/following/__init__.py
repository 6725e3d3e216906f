"""Following a session: what it is now, and the streams of what happens in it."""
