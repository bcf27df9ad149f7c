"""The planted world."""
