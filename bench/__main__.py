"""Every benchmark, one after the other: `python -m bench`. The last two start a Neo4j of their own."""

from bench import (
    access,
    audit,
    components,
    constrained,
    corrections,
    erasure,
    increment,
    junk,
    load,
    memory,
    neo4j,
    node_similarity,
    profile,
    resolve,
    segments,
    similarity,
    strings,
    subscription,
    tracking,
)

if __name__ == "__main__":
    components.main()
    constrained.main()
    strings.main()
    similarity.main()
    corrections.main()
    memory.main()
    load.main()
    junk.main()
    increment.main()
    erasure.main()
    resolve.main()
    segments.main()
    profile.main()
    access.main()
    tracking.main()
    subscription.main()
    audit.main()
    neo4j.main()
    node_similarity.main()
