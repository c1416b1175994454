// Show the persons of identifiers again.
// $numbers list<integer>: of identifiers
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
REMOVE identifier.restricted
