// Delete suppressed links whose reason quotes an erased identifier.
// $keys list<string>: of the erased; the same value in another namespace is another identifier
// $near list<integer>: numbers of the identifiers whose links are looked at
UNWIND $near AS number
MATCH (near:Identifier {number: number})-[link:SUPPRESSED]->()
  USING INDEX SEEK near:Identifier(number)
WHERE any(value IN link.values
          WHERE link.namespace + ':' + value IN $keys OR (value STARTS WITH link.namespace + ':' AND value IN $keys)
             OR (link.namespace IS NULL AND value IN $keys))
DELETE link
