"""Every benchmark, one after the other: `python -m bench`."""

from bench import components, load, profile, resolve, strings

if __name__ == "__main__":
    components.main()
    strings.main()
    load.main()
    resolve.main()
    profile.main()
