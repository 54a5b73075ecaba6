"""A stand-in GitLab on loopback, for the demo, the tests and the benchmark."""
