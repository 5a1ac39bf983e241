"""STIX 2.1: what is shared, written as its objects, and what others write, read.

The platform writes and checks with it, an organisation reads foreign bundles with it on its own
premises. Nothing here ever holds a clear value that is to be written: names of objects are random
or follow from random names, tokens are those of one reader (`postern.stix.tokens`).
"""
