"""Tests of the nomination bot."""
