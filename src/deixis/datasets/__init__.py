"""Datasets: each yields `Case`, one question with its truth."""
