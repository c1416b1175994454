// Keep how far a destination was told.
// $destination string: its name
// $state string: a Delivery in JSON
MERGE (delivery:Delivery {destination: $destination})
SET delivery.state = $state
