// Delete every suppressed link, before all are written anew.
MATCH ()-[link:SUPPRESSED]->()
DELETE link
