// Delete every similar link, before all are written anew.
MATCH ()-[link:SIMILAR]->()
DELETE link
