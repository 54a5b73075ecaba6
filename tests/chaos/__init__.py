"""Random stories on the stand-in GitLab, with faults and races, and what must hold in them."""
