"""Dagster, and nothing else: assets, checks, the job and its schedule, and running the job in this process.

Each module turns the reports of `pipeline` into Dagster's events; none of them reads ION, DuckDB or Parquet by itself.
They are put together in `ion_pipeline.definitions`. Assets by layer:

    ion/<entity>      entities    one operation, one client, one load in the lake
    raw/<table>       raw         one operation, one transaction
    <schema>/<model>  models      dbt, one operation
    published/ion     published   what readers open
"""
