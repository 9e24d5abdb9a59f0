"""Figures in the pages of other programs: notebooks, Sphinx, Markdown, and plain HTML."""
