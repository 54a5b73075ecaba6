"""What people do, and what GitLab does because of it."""
