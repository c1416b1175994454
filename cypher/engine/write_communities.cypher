// Say of identifiers whose component is too large to be a person to which of its communities they belong.
// $rows list<list>: number of the identifier, smallest number in its community
UNWIND $rows AS row
MATCH (identifier:Identifier {number: row[0]})
  USING INDEX SEEK identifier:Identifier(number)
SET identifier:Oversized, identifier.community = row[1]
