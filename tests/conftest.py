"""Settings shared by all tests."""

import hypothesis

# The same examples at every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")
