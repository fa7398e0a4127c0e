//! What happened, for the operator and for other programs: never a name, an identity number or a phone number.
