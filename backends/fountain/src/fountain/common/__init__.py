"""What several of the five services use; each module belongs to one layer, as in a service."""
