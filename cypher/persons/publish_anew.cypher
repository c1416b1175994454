// Delete every suppressed link, before all are written anew, and communities, which follow after the publication.
CALL () {
  MATCH (identifier:Oversized)
  REMOVE identifier:Oversized, identifier.community
}
MATCH ()-[link:SUPPRESSED]->()
DELETE link
