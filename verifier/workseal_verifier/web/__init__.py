"""The pages of parties: the diary of an engagement, as every party of it may read it.

Rules: a page shows what the protocol's own folds make of statements that a signed checkpoint
covers, and nothing else; it changes nothing, and signs nothing. The server renders; scripts only
sign in and out, and send a file that its maker signed elsewhere. docs/adr/0051
"""
