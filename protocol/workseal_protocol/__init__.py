"""The Workseal protocol: bytes and values in, values or a typed error out.

No network, no files, no clock, no randomness: you bring the bytes, the time and the keys.
"""
