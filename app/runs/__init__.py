"""Runs of scenarios: how the app sets them up, computes them, and writes them as JSON. Nothing here uses requests."""
