"""Every benchmark, one after the other: `python -m bench`."""

from bench import load, profile, resolve

if __name__ == "__main__":
    load.main()
    resolve.main()
    profile.main()
