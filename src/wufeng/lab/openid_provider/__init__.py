"""A test provider of OpenID Connect: it signs in whoever says so. For trying sign-in out, and for its tests.

It knows nothing of the rest of the project, as a real provider does not.
"""
