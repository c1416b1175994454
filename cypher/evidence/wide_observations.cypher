// What the events saw that saw too many identifiers to link every two of them, as columns.
// returns: events, times, sources, identifiers
MATCH (event:Wide)
RETURN collect(event.number) AS events, collect(event.time) AS times, collect(event.source) AS sources,
       collect(event.identifiers) AS identifiers
