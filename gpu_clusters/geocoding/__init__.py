"""Coordinates for addresses that are known by city, state and country."""
