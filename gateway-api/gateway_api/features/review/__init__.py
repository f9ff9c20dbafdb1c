"""Finds that a person has to judge."""
