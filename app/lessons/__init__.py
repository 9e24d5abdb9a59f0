"""Lessons: Markdown files that drive the pages. What they say in numbers is computed where they are shown."""
