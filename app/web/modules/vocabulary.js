// The closed lists that a row of a file is held to. The counterpart of postern/vocabulary.py.

export const LEARNED = ["outside_of_item", "carrier_record", "xray", "dog", "lawful_opening", "customs_control", "court_order", "open_source"];
export const LEGAL_BASIS = ["police_law", "criminal_procedure", "customs_law", "postal_law", "court_order", "legal_obligation", "public_task", "legitimate_interest"];
export const SUBJECT_CATEGORY = ["unknown", "unwitting", "suspect", "convicted", "victim", "other"];
export const ASSERTION = ["fact", "assessment"];
export const SOURCE_GRADE = ["A", "B", "C", "X"];
export const INFORMATION_GRADE = ["1", "2", "3", "4"];
export const TLP = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
export const HANDLING = ["H0", "H1", "H2", "H3"];
export const PERMITTED_ACTION = ["know", "watch", "hold_for_customs", "open_by_authority", "contact_sender"];
export const SERVICE = ["letter", "registered", "parcel", "express", "freight"];
export const DECLARED_CATEGORY = ["gift", "documents", "commercial_sample", "returned_goods", "sale_of_goods", "other"];
export const CONCEALMENT = ["none", "decoy_goods", "food", "toy", "electronics", "book_or_documents", "clothing", "cosmetics", "double_wall", "vacuum_sealed", "other"];
export const SUBSTANCE = ["unknown", "mdma", "ketamine", "amphetamine", "methamphetamine", "cocaine", "heroin", "cannabis", "lsd", "nps", "nitazene", "fentanyl", "precursor", "medicine", "other"];

/** Handling codes that contradict a marking: what may go to everybody cannot be restricted. */
export const HANDLING_AGAINST_TLP = new Map([
  ["CLEAR", HANDLING],
  ["GREEN", ["H2"]],
]);
