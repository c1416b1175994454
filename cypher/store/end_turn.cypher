// Tell readers that a publication is committed, or undone, unless another one began since.
// $turn integer: the number that it has while it is being committed
MATCH (moment:Moment {name: 'identity-graph'}) WHERE moment.turn = $turn
SET moment.turn = -moment.turn
