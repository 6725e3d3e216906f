"""The published formats of a tiled transparency log. Knows no database and no HTTP.

RFC 6962 (Merkle trees), RFC 8785 (canonical JSON) and the C2SP formats: signed-note,
tlog-checkpoint, tlog-cosignature, tlog-tiles and tlog-proof. Other people's tools read all of them.
"""
