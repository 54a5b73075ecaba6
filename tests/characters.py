"""The characters of which Hypothesis makes texts."""

from hypothesis import strategies as st

# All that UTF-8 can write; by the name of the codec, a table of them is made first, for seconds.
ANY_CHARACTER = st.characters(codec=None, exclude_categories=["Cs"])
