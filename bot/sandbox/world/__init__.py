"""What there is: projects, people, merge requests, and the state they are in."""
