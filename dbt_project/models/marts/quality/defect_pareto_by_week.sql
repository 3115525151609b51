{{ defect_pareto_of('week') }}
