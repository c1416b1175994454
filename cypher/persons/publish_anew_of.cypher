// Delete the suppressed links that end in identifiers, before those are written anew.
// $numbers list<integer>: of identifiers
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[link:SUPPRESSED]-()
  USING INDEX SEEK identifier:Identifier(number)
DELETE link
