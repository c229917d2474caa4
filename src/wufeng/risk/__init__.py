"""The risk engine: whether a payment may be made, from what, and why not."""
