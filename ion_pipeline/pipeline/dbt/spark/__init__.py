"""Builds the models on Apache Spark: the same dbt project, over rows that Spark derives from the lake.

The parent process writes a request and imports the finished tables into the warehouse; a child process has the Spark
session. `pyspark` and `dbt-spark` are needed there only (`pip install 'ion-pipeline[spark]'`).
"""

from ion_pipeline.pipeline.dbt.spark.building import build

__all__ = ["build"]
