"""Rules and filters as YAML: how large a file of them may be."""

from postern.yaml_documents.source import Limits, Refusal

MOST_DOCUMENTS = 200
_MOST_NODES = 5_000  # of one rule

LIMITS = Limits(
    file=2_097_152,
    document=65_536,
    documents=MOST_DOCUMENTS,
    nodes=_MOST_NODES,
    long_file=Refusal("The file is larger than 2 MiB.", "Divide it into several files."),
    long_document=Refusal("The rule is longer than 64 KiB.", "Divide it, or shorten it."),
    many_documents=Refusal(f"There are more than {MOST_DOCUMENTS} rules.", "Divide the file."),
    many_nodes=Refusal(f"The rule has more than {_MOST_NODES} parts.", "Divide it."),
)
