// Hide the persons of identifiers.
// $rows list<list>: number of an identifier, time
UNWIND $rows AS row
MATCH (identifier:Identifier {number: row[0]})
  USING INDEX SEEK identifier:Identifier(number)
SET identifier.restricted = coalesce(identifier.restricted, row[1])
