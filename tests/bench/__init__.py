"""Benchmarks on the stand-in GitLab: ratios within one run, no absolute seconds."""
