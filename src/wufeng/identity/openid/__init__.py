"""Sign-in by the operator's own provider: OpenID Connect, authorization code with PKCE, a provider for each book.

A sign-in that is under way is kept by the browser alone, sealed; that it comes back once is kept here.
"""
