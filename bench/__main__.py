"""Every benchmark, one after the other: `python -m bench`."""

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
