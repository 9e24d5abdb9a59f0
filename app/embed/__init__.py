"""Figures in notebooks and in pages from other tools: Sphinx, Markdown and plain HTML."""
