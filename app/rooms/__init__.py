"""Rooms: a class follows its teacher's view, answers questions and explores."""
