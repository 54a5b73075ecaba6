"""Pipelines whose jobs are real processes."""
