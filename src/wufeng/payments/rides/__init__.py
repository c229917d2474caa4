"""Rides (乘车码): taken at a gate by a pay code, charged once a day up to a cap."""
