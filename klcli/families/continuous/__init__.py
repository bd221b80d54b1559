"""Families of densities on the line, one a file."""
