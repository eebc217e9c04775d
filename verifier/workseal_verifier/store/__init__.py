"""The only part that knows SQL: protocol values in, protocol values out, never rows."""
