"""The server, its faults, and a record of what was asked."""
