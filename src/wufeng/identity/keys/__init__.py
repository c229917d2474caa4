"""API keys of the operator's own server (platform) and of merchants."""
