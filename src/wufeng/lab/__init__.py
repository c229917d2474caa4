"""The laboratory: streams and simulated lives that run on the real engine."""
