"""The steps of a refresh, as functions that Dagster and the command line call with the settings.

    extract (ION → lake)   load (lake → raw)   dbt.build (raw → marts)   publish (marts → readers)

Each step can be run on its own and repeated. Each step reports its progress to a `Reporter`.
"""
