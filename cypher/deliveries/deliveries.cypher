// How far each destination was told, by its name.
// returns: state
MATCH (delivery:Delivery) WHERE delivery.destination IS NOT NULL
RETURN delivery.state AS state ORDER BY delivery.destination
