"""Runs of scenarios: how they are set up, computed and written as responses. Nothing here knows of requests."""
