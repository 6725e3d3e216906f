"""Results: what the counters say, to whom, and when; the leaderboard and the exports."""
