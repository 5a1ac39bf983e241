"""A client of TAXII 2.1 servers: what others share, fetched, kept and searched on premises.

It speaks to any server that follows the OASIS Standard of 10 June 2021; section numbers in this
package are those of that text.
"""
