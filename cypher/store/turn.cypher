// A number that every publication and erasure changes: negative while one is being committed.
// returns: turn
MATCH (moment:Moment {name: 'identity-graph'}) RETURN moment.turn AS turn
