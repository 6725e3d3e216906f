"""Real parts for tests: servers from wheels, clients, time, ids, logs and network faults."""
