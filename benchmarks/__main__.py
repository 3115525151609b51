"""`python -m benchmarks [SUITE] [options]`; the suites are those of `main`, `extraction` by default."""

import importlib
import sys

from benchmarks.extraction import suite

# Modules that need DuckDB, the models or a sandbox, by the name of the suite.
_SCRIPTS = {
    "genealogy": "genealogy_scale",
    "quality": "quality_scale",
    "spark": "spark_scale",
    "cluster": "cluster_model",
    "refresh": "refresh_overhead",
    "freshness": "freshness",
}


def main() -> None:
    name, arguments = (
        (sys.argv[1], sys.argv[2:]) if sys.argv[1:2] and sys.argv[1][0] != "-" else ("extraction", sys.argv[1:])
    )
    match name:
        case "extraction":
            suite.main(arguments)
        case "parsing":
            from benchmarks import parsing  # noqa: PLC0415 - the extraction's parent process stays small

            parsing.main(arguments)
        case "transports":
            from benchmarks import transports  # noqa: PLC0415 - the extraction's parent process stays small

            transports.main(arguments)
        case _ if name in _SCRIPTS:
            sys.argv = [f"{sys.argv[0]} {name}", *arguments]
            importlib.import_module(f"benchmarks.{_SCRIPTS[name]}").main()
        case _:
            sys.exit(f"There is no suite {name}: extraction, parsing, transports, {', '.join(_SCRIPTS)}.")


if __name__ == "__main__":
    main()
