"""Lessons: Markdown files that control the figures. The app computes the numbers in their text when it shows them."""
