"""The tempo channel: whether it goes too fast for people, whatever activity is open."""
