"""`python -m benchmarks [SUITE] [options]`; the suites are those of `main`, `extraction` by default."""

import sys

from benchmarks.extraction import suite


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
        case "genealogy":
            from benchmarks import genealogy_scale  # noqa: PLC0415 - needs DuckDB and the models

            sys.argv = [f"{sys.argv[0]} genealogy", *arguments]
            genealogy_scale.main()
        case "quality":
            from benchmarks import quality_scale  # noqa: PLC0415 - needs DuckDB and the models

            sys.argv = [f"{sys.argv[0]} quality", *arguments]
            quality_scale.main()
        case "spark":
            from benchmarks import spark_scale  # noqa: PLC0415 - needs DuckDB, the models and Spark

            sys.argv = [f"{sys.argv[0]} spark", *arguments]
            spark_scale.main()
        case "cluster":
            from benchmarks import cluster_model  # noqa: PLC0415 - the extraction's parent process stays small

            sys.argv = [f"{sys.argv[0]} cluster", *arguments]
            cluster_model.main()
        case "refresh":
            from benchmarks import refresh_overhead  # noqa: PLC0415 - needs DuckDB, dbt and a sandbox

            sys.argv = [f"{sys.argv[0]} refresh", *arguments]
            refresh_overhead.main()
        case "freshness":
            from benchmarks import freshness  # noqa: PLC0415 - needs DuckDB, dbt and a sandbox

            sys.argv = [f"{sys.argv[0]} freshness", *arguments]
            freshness.main()
        case _:
            sys.exit(
                f"There is no suite {name}: extraction, parsing, transports, genealogy, quality, spark, cluster, "
                "refresh or freshness."
            )


if __name__ == "__main__":
    main()
