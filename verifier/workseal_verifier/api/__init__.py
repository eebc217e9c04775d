"""The HTTP interface: bodies in, bodies out, one form of error."""
