// Tell readers that a publication is being committed.
// returns: turn
MATCH (moment:Moment {name: 'identity-graph'})
SET moment.turn = -abs(moment.turn) - 1
RETURN moment.turn AS turn
