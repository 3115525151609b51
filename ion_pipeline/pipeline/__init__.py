"""The steps of a refresh as functions of the settings: what Dagster and the command line call.

    extract (ION → lake)   load (lake → raw)   dbt.build (raw → marts)   publish (marts → readers)

Each step can be run alone and again; none knows who called it. Listening to progress goes through `Reporter`.
"""
