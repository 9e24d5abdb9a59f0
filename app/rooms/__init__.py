"""Rooms: a class that follows its teacher's view, is asked, and is let go to explore."""
