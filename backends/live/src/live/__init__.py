"""Live audience events: sessions, activities, participants."""
