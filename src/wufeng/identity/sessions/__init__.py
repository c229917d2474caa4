"""Sessions: a signed-in device, with an opaque token that is looked up at every request."""
