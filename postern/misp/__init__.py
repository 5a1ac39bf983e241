"""MISP: what is shared as events and objects of a feed, and events of others read as rows.

Nothing here puts a clear value into an event: events are made of STIX objects that hold none.
Reading is for an organisation's own premises, where its own MISP may hold everything in clear.
"""
