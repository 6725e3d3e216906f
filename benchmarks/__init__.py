"""What a request costs: ours, its peers and the floor, measured side by side."""
