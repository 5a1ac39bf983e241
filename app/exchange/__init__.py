"""Standards at the edge: what an organisation may have in bulk, as STIX 2.1, TAXII 2.1 and MISP."""
