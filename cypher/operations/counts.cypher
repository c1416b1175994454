// What there is.
// returns: counts
RETURN {
  events: COUNT { (:Event) },
  identifiers: COUNT { (:Identifier) },
  observations: COUNT { ()-[:OBSERVED]->() },
  persons: COUNT { (:Person) },
  retired_persons: COUNT { (:Retired) },
  memberships: COUNT { ()-[:IDENTIFIES]->() },
  largest_person: coalesce(COLLECT {
    MATCH (person:Person)
    RETURN max(COUNT { (person)<-[:IDENTIFIES]-() })
  }[0], 0),
  hubs: COUNT { (:Identifier {pruned: 'HUB'}) },
  pruned: COUNT { (identifier:Identifier) WHERE identifier.pruned IS NOT NULL },
  suppressed_links: COUNT { ()-[:SUPPRESSED]->() },
  segments: COUNT { (:Segment) },
  changes: COUNT { (:Change) },
  quarantined: COUNT { (:Quarantined) },
  tombstones: COUNT { (:Tombstone) }
} AS counts
