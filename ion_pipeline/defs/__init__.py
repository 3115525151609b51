"""Everything about Dagster: assets, checks, jobs, schedules, sensors, and running a job in this process.

Each module converts the reports of `pipeline` into Dagster's events. None of them reads ION, DuckDB or Parquet itself.
`ion_pipeline.definitions` combines them. Assets by layer:

    ion/<entity>      entities    one operation, one client, one load in the lake
    raw/<table>       raw         one operation, one transaction
    <schema>/<model>  models      dbt, one operation
    published/ion     published   the files that readers open
"""
