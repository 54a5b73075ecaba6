"""What GitLab sends when something happened."""
