"""The transparency log's mathematics and formats: pure functions, no input or output.

RFC 6962 and RFC 9162 trees, and the C2SP formats tlog-tiles, signed-note, tlog-checkpoint,
tlog-cosignature, tlog-proof, tlog-policy and tlog-witness.
"""
