"""Lessons: Markdown files with text, figures and questions. The app computes the numbers when it shows a lesson."""
